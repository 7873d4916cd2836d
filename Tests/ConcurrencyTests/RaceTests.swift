import CrashSupport
import Credits
import Dispatch
import Testing

@Suite("Racing debits")
struct RaceTests {
  @Test("G1: of debits from many tasks for an account's last credits, exactly as many succeed as it can pay")
  func oneAccount() async throws {
    let test = try TestStore()
    try await test.fill(1...1, 100.5)
    let store = test.store
    let won = try await withThrowingTaskGroup(of: Int.self) { group in
      for task in 0..<64 as Range<UInt64> {
        group.addTask {
          var won = 0
          for number in 0..<10 as Range<UInt64> {
            let request = RequestID(high: task + 1, low: number)
            if case .debited = try await store.debit(1, from: AccountID(1), request: request) { won += 1 }
          }
          return won
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(won == 100)
    #expect(try store.balance(of: AccountID(1))?.available == 0.5)
    let verification = try await store.verify()
    #expect(verification.problem == nil)
    try await store.close()
  }

  @Test("G1: the same on thousands of accounts at once, by single debits and by batches")
  func manyAccounts() async throws {
    let accounts: UInt64 = isSanitized ? 500 : 3_000
    let test = try TestStore()
    try await test.fill(1...accounts, 7.25)
    let store = test.store
    // Sixteen tasks try to take 1 credit from each account: seven can.
    let won = try await withThrowingTaskGroup(of: Int.self) { group in
      for task in 1...16 as ClosedRange<UInt64> {
        group.addTask {
          var dice = Dice(task)
          let order = (1...accounts).shuffled(using: &dice)
          var won = 0
          if task % 2 == 0 {
            for number in order {
              let outcome = try await store.debit(
                1, from: AccountID(number), request: RequestID(high: 1, low: task), acknowledge: .applied)
              if case .debited = outcome { won += 1 }
            }
          } else {
            for start in stride(from: 0, to: order.count, by: 100) {
              let batch = order[start..<min(start + 100, order.count)].map {
                Debit(1, from: AccountID($0), request: RequestID(high: 1, low: task))
              }
              for case .debited in try await store.debit(batch) { won += 1 }
            }
          }
          return won
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(won == Int(accounts) * 7)
    try await store.sync()
    for number in 1...accounts { #expect(try store.balance(of: AccountID(number))?.available == 0.25) }
    let sums = try Sums(store, 1...accounts)
    #expect(sums == (try Sums(journalOf: store)))
    #expect(sums.granted == sums.spent + sums.expired + sums.left)
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }

  @Test("G1: the same from threads, each of which runs tasks of its own")
  func threads() async throws {
    let test = try TestStore()
    try await test.fill(1...10, 50)
    let store = test.store
    let won = Tally()
    await withCheckedContinuation { (finished: CheckedContinuation<Void, Never>) in
      let group = DispatchGroup()
      for thread in 1...8 as ClosedRange<UInt64> {
        let queue = DispatchQueue(label: "caller \(thread)")
        for number in 0..<100 as Range<UInt64> {
          group.enter()
          queue.async {
            Task {
              let outcome = try? await store.debit(
                1, from: AccountID(number % 10 + 1), request: RequestID(high: thread, low: number))
              if case .debited = outcome { won.add() }
              group.leave()
            }
          }
        }
      }
      group.notify(queue: .global()) { finished.resume() }
    }
    // 80 debits on each account, of which it can pay 50.
    #expect(won.count == 500)
    #expect(try Sums(store, 1...10).left == 0)
    try await store.close()
  }

  @Test("G2: one request from many tasks at once is carried out once")
  func oneRequest() async throws {
    let test = try TestStore()
    try await test.fill(1...1, 100)
    let store = test.store
    for number in 0..<20 as Range<UInt64> {
      let request = RequestID(high: 5, low: number)
      let receipts = try await withThrowingTaskGroup(of: Outcome.self) { group in
        for _ in 0..<16 {
          group.addTask { try await store.debit(2, from: AccountID(1), request: request) }
        }
        return try await group.reduce(into: [Receipt]()) { if case .debited(let receipt) = $1 { $0.append(receipt) } }
      }
      #expect(receipts.count == 16)
      #expect(receipts.count { !$0.isReplay } == 1)
      #expect(Set(receipts.map(\.sequence)).count == 1)
    }
    #expect(try store.balance(of: AccountID(1))?.available == 60)
    try await store.close()
  }

  @Test("G1, G4: credits add up to the last one while grants come and expire, accounts freeze, and others look on")
  func mixture() async throws {
    let test = try TestStore { $0.checkpointEntries = 1_024 }
    let (store, clock) = (test.store, test.clock)
    let accounts: ClosedRange<UInt64> = 1...50
    try await test.fill(accounts, 20)
    let steps = isSanitized ? 60 : 400
    let finished = Tally()
    let followers = (1...10 as ClosedRange<UInt64>).map { number in
      Task { () -> (last: Balance?, rises: Bool) in
        var last: Balance?
        for await balance in store.balances(of: AccountID(number)) {
          if let last, balance.version <= last.version { return (last, false) }
          last = balance
        }
        return (last, true)
      }
    }
    try await withThrowingTaskGroup { group in
      for task in 1...8 as ClosedRange<UInt64> {
        group.addTask { try await RaceTests.mix(store, clock, accounts, task: task, steps: steps) }
      }
      group.addTask {
        while finished.count == 0 {
          clock.advance(by: .milliseconds(3))
          try await store.tick()
        }
      }
      group.addTask {
        var versions: [UInt64: SequenceNumber] = [:]
        while finished.count == 0 {
          for number in accounts {
            guard let balance = try store.balance(of: AccountID(number)) else { continue }
            #expect(balance.available >= .zero)
            #expect(balance.version >= versions[number, default: .none])
            versions[number] = balance.version
          }
          await Task.yield()
        }
      }
      for _ in 0..<8 { try await group.next() }
      finished.add()
      try await group.waitForAll()
    }
    try await store.tick()
    let sums = try Sums(store, accounts)
    #expect(sums == (try Sums(journalOf: store)))
    #expect(sums.granted == sums.spent + sums.expired + sums.left)
    #expect(sums.expired > 0 && sums.spent > 0)
    let verification = try await store.verify()
    #expect(verification.problem == nil)
    #expect(verification.availableMillionths == Int128(sums.left))
    let ends = try (1...10).map { try store.balance(of: AccountID($0)) }
    try await store.close()
    for (follower, end) in zip(followers, ends) {
      let (last, rises) = await follower.value
      #expect(rises)
      #expect(last == end)
    }
    let again = try test.reopened()
    #expect(try Sums(again, accounts) == sums)
    try await again.close()
  }

  /// What is on disk between two commits is what a crash then would leave.
  @Test("G8: every state on disk verifies, while debits go on and images are written")
  func verifiesMeanwhile() async throws {
    let test = try TestStore { $0.checkpointEntries = 1_024 }
    let store = test.store
    let accounts: UInt64 = 100
    try await test.fill(1...accounts, 1_000_000)
    let finished = Tally()
    try await withThrowingTaskGroup { group in
      for task in 1...2 as ClosedRange<UInt64> {
        group.addTask {
          for number in 1...(isSanitized ? 5_000 : 150_000) as ClosedRange<UInt64> {
            _ = try await store.debit(
              0.001, from: AccountID(number % accounts + 1), request: RequestID(high: task, low: number),
              acknowledge: number % 32 == 0 ? .durable : .applied)
          }
          finished.add()
        }
      }
      while finished.count < 2 {
        let problem = try await store.verify().problem
        #expect(problem == nil)
      }
      try await group.waitForAll()
    }
    try await store.close()
  }

  private static func mix(
    _ store: CreditStore, _ clock: StoreClock.Manual, _ accounts: ClosedRange<UInt64>, task: UInt64, steps: Int
  ) async throws {
    var dice = Dice(task)
    for step in 0..<UInt64(steps) {
      let account = AccountID(accounts.randomElement(using: &dice) ?? 1)
      let request = RequestID(high: task, low: step)
      switch dice.roll(1...20) {
      case 1...4:
        try await store.grant(
          Amount(millionths: Int64(dice.roll(1...9_000_000))), to: account, source: .promotion("mixture"),
          starts: dice.roll(1...3) == 1 ? clock.now + .milliseconds(5) : nil,
          expires: dice.roll(1...2) == 1 ? clock.now + .milliseconds(dice.roll(6...40)) : nil, request: request)
      case 5: try await store.freeze(account, request: request)
      case 6: try await store.unfreeze(account, request: request)
      case 7: _ = try await store.debit(30, from: account, request: request, extent: .upTo)
      case 8:
        let batch = (0..<10).map {
          Debit(0.5, from: account, request: RequestID(high: 100 + task, low: 10 * step + $0))
        }
        _ = try await store.debit(batch)
      default:
        _ = try await store.debit(Amount(millionths: Int64(dice.roll(1...3_000_000))), from: account, request: request)
      }
    }
  }
}
