import Credits
import Crypto
import Histogram

/// A replay at work: opens and fills accounts, debits line by line from many callers, and proves the result.
struct Replay {
  let store: CreditStore
  let feed: ReplayFeed
  let plan: ReplayPlan
  let check: UsageCheck
  /// The credits that each account is granted, once per run.
  let credits: Amount
  /// The debits in a call; 1 for calls of single debits.
  let batch: Int

  /// How many lines a round has: enough to keep all callers busy, few enough for a bounded memory and lively progress.
  var roundSize: Int { min(1 << 16, plan.callers * batch * 64) }

  /// Opens the accounts and grants them their credits; answers how many grants were new.
  func prepare() async throws -> Int {
    let progress = Progress("accounts ")
    defer { progress.end() }
    let (store, plan, credits) = (store, plan, credits)
    let workers = min(512, plan.accounts.count)
    return try await withThrowingTaskGroup(of: Int.self) { group in
      for worker in 0..<workers {
        group.addTask {
          var granted = 0
          for index in stride(from: worker, to: plan.accounts.count, by: workers) {
            if try await Replay.fill(index, credits, store, plan) { granted += 1 }
            if worker == 0 { progress.show(Double(index) / Double(plan.accounts.count)) }
          }
          return granted
        }
      }
      return try await group.reduce(0, +)
    }
  }

  private static func fill(_ index: Int, _ credits: Amount, _ store: CreditStore, _ plan: ReplayPlan) async throws
    -> Bool
  {
    let account = plan.accounts[index]
    if try store.balance(of: account) == nil { try await store.open(account, label: ReplayPlan.label(index + 1)) }
    guard credits > .zero else { return false }
    do {
      let receipt = try await store.grant(
        credits, to: account, source: .promotion("replay " + plan.run), request: plan.grantRequest(of: index + 1))
      return !receipt.isReplay
    } catch StoreError.denied(let denial) {
      guard case .conflict = denial.reason else { throw StoreError.denied(denial) }
      throw UsageFailure(
        code: "conflict",
        sentence: "run \(plan.run.escapedForTerminal) granted its accounts other credits before; "
          + "give the same --credits, or another --run")
    }
  }

  /// Debits all lines of all repetitions.
  func debit() async throws -> (tally: ReplayTally, latency: Histogram<UInt64>, elapsed: Duration) {
    var histogram = Histogram<UInt64>(highestTrackableValue: 3_600_000_000_000, numberOfSignificantValueDigits: .three)
    var tally = ReplayTally()
    var lines: UInt64 = 0
    let total = Double(max(1, check.lines * UInt64(plan.repeats)))
    let progress = Progress("replaying")
    defer { progress.end() }
    let began = ContinuousClock.now
    var current = try await feed.next(plan, size: roundSize)
    while let round = current {
      async let upcoming = feed.next(plan, size: roundSize)
      for caller in try await work(round) {
        tally.add(caller)
        for latency in caller.latencies { histogram.record(latency) }
      }
      lines += round.lines
      let speed = Double(tally.answers) / max(1e-9, began.duration(to: .now).seconds)
      progress.show(Double(lines) / total, "\(Int(speed).grouped)/s")
      current = try await upcoming
    }
    return (tally, histogram, began.duration(to: .now))
  }

  private func work(_ round: ReplayFeed.Round) async throws -> [ReplayTally] {
    let (store, batch) = (store, batch)
    return try await withThrowingTaskGroup(of: ReplayTally.self) { group in
      for debits in round.debits where !debits.isEmpty {
        group.addTask { try await Replay.call(store, debits, batch: batch) }
      }
      var tallies: [ReplayTally] = []
      for try await tally in group { tallies.append(tally) }
      return tallies
    }
  }

  /// One caller: its debits in order, one call after the other.
  private static func call(_ store: CreditStore, _ debits: [UsageDebit], batch: Int) async throws -> ReplayTally {
    var tally = ReplayTally()
    var index = 0
    while index < debits.count {
      let end = min(debits.count, index + batch)
      let began = ContinuousClock.now
      if batch == 1 {
        let debit = debits[index]
        tally.count(
          try await store.debit(for: debit.usage, from: debit.account, request: debit.request), of: debit.usage.feature)
      } else {
        let outcomes = try await store.debit(for: Array(debits[index..<end]))
        for (outcome, debit) in zip(outcomes, debits[index..<end]) { tally.count(outcome, of: debit.usage.feature) }
      }
      let (seconds, attoseconds) = began.duration(to: .now).components
      tally.latencies.append(UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
      index = end
    }
    return tally
  }

  /// SHA-256 over the ids and balances of all accounts in order: equal where all balances are equal.
  func digest() throws -> (digest: String, available: Int128) {
    var hasher = SHA256()
    var sum: Int128 = 0
    for account in plan.accounts {
      let available = try store.balance(of: account)?.available ?? .zero
      sum += Int128(available.millionths)
      var bytes: [UInt8] = []
      for word in [account.high, account.low, UInt64(bitPattern: available.millionths)] {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(word >> shift & 0xFF)) }
      }
      hasher.update(data: bytes)
    }
    return (hexadecimal(Array(hasher.finalize())), sum)
  }
}
