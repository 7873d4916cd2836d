import Credits

/// What the demonstration did, in the forms in which it is printed.
struct DemoSummary {
  let seed: UInt64
  let scene: DemoScene
  let simulated: Duration
  let elapsed: Duration
  let settingUp: Duration
  let balances: (available: Int128, held: Int128)
  let digest: String
  let taken: Int
  let takenMinor: Int64
  let calls: Int
  let verification: Verification
  let disagreement: String?
  let isInterrupted: Bool

  /// What is wrong, if anything: with the journal, or between the store and the payment provider.
  var problem: String? { verification.problem?.description ?? disagreement }

  private var speed: Double { Double(scene.requests) / max(1e-9, elapsed.seconds) }

  private func count(_ kind: JournalEntry.Kind) -> Int { scene.count(kind) }

  /// The summary as an object.
  var json: JSON {
    [
      "type": "summary", "seed": .number(seed), "accounts": .number(scene.accounts),
      "simulated_seconds": .number(simulated.components.seconds), "interrupted": .bool(isInterrupted),
      "requests": .number(scene.requests), "debits": .number(count(.debited)), "denials": .number(count(.denied)),
      "denials_by_reason": .object(scene.denials.sorted { $0.key < $1.key }.map { (key: $0, value: .number($1)) }),
      "features": .array(
        scene.ranking.map {
          [
            "feature": .string($0.name), "debits": .number($0.feature.debits),
            "spent": .string($0.feature.spent.plainCredits),
          ]
        }),
      "holds": [
        "held": .number(count(.held)), "captured": .number(count(.captured)), "released": .number(count(.released)),
      ],
      "renewals": .number(count(.renewed)), "alerts": .number(count(.alerted)), "exhausted": .number(count(.exhausted)),
      "charges": [
        "refills_due": .number(count(.due)), "purchases": .number(count(.ordered)),
        "credited": .number(count(.credited)),
        "declined": .number(count(.declined)), "needed_action": .number(count(.needsAction)),
        "refilled_minor": .number(scene.refilled), "bought_minor": .number(scene.bought),
      ],
      "provider": ["calls": .number(calls), "taken": .number(taken), "taken_minor": .number(takenMinor)],
      "refill_states": .object(
        scene.refillStates.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.number($0.value)) }),
      "price_version": .number(scene.priceVersion), "spent": .string(scene.spent.plainCredits),
      "available": .string(balances.available.plainCredits), "held": .string(balances.held.plainCredits),
      "balances_sha256": .string(digest), "elapsed_seconds": .decimal(elapsed.seconds),
      "requests_per_second": .decimal(speed), "verification": VerificationFormat.json(verification),
      "disagreement": .text(disagreement),
    ]
  }

  /// The summary as a list of facts and a verdict.
  var text: [String] {
    let early = isInterrupted ? ", interrupted" : ""
    var facts: [(name: String, value: String)] = [
      (
        "day", "\(DemoWorld.start.brief) and \(simulated.components.seconds / 60) min on, seed \(seed)\(early)"
      ),
      ("accounts", "\(scene.accounts.grouped), opened in \(settingUp.brief)"),
      ("requests", "\(scene.requests.grouped) in \(elapsed.brief), \(Int(speed).grouped)/s"), ("denials", denials),
    ]
    for (name, feature) in scene.ranking {
      facts.append(("  for \(name)", "\(feature.spent.credits) credits in \(feature.debits.grouped) debits"))
    }
    facts += [
      (
        "holds",
        "\(count(.held).grouped) made, \(count(.captured).grouped) captured, \(count(.released).grouped) released"
      ),
      (
        "plans",
        "\(count(.renewed).grouped) renewed; \(count(.alerted).grouped) alerts, \(count(.exhausted).grouped) exhausted"
      ),
      ("refills", "\(count(.due).grouped) due, \(money(scene.refilled)) credited"),
      ("purchases", "\(count(.ordered).grouped) ordered, \(money(scene.bought)) credited"),
      (
        "provider",
        "\(calls.grouped) calls, \(taken.grouped) cards charged, \(count(.declined).grouped) declined, "
          + "\(count(.needsAction).grouped) needed action"
      ),
      ("credits", "\(balances.available.credits) available, \(balances.held.credits) held"),
      ("balances", "sha256 \(digest.prefix(32))…"), ("verify", verdict),
    ]
    return Table.facts(facts)
  }

  private func money(_ minor: Int64) -> String { Money(minor, .usd).description }

  private var denials: String {
    let reasons = scene.denials.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      "\($0.key) \($0.value.grouped)"
    }
    return count(.denied).grouped + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: ", ")))")
  }

  private var verdict: String {
    if let problem { return "PROBLEM: \(problem)" }
    return "everything agrees: \(verification.entries.grouped) entries, and every charge of a card"
  }
}
