import CrashSupport
import Credits
import Testing

@Suite("At its limits a store")
struct LimitTests {
  /// A frame of the least size has room for some 3,000 debits.
  private static let smallFrame = Profile.smallFrame

  @Test("G9: lets thousands of callers wait for a small frame, and answers all")
  func backPressure() async throws {
    let test = try TestStore { $0.frameKibibytes = LimitTests.smallFrame }
    let callers: UInt64 = isSanitized ? 2_000 : 8_000
    try await test.fill(1...10, 10_000)
    let store = test.store
    let answered = try await withThrowingTaskGroup(of: Bool.self) { group in
      for caller in 0..<callers {
        group.addTask {
          let outcome = try await store.debit(
            1, from: AccountID(caller % 10 + 1), request: RequestID(high: 1, low: caller))
          if case .debited = outcome { return true } else { return false }
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(answered == Int(callers))
    #expect(try Sums(store, 1...10).left == 100_000_000_000 - Int64(callers) * 1_000_000)
    try await store.close()
  }

  @Test("G9: refuses callers above its limit, and takes them when there is room again")
  func overloaded() async throws {
    let test = try TestStore {
      $0.frameKibibytes = LimitTests.smallFrame
      $0.waitingCallers = 1
      $0.durability = .synced
    }
    try await test.fill(1...1, 1_000_000)
    let store = test.store
    // Each task fills several frames at once without waiting for them to be durable.
    let results = await withTaskGroup(of: (applied: Int, errors: [StoreError]).self) { group in
      for task in 1...16 as ClosedRange<UInt64> {
        group.addTask {
          var (applied, errors): (Int, [StoreError]) = (0, [])
          for number in 0..<2_000 as Range<UInt64> {
            do throws(StoreError) {
              _ = try await store.debit(
                1, from: AccountID(1), request: RequestID(high: task, low: number), acknowledge: .applied)
              applied += 1
            } catch { errors.append(error) }
          }
          return (applied, errors)
        }
      }
      return await group.reduce(into: (applied: 0, errors: [StoreError]())) {
        $0.applied += $1.applied
        $0.errors += $1.errors
      }
    }
    let onlyOverloads = results.errors.allSatisfy { $0 == .overloaded(waiting: 1) }
    #expect(onlyOverloads)
    // Whoever was refused took nothing.
    let left = 1_000_000 - results.applied
    #expect(try store.balance(of: AccountID(1))?.available == Amount(millionths: Int64(left) * 1_000_000))
    let outcome = try await store.debit(1, from: AccountID(1), request: "once more")
    if case .debited = outcome {} else { Issue.record("\(outcome)") }
    print("overloaded: \(results.applied) applied, \(results.errors.count) refused")
    try await store.close()
  }

  /// The window ended at the last mark, which was the last entry of the frame that had just been committed: all of a
  /// frame larger than the window was forgotten as it was acknowledged.
  @Test("G2: remembers as many requests as its window is wide, however large a frame is")
  func windowBesideFrame() async throws {
    let test = try TestStore { $0.windowRequests = 1_024 }
    try await test.fill(1...1, 100_000)
    let store = test.store
    for round in 1...3 as ClosedRange<UInt64> {
      let batch = (1...5_000).map { Debit(1, from: AccountID(1), request: RequestID(high: round, low: $0)) }
      let first = try await store.debit(batch)
      let again = try await store.debit(Array(batch.suffix(1_000)))
      for (outcome, repeated) in zip(first.suffix(1_000), again) {
        guard case .debited(let receipt) = repeated, case .debited(let original) = outcome, receipt.isReplay,
          receipt.sequence == original.sequence
        else {
          Issue.record("round \(round): \(outcome), and again \(repeated)")
          break
        }
      }
    }
    try await store.close()
  }

  @Test("G9: keeps to its number of accounts in memory while thousands of others are debited")
  func residentAccounts() async throws {
    let accounts: UInt64 = isSanitized ? 3_000 : 6_000
    let test = try TestStore {
      $0.residentAccounts = 1_024
      $0.checkpointEntries = 1_024
      // Slow commits: an account must not leave memory before the commit with its image has returned.
      $0.durability = .synced
    }
    try await test.fill(1...accounts, 10)
    let store = test.store
    let most = try await withThrowingTaskGroup(of: Int.self) { group in
      for task in 1...16 as ClosedRange<UInt64> {
        group.addTask {
          var dice = Dice(task)
          var most = 0
          for step in 0..<(isSanitized ? 30 : 100) as Range<UInt64> {
            let batch = (0..<20).map { index in
              Debit(
                0.001, from: AccountID(UInt64(dice.roll(1...Int(accounts)))),
                request: RequestID(high: task, low: 20 * step + index))
            }
            for case .denied(let denial) in try await store.debit(batch) { Issue.record("\(denial)") }
            if step % 10 == 0 { most = max(most, try store.statistics().residentAccounts) }
          }
          return most
        }
      }
      return try await group.reduce(0) { max($0, $1) }
    }
    // Hashing is uneven, for which each of the 64 stripes has room for 16 accounts more, and a 32nd.
    #expect(most <= 1_024 + 1_024 / 32 + 64 * 16)
    #expect(most < accounts)
    let sums = try Sums(store, 1...accounts)
    #expect(sums.spent == (isSanitized ? 30 : 100) * 16 * 20 * 1_000)
    #expect(sums == (try Sums(journalOf: store)))
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }

  @Test("G3: that is closed answers everyone who waits, and loses nothing that it acknowledged")
  func closing() async throws {
    for round in 0..<(isSanitized ? 2 : 6) as Range<UInt64> {
      let test = try TestStore { $0.frameKibibytes = LimitTests.smallFrame }
      try await test.fill(1...20, 1_000)
      let store = test.store
      let outcomes = try await withThrowingTaskGroup(of: [RequestID: Outcome].self) { group in
        for task in 1...64 as ClosedRange<UInt64> {
          group.addTask {
            var answered: [RequestID: Outcome] = [:]
            for number in 0..<10_000 as Range<UInt64> {
              let request = RequestID(high: task, low: number)
              do throws(StoreError) {
                answered[request] = try await store.debit(0.5, from: AccountID(task % 20 + 1), request: request)
              } catch {
                #expect(error == .closed)
                return answered
              }
            }
            return answered
          }
        }
        group.addTask {
          try await Task.sleep(for: .milliseconds(5 + 10 * round))
          try await store.close()
          return [:]
        }
        return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
      }
      let again = try test.reopened()
      for (request, outcome) in outcomes {
        let repeated = try await again.debit(0.5, from: AccountID(request.high % 20 + 1), request: request)
        guard case .debited(let receipt) = repeated, case .debited(let first) = outcome, receipt.isReplay,
          receipt.sequence == first.sequence
        else {
          Issue.record("\(outcome) was acknowledged, and again \(repeated)")
          break
        }
      }
      let problem = try await again.verify().problem
      #expect(problem == nil)
      try await again.close()
    }
  }

  @Test("that is closed makes durable what it has applied")
  func closingWhatIsApplied() async throws {
    let test = try TestStore { $0.durability = .synced }
    try await test.fill(1...1, 10_000)
    let batch = (1...5_000).map { Debit(1, from: AccountID(1), request: RequestID(high: 1, low: $0)) }
    _ = try await test.store.debit(batch, acknowledge: .applied)
    try await test.store.close()
    let again = try test.reopened()
    #expect(try again.balance(of: AccountID(1))?.available == 5_000)
    try await again.close()
  }
}
