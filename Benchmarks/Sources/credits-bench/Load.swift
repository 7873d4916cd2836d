import Credits
import Harness

/// How a store is loaded.
struct Shape: Sendable {
  /// The calls that are under way at once; of an open loop, the most.
  var callers = 1
  /// The debits of one call; 1 for single calls.
  var batch = 1
  var acknowledge = Acknowledgement.durable
  /// One in so many calls is timed.
  var sampling = 1
  /// The debits a second of an open loop; nil for a closed one.
  var rate: Double?
  /// Whether the callers' tasks run on the executor that the store brings.
  var isOnRequestExecutor = false
}

/// A store full of accounts, and callers that debit it.
struct Load {
  let store: CreditStore
  let distribution: Distribution
  /// The folder whose disk is watched.
  let folder: String
  /// Makes the request ids of one run differ from those of the others.
  var run: Int

  /// Opens accounts with a billion credits each, from 1 upwards.
  static func fill(_ store: CreditStore, accounts: Int) async throws {
    try await fill(store, accounts: 1...accounts)
  }

  /// Opens the accounts with some numbers.
  static func fill(_ store: CreditStore, accounts: ClosedRange<Int>) async throws {
    for number in accounts {
      let account = AccountID(UInt64(number))
      try await store.open(account, acknowledge: .applied)
      try await store.grant(
        1_000_000_000, to: account, source: .promotion("load"), request: RequestID(1), acknowledge: .applied)
    }
    try await store.sync()
  }

  /// Loads the store in a shape for some seconds.
  func measure(_ shape: Shape, seconds: Double, countsBytes: Bool = true) async throws -> Run {
    if let rate = shape.rate { return try await open(shape, rate, seconds, countsBytes) }
    let latencies = Latencies()
    let meter = Meter(folder: folder, isSynced: countsBytes)
    return try await measured(shape, meter, latencies) { caller, start in
      let end = start + .seconds(seconds)
      return shape.batch > 1
        ? try await batches(caller, shape, until: end, latencies)
        : try await singles(caller, shape, until: end, latencies)
    }
  }

  /// One caller's batches, until a moment.
  private func batches(
    _ caller: Int, _ shape: Shape, until end: ContinuousClock.Instant, _ latencies: Latencies
  ) async throws -> Int {
    var dice = Dice(run * 1_000_003 + caller)
    var batch: [Debit] = []
    var times: [Int64] = []
    var count = 0
    while ContinuousClock.now < end {
      fill(&batch, shape.batch, &dice, caller, count)
      let start = ContinuousClock.now
      count += try Load.granted(try await store.debit(batch, acknowledge: shape.acknowledge))
      times.append((ContinuousClock.now - start).nanoseconds)
    }
    latencies.record(times)
    return count
  }

  private func fill(_ batch: inout [Debit], _ size: Int, _ dice: inout Dice, _ caller: Int, _ count: Int) {
    batch.removeAll(keepingCapacity: true)
    for index in 0..<size {
      batch.append(Debit(1, from: account(&dice), request: request(caller, count + index)))
    }
  }

  /// One caller's single debits, until a moment.
  private func singles(
    _ caller: Int, _ shape: Shape, until end: ContinuousClock.Instant, _ latencies: Latencies
  ) async throws -> Int {
    var dice = Dice(run * 1_000_003 + caller)
    var times: [Int64] = []
    var count = 0
    // The clock is read now and then only where a call costs little more than that.
    let calls = shape.acknowledge == .applied ? 256 : shape.callers > 1_024 ? 8 : 1
    var isOver = false
    while !isOver {
      for _ in 0..<calls {
        let account = account(&dice)
        let isTimed = count % shape.sampling == 0
        let start = isTimed ? ContinuousClock.now : end
        let outcome = try await store.debit(
          1, from: account, request: request(caller, count), acknowledge: shape.acknowledge)
        try Load.check(outcome)
        if isTimed { times.append((ContinuousClock.now - start).nanoseconds) }
        count += 1
      }
      isOver = ContinuousClock.now >= end
    }
    latencies.record(times)
    return count
  }

  /// Calls at a set rate, whatever becomes of those before; latencies are counted from the intended starts.
  private func open(_ shape: Shape, _ rate: Double, _ seconds: Double, _ countsBytes: Bool) async throws -> Run {
    let latencies = Latencies()
    // The meter first: syncing the disk takes time. Then some time to make the callers.
    let meter = Meter(folder: folder, isSynced: countsBytes)
    let ahead = 0.1
    let schedule = Schedule(start: .now + .seconds(ahead), rate: rate / Double(shape.batch))
    let pacer = Pacer(schedule, calls: schedule.calls(within: seconds))
    var result: Run
    do {
      result = try await measured(shape, meter, latencies) { caller, _ in
        var dice = Dice(run * 1_000_003 + caller)
        var batch: [Debit] = []
        var times: [Int64] = []
        var count = 0
        while let call = await pacer.next() {
          if shape.batch > 1 {
            fill(&batch, shape.batch, &dice, caller, count)
            count += try Load.granted(try await store.debit(batch, acknowledge: shape.acknowledge))
          } else {
            let account = account(&dice)
            let outcome = try await store.debit(
              1, from: account, request: request(caller, count), acknowledge: shape.acknowledge)
            try Load.check(outcome)
            count += 1
          }
          times.append((ContinuousClock.now - schedule.instant(of: call)).nanoseconds)
          if times.count == 65_536 {
            latencies.record(times)
            times.removeAll(keepingCapacity: true)
          }
        }
        latencies.record(times)
        return count
      }
    } catch {
      pacer.end()
      throw error
    }
    pacer.end()
    result.lateness = pacer.lateness
    result.seconds -= ahead
    return result
  }

  /// Complains about a debit that was denied or a repetition: the load would not be what it is said to be.
  private static func check(_ outcome: Outcome) throws {
    switch outcome {
    case .debited(let receipt): if receipt.isReplay { throw Problem("a request id was used twice") }
    case .denied(let denial): throw Problem("a debit was denied: \(denial.reason)")
    }
  }

  /// The number of debits of a batch, all of which must have gone through.
  private static func granted(_ outcomes: [Outcome]) throws -> Int {
    for outcome in outcomes { try check(outcome) }
    return outcomes.count
  }

  private func account(_ dice: inout Dice) -> AccountID { AccountID(UInt64(distribution.next(&dice))) }

  private func request(_ caller: Int, _ count: Int) -> RequestID {
    RequestID(high: UInt64(run + 1) << 32 | UInt64(caller), low: UInt64(count))
  }

  /// Runs callers as tasks and measures them together.
  private func measured(
    _ shape: Shape, _ meter: consuming Meter, _ latencies: Latencies,
    _ body: @escaping @Sendable (Int, ContinuousClock.Instant) async throws -> Int
  ) async throws -> Run {
    let executor = shape.isOnRequestExecutor ? RequestExecutor() : nil
    let start = ContinuousClock.now
    // Not in the task of the command, which would change threads at every await.
    let debits = try await Task.detached {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for caller in 0..<shape.callers {
          group.addTask(executorPreference: executor) { try await body(caller, start) }
        }
        return try await group.reduce(0, +)
      }
    }.value
    return meter.end(debits: debits, latencies: latencies)
  }
}
