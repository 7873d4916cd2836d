import Credits
import Histogram

/// A store full of accounts, and callers that debit it.
struct Load {
  let store: CreditStore
  let distribution: Distribution
  /// Makes the request ids of one run differ from those of the others.
  var run: Int

  /// What a run came to.
  struct Result {
    var debits = 0
    var seconds = 0.0
    var ownSeconds = 0.0
    var otherSeconds = 0.0
    var rate: Double { Double(debits) / seconds }
  }

  /// Opens accounts with a million credits each, from 1 upwards.
  static func fill(_ store: CreditStore, accounts: Int) async throws {
    for number in 1...accounts {
      let account = AccountID(UInt64(number))
      try await store.open(account, acknowledge: .applied)
      try await store.grant(
        1_000_000, to: account, source: .promotion("load"), request: RequestID(1), acknowledge: .applied)
    }
    try await store.sync()
  }

  /// Callers that each debit batches, for some seconds.
  func batches(callers: Int, size: Int, seconds: Double) async throws -> Result {
    try await measure(callers: callers) { caller, deadline in
      let end = deadline(seconds)
      return try await batches(caller, size, nil) { _ in ContinuousClock.now < end }
    }
  }

  /// Callers that each debit batches until a number of debits is reached; latencies of batches in nanoseconds.
  func batches(callers: Int, size: Int, debits: Int, histogram: Latencies) async throws -> Result {
    let share = (debits + callers - 1) / callers
    return try await measure(callers: callers) { caller, _ in
      try await batches(caller, size, histogram) { $0 < share }
    }
  }

  /// One caller's batches, while a condition on their number holds.
  private func batches(
    _ caller: Int, _ size: Int, _ histogram: Latencies?, while goesOn: (Int) -> Bool
  ) async throws -> Int {
    var dice = Dice(run * 1_000_003 + caller)
    var batch: [Debit] = []
    var latencies: [Int64] = []
    var count = 0
    while goesOn(count) {
      batch.removeAll(keepingCapacity: true)
      for index in 0..<size {
        batch.append(Debit(1, from: distribution.next(&dice), request: request(caller, count + index)))
      }
      let start = ContinuousClock.now
      count += try await store.debit(batch).count
      if histogram != nil { latencies.append((ContinuousClock.now - start).nanoseconds) }
    }
    await histogram?.record(latencies)
    return count
  }

  /// Callers that each debit one at a time, for some seconds; latencies in nanoseconds, one in `sampling` of them.
  func singles(
    callers: Int, seconds: Double, acknowledge: Acknowledgement = .durable, sampling: Int = 1,
    histogram: Latencies? = nil, executor: RequestExecutor? = nil
  ) async throws -> Result {
    try await measure(callers: callers, executor) { caller, deadline in
      var dice = Dice(run * 1_000_003 + caller)
      var latencies: [Int64] = []
      var count = 0
      let end = deadline(seconds)
      var isOver = false
      while !isOver {
        for _ in 0..<(acknowledge == .applied ? 256 : callers > 1_024 ? 8 : 1) {
          let account = distribution.next(&dice)
          let isTimed = histogram != nil && count % sampling == 0
          let start = isTimed ? ContinuousClock.now : end
          _ = try await store.debit(1, from: account, request: request(caller, count), acknowledge: acknowledge)
          if isTimed { latencies.append((ContinuousClock.now - start).nanoseconds) }
          count += 1
        }
        isOver = ContinuousClock.now >= end
      }
      await histogram?.record(latencies)
      return count
    }
  }

  private func request(_ caller: Int, _ count: Int) -> RequestID {
    RequestID(high: UInt64(run + 1) << 32 | UInt64(caller), low: UInt64(count))
  }

  /// Runs callers as tasks and measures them together.
  fileprivate func measure(
    callers: Int, _ executor: RequestExecutor? = nil,
    _ body: @escaping @Sendable (Int, @escaping @Sendable (Double) -> ContinuousClock.Instant) async throws -> Int
  ) async throws -> Result {
    let start = ContinuousClock.now
    let (own, all) = (Machine.ownSeconds, Machine.allSeconds)
    // Not in the task of the command, which would change threads at every await.
    let debits = try await Task.detached {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for caller in 0..<callers {
          group.addTask(executorPreference: executor) { try await body(caller) { start + .seconds($0) } }
        }
        return try await group.reduce(0, +)
      }
    }.value
    let ownSeconds = Machine.ownSeconds - own
    return Result(
      debits: debits, seconds: (ContinuousClock.now - start).seconds, ownSeconds: ownSeconds,
      otherSeconds: max(0, Machine.allSeconds - all - ownSeconds))
  }
}

/// A histogram of nanoseconds that callers add to when they end.
actor Latencies {
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)

  func record(_ values: [Int64]) {
    for value in values { histogram.record(UInt64(max(1, value))) }
  }

  func nanoseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) }
}

extension Duration {
  /// The duration in whole nanoseconds.
  var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}

extension Load {
  /// One thread that reads balances, for some seconds.
  func reads(seconds: Double, _ spread: Distribution) async throws -> Result {
    try await measure(callers: 1) { _, deadline in
      var dice = Dice(run)
      var count = 0
      var sum: Int64 = 0
      let end = deadline(seconds)
      while ContinuousClock.now < end {
        for _ in 0..<1_024 { sum &+= try store.balance(of: spread.next(&dice))?.available.millionths ?? 0 }
        count += 1_024
      }
      precondition(sum != 1, "all accounts have credits")
      return count
    }
  }
}
