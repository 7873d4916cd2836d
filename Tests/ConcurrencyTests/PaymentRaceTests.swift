import CrashSupport
import Credits
import CreditsTesting
import Testing

@Suite("Racing refills, purchases and holds")
struct PaymentRaceTests {
  /// How many accounts take part.
  private static let accounts: UInt64 = isSanitized ? 20 : 100

  /// A store whose accounts have 60 credits, a card, and auto-refill below 50.
  private func makeStore() async throws -> TestStore {
    let test = try TestStore()
    try await test.fill(1...PaymentRaceTests.accounts, 60)
    try await withThrowingTaskGroup { group in
      for number in 1...PaymentRaceTests.accounts {
        group.addTask {
          let card = try await test.store.savePaymentMethod(
            Fire.card(number, 1), for: AccountID(number), request: "card")
          try await test.store.setAutoRefill(refill(card), for: AccountID(number), request: "refill")
        }
      }
      try await group.waitForAll()
    }
    return test
  }

  /// Auto-refill that no cap stops.
  private func refill(_ card: PaymentMethod) -> AutoRefill {
    .on(below: 50, buy: .credits(25), atMost: Money(1_000_000_00, .usd), per: .month, with: card)
  }

  /// The number of entries of each kind.
  private func count(_ store: CreditStore) throws -> [JournalEntry.Kind: Int] {
    var counts: [JournalEntry.Kind: Int] = [:]
    try store.forEachEntry { (entry) throws(StoreError) in
      counts[entry.kind, default: 0] += 1
      return true
    }
    return counts
  }

  /// Compares the money that was taken with the credits that were given for it, and looks for open charges.
  private func expectPaid(_ store: CreditStore, _ gateway: ScriptedGateway) async throws {
    try await store.sync()
    #expect(gateway.chargedTwice.isEmpty)
    var credited: Int64 = 0
    try store.forEachEntry { (entry) throws(StoreError) in
      if entry.kind == .credited { credited += entry.money?.minor ?? 0 }
      return true
    }
    #expect(credited == gateway.total)
    for number in 1...PaymentRaceTests.accounts {
      #expect(try store.account(AccountID(number))?.charges.isEmpty == true, "account \(number)")
    }
    let problem = try await store.verify().problem
    #expect(problem == nil)
  }

