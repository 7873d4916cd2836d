import Credits
import Histogram

/// What a replay did, in the forms in which it is printed.
struct ReplaySummary {
  let files: Int
  let plan: ReplayPlan
  let prices: ReplayPrices
  let check: UsageCheck
  let credits: Amount
  let batch: Int
  let granted: Int
  let tally: ReplayTally
  let latency: Histogram<UInt64>
  let elapsed: Duration
  let digest: String
  let left: Int128
  let verification: Verification
  let verifying: Duration

  private var lines: UInt64 { check.lines * UInt64(plan.repeats) }
  private var speed: Double { Double(tally.answers) / max(1e-9, elapsed.seconds) }
  private func percentile(_ percent: Double) -> UInt64 {
    latency.totalCount == 0 ? 0 : latency.valueAtPercentile(percent)
  }

  /// The summary as an object.
  var json: JSON {
    [
      "run": .string(plan.run), "files": .number(files), "lines": .number(lines),
      "accounts": .number(plan.accounts.count),
      "credits_each": .text(credits), "granted_now": .number(granted), "debits": .number(tally.debits),
      "denials": .number(tally.denied),
      "denials_by_reason": .object(tally.denials.sorted { $0.key < $1.key }.map { (key: $0, value: .number($1)) }),
      "replays": .number(tally.replays), "replayed_debits": .number(tally.replayedDebits),
      "replayed_denials": .number(tally.replayedDenials), "free": .number(tally.free),
      "spent": .string(tally.spent.plainCredits), "asked": .string((check.price * Int128(plan.repeats)).plainCredits),
      "left": .string(left.plainCredits), "seconds": .decimal(elapsed.seconds), "callers": .number(plan.callers),
      "batch": .number(batch), "debits_per_second": .decimal(speed),
      "latency_nanoseconds": [
        "calls": .number(latency.totalCount), "p50": .number(percentile(50)), "p99": .number(percentile(99)),
        "p99.9": .number(percentile(99.9)),
      ],
      "price_book": [
        "version": .number(prices.version), "name": .string(prices.book.name), "published_now": .bool(prices.isNew),
      ],
      "features": .array(
        features.map { name, feature in
          [
            "feature": .string(name), "debits": .number(feature.debits), "denials": .number(feature.denied),
            "free": .number(feature.free), "spent": .string(feature.spent.plainCredits),
          ]
        }),
      "balances_sha256": .string(digest), "verification": VerificationFormat.json(verification),
    ]
  }

  /// The features that were used now, the most expensive first.
  private var features: [(String, ReplayTally.Feature)] {
    tally.features.map { ($0.key, $0.value) }.sorted { ($1.1.spent, $0.0) < ($0.1.spent, $1.0) }
  }

  /// The summary as a list of facts and a verdict.
  var text: [String] {
    let span = check.first.flatMap { first in check.last.map { ", \(first.brief) to \($0.brief)" } } ?? ""
    var facts: [(name: String, value: String)] = [
      ("run", plan.run),
      ("log", "\(check.lines.grouped) lines in \(files) \(files == 1 ? "file" : "files")\(span)"),
    ]
    if plan.repeats > 1 { facts.append(("repeated", "\(plan.repeats.grouped) times, \(lines.grouped) lines")) }
    let grants = granted == 0 ? "" : ", \(granted.grouped) of them granted \(credits.grouped) credits"
    let news = prices.isNew ? ", published now" : ""
    facts += [
      ("prices", "version \(prices.version), \(prices.book.name)\(news)"),
      ("accounts", plan.accounts.count.grouped + grants), ("debits", tally.debits.grouped), ("denials", denials),
      ("replays", replays), ("free", tally.free.grouped),
      (
        "credits",
        "\(tally.spent.credits) spent, \(left.credits) left"
      ),
    ]
    for (name, feature) in features {
      let denied = feature.denied == 0 ? "" : ", \(feature.denied.grouped) denied"
      facts.append(("  for \(name)", "\(feature.spent.credits) in \(feature.debits.grouped) debits\(denied)"))
    }
    facts += [
      ("elapsed", elapsed.brief), ("speed", "\(Int(speed).grouped) debits/s, denials counted"), ("latency", latencies),
      ("balances", "sha256 \(digest.prefix(32))…"), ("verify", verdict),
    ]
    return Table.facts(facts)
  }

  private var denials: String {
    guard tally.denied > 0 else { return "0" }
    let reasons = tally.denials.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key) \($0.value.grouped)" }
    return "\(tally.denied.grouped) (\(reasons.joined(separator: ", ")))"
  }

  private var replays: String {
    guard tally.replays > 0 else { return "0" }
    return "\(tally.replays.grouped) (\(tally.replayedDebits.grouped) debits, "
      + "\(tally.replayedDenials.grouped) denials): nothing changed for them"
  }

  private var latencies: String {
    let times = [(50.0, "p50"), (99, "p99"), (99.9, "p99.9")].map { percent, name in
      "\(name) \(Duration.nanoseconds(Int64(percentile(percent))).brief)"
    }
    return times.joined(separator: ", ") + (batch == 1 ? " a debit" : " a call of up to \(batch.grouped)")
  }

  private var verdict: String {
    if let problem = verification.problem { return "PROBLEM: \(problem)" }
    return "everything agrees: \(verification.entries.grouped) entries replayed (\(verifying.brief))"
  }
}