  @Test("23: debits, batches and holds that race across one threshold make one refill due")
  func crossings() async throws {
    let test = try await makeStore()
    let store = test.store
    try await withThrowingTaskGroup { group in
      for task in 1...12 as ClosedRange<UInt64> {
        group.addTask {
          for number in 1...PaymentRaceTests.accounts {
            let (id, request) = (AccountID(number), RequestID(high: 1, low: task))
            switch task % 3 {
            case 0: _ = try await store.debit(3, from: id, request: request)
            case 1: _ = try await store.debit([Debit(3, from: id, request: request)])
            default: _ = try await store.hold(3, on: id, for: .seconds(600), request: request)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try count(store)[.due] == Int(PaymentRaceTests.accounts))
    for number in 1...PaymentRaceTests.accounts {
      let account = try store.account(AccountID(number))
      #expect(account?.balance.available == 24)
      #expect(account?.charges.map(\.credits) == [25])
    }
    // What is sent is what it takes by then.
    let gateway = ScriptedGateway()
    try await RefillWorker(store: store, gateway: gateway).work()
    #expect(gateway.taken.count == Int(PaymentRaceTests.accounts))
    #expect(gateway.total == Int64(PaymentRaceTests.accounts) * 2_00)
    try await expectPaid(store, gateway)
    try await store.close()
  }

  @Test("20: of capture, release and deadline at once one wins, and all are told how the hold ended")
  func endsOfHolds() async throws {
    let test = try TestStore()
    let holds: UInt64 = isSanitized ? 100 : 600
    try await test.fill(1...1, Amount(integerLiteral: Int64(holds) * 10))
    let (store, id) = (test.store, AccountID(1))
    var captured: [HoldOutcome.Cause: Int] = [:]
    for number in 1...holds {
      let end: Hold.End = number % 2 == 0 ? .release : .capture
      let hold = try await store.hold(
        10, on: id, for: .seconds(60), atDeadline: end, request: RequestID(high: 7, low: number))
      let outcomes = try await withThrowingTaskGroup(of: HoldOutcome?.self) { group in
        var enders: [@Sendable () async throws -> HoldOutcome?] = [
          { try await store.capture(hold, amount: 4) }, { try await store.release(hold) },
          {
            test.clock.advance(by: .seconds(60))
            try await store.tick()
            return nil
          },
        ]
        enders.shuffle()
        for ender in enders { group.addTask { try await ender() } }
        return try await group.reduce(into: [HoldOutcome]()) { if let outcome = $1 { $0.append(outcome) } }
      }
      #expect(outcomes.count == 2)
      #expect(Set(outcomes.map(\.receipt.sequence)).count == 1)
      #expect(Set(outcomes.map(\.cause)).count == 1)
      // The winner among the callers is the one who is told for the first time; the deadline tells nobody.
      let winners = outcomes.count { !$0.receipt.isReplay }
      #expect(winners == (outcomes[0].cause == .deadline ? 0 : 1))
      let amount = outcomes[0].receipt.amount
      #expect(outcomes[0].cause == .caller ? [0, 4].contains(amount) : amount == (end == .capture ? 10 : 0))
      captured[outcomes[0].cause, default: 0] += 1
    }
    let counts = try count(store)
    #expect(counts[.captured, default: 0] + counts[.released, default: 0] == Int(holds))
    #expect(captured.values.reduce(0, +) == Int(holds))
    let account = try #require(try store.account(id))
    #expect(account.balance.held == 0)
    #expect(account.granted == account.spent + account.balance.available)
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }

  // An end of a hold that came after the deadline, but before anything else had noticed it, was told that it had won.
  @Test("20: who ends a hold after its deadline is told of the deadline, also where nobody has noticed it before")
  func lateEnds() async throws {
    let test = try TestStore()
    try await test.fill(1...1, 100)
    let (store, id) = (test.store, AccountID(1))
    for (number, end) in [Hold.End.release, .capture, .release, .capture].enumerated() {
      let hold = try await store.hold(
        10, on: id, for: .seconds(60), atDeadline: end, request: RequestID(high: 8, low: UInt64(number)))
      test.clock.advance(by: .seconds(60))
      let outcome = number < 2 ? try await store.capture(hold, amount: 4) : try await store.release(hold)
      #expect(outcome.cause == .deadline)
      #expect(outcome.receipt.isReplay)
      #expect(outcome.captured == (end == .capture ? 10 : 0))
      #expect(outcome.excess == nil)
    }
    #expect(try store.balance(of: id)?.available == 80)
    try await store.close()
  }

  @Test("32: notices from several tasks, twice, late and out of order, beside two workers: credited once")
  func notices() async throws {
    let test = try await makeStore()
    let store = test.store
    let troubles = Tally()
    let gateway = ScriptedGateway(
      notices: NoticeScript(seed: 5, copies: 1...3, lateness: 0...20),
      notify: { key, outcome in
        await withTaskGroup { group in
          for _ in 1...3 {
            group.addTask {
              do throws(StoreError) { try await store.report(outcome, ofChargeWithKey: key) } catch { troubles.add() }
            }
          }
        }
      },
      script: { _, call in
        switch call % 5 {
        case 0: .chargeAndFail
        case 1: .chargeAndDelay(.milliseconds(1))
        case 2: .needAction("https://bank.example")
        case 3: .process
        default: .succeed
        }
      })
    for number in 1...PaymentRaceTests.accounts {
      let card = try #require(try store.account(AccountID(number))?.methods.first)
      for order in 1...5 as ClosedRange<UInt64> {
        try await store.purchase(
          .credits(25), for: AccountID(number), with: card, request: RequestID(high: 2, low: order))
      }
    }
    try await withThrowingTaskGroup { group in
      for _ in 1...2 {
        group.addTask { _ = try await RefillWorker(store: store, gateway: gateway).work() }
      }
      group.addTask {
        // The customers do what their banks want while the workers go on.
        while gateway.taken.count + gateway.pending.count < Int(PaymentRaceTests.accounts) * 5 {
          for key in gateway.pending { gateway.settle(key) }
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    for key in gateway.pending { gateway.settle(key) }
    await gateway.deliverNotices()
    // What nobody was told of is asked for again.
    for _ in 1...3 {
      test.clock.advance(by: .seconds(600))
      try await RefillWorker(store: store, gateway: gateway).work()
    }
    #expect(troubles.count == 0)
    #expect(gateway.taken.count == Int(PaymentRaceTests.accounts) * 5)
    #expect(try count(store)[.credited] == Int(PaymentRaceTests.accounts) * 5)
    for number in 1...PaymentRaceTests.accounts {
      #expect(try store.balance(of: AccountID(number))?.available == 185)
    }
    try await expectPaid(store, gateway)
    try await store.close()
  }

  @Test("27: refill that is switched on and off while the worker runs: what was paid is credited, and off is off")
  func switching() async throws {
    let test = try await makeStore()
    let store = test.store
    let gateway = ScriptedGateway(script: { _, call in
      call % 4 == 0 ? .chargeAndDelay(.milliseconds(1)) : call % 7 == 0 ? .chargeAndFail : .succeed
    })
    let worker = RefillWorker(store: store, gateway: gateway, interval: .milliseconds(5))
    let running = Task { try await worker.run() }
    try await withThrowingTaskGroup { group in
      for task in 1...8 as ClosedRange<UInt64> {
        group.addTask {
          var dice = Dice(task)
          for step in 1...(isSanitized ? 40 : 200) as ClosedRange<UInt64> {
            let number = UInt64(dice.roll(1...Int(PaymentRaceTests.accounts)))
            let (id, request) = (AccountID(number), RequestID(high: task << 32, low: step))
            switch dice.roll(1...4) {
            case 1: try await store.setAutoRefill(.off, for: id, request: request)
            case 2:
              let card = try #require(try store.account(id)?.methods.first)
              try await store.setAutoRefill(refill(card), for: id, request: request)
            default: _ = try await store.debit(12, from: id, request: request)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    for number in 1...PaymentRaceTests.accounts {
      try await store.setAutoRefill(.off, for: AccountID(number), request: "off")
    }
    running.cancel()
    _ = await running.result
    let calls = Set(gateway.orders.keys)
    for _ in 1...5 {
      test.clock.advance(by: .seconds(600))
      try await worker.work()
    }
    // Nothing new was sent; what had been sent was settled.
    #expect(Set(gateway.orders.keys) == calls)
    #expect(!gateway.taken.isEmpty)
    try await expectPaid(store, gateway)
    try await store.close()
  }
}
