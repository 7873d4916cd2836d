import CreditsTesting
import Testing

@testable import Credits

@Suite("Cases 30 to 35: charges and what becomes of them")
struct ChargeCaseTests {
  private let fixture = StoreFixture()

  /// A store whose account has a refill due.
  private func due() async throws -> (CreditStore, AccountID) {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    return (store, alice)
  }

  @Test("Case 30: charged at the gateway, then a crash before crediting: the same key again, credited once")
  func crashAfterCharge() async throws {
    var (store, alice) = try await due()
    // The answer of the provider never comes: the store is closed while the call is on its way.
    let gateway = ScriptedGateway([.chargeAndDelay(.seconds(3_600))])
    let worker = store.worker(gateway)
    let work = Task { try await worker.work() }
    while gateway.taken.isEmpty { await Task.yield() }
    let crashed = fixture.place.place("crashed")
    try await store.backup(to: crashed)
    work.cancel()
    try await store.close()
    #expect(gateway.total == 20_00)
    store = try CreditStore.open(at: crashed, settings: fixture.settings)
    #expect(try store.refillState(of: alice) == "charging" && store.available(alice) == 99)
    try await store.resumeCharges()
    for _ in 0..<3 {
      try await store.worker(gateway).work()
      #expect(try store.available(alice) == 599)
      try await store.close()
      store = try CreditStore.open(at: crashed, settings: fixture.settings)
    }
    #expect(gateway.taken.count == 1 && gateway.chargedTwice.isEmpty && gateway.orders.count == 1)
    #expect(try await store.steps(of: alice) == [.due, .charging, .credited])
    try await store.close()
  }

  @Test("Case 30: a crash before the gateway was reached: the same key is sent after the restart")
  func crashBeforeCharge() async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([.fail])
    try await store.worker(gateway).work()
    let key = try #require(gateway.orders.keys.first)
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    #expect(gateway.taken.map(\.key) == [key] && gateway.orders.count == 1)
    #expect(try store.available(alice) == 599)
    try await store.close()
  }

  @Test("Case 31: a time-out is unknown: no new episode, no new key, asked again later, and later")
  func timeOut() async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([.hang(.seconds(3_600)), .hang(.seconds(3_600)), .chargeAndFail])
    try await store.worker(gateway, timeout: .milliseconds(20)).work()
    #expect(try store.refillState(of: alice) == "unknown")
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1, "not before its time")
    _ = try await store.debit(50, from: alice, request: "2")
    #expect(try store.account(alice)?.charges.count == 1)
    for (pause, calls) in [(10, 2), (60, 3)] {
      store = try await fixture.reopen(store)
      fixture.clock.advance(by: .seconds(pause) - .microseconds(1))
      try await store.worker(gateway, timeout: .milliseconds(20)).work()
      #expect(gateway.calls == calls - 1)
      fixture.clock.advance(by: .microseconds(1))
      try await store.worker(gateway, timeout: .milliseconds(20)).work()
      #expect(gateway.calls == calls && gateway.orders.count == 1)
    }
    fixture.clock.advance(by: .seconds(300))
    try await store.worker(gateway).work()
    #expect(gateway.total == 20_00 && gateway.taken.count == 1)
    #expect(try store.available(alice) == 549)
    #expect(
      try await store.steps(of: alice) == [.due, .charging, .unsettled, .unsettled, .unsettled, .credited])
    try await store.close()
  }

  @Test(
    "Case 31: past the gateway's memory of keys a charge is looked up, never resent blindly", arguments: [true, false])
  func memory(_ wasCharged: Bool) async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([wasCharged ? .chargeAndFail : .fail], keyMemory: .seconds(3_600))
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1)
    gateway.forgetKeys()
    fixture.clock.advance(by: .seconds(3_600))
    store = try await fixture.reopen(store)
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1 && gateway.lookUps == 1 && gateway.chargedTwice.isEmpty)
    if wasCharged {
      #expect(try store.available(alice) == 599)
      #expect(try await store.steps(of: alice).last == .credited)
    } else {
      // Looked up and never charged: the episode is over, and a new one, with a key of its own, begins.
      #expect(try await store.steps(of: alice).suffix(2) == [.cancelled, .due])
      #expect(try await store.latest(.cancelled, of: alice)?.cause == "never charged")
      try await store.worker(gateway).work()
      #expect(gateway.taken.count == 1 && gateway.orders.count == 2)
    }
    try await store.close()
  }

  @Test("Case 31: while keys are remembered, that a look-up finds nothing is no answer")
  func lookUpTooEarly() async throws {
    let (store, alice) = try await due()
    let gateway = ScriptedGateway([.process])
    try await store.worker(gateway).work()
    #expect(try store.refillState(of: alice) == "processing")
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1 && gateway.lookUps == 1, "what the provider works on is not sent again")
    let key = try #require(gateway.orders.keys.first)
    gateway.settle(key)
    fixture.clock.advance(by: .seconds(60))
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 599)
    try await store.close()
  }

  @Test("Case 32: success told twice, before the reply, out of order: the first match credits, also over a reopening")
  func toldTwice() async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([.chargeAndFail])
    try await store.worker(gateway).work()
    let key = try #require(gateway.orders.keys.first)
    let success = ChargeOutcome.succeeded(reference: "ch-1", price: Money(20_00, .usd))
    for round in 0..<3 {
      try await store.report(success, ofChargeWithKey: key)
      try await store.report(.processing, ofChargeWithKey: key)
      try await store.report(.declined(reason: "late"), ofChargeWithKey: key)
      try await store.report(.needsAction(link: "late"), ofChargeWithKey: key)
      fixture.clock.advance(by: .seconds(60))
      try await store.worker(gateway).work()
      #expect(try store.available(alice) == 599, "round \(round)")
      store = try await fixture.reopen(store)
    }
    #expect(try await store.steps(of: alice) == [.due, .charging, .unsettled, .credited])
    try await store.close()
  }

  @Test("Case 32: many notices and the reply at once: credited once")
  func atOnce() async throws {
    let (store, alice) = try await due()
    let gateway = ScriptedGateway()
    let key = try #require(try await store.key(ofCharge: 1, of: alice))
    let worker = store.worker(gateway)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await worker.work() }
      for _ in 0..<16 {
        group.addTask {
          try await store.report(.succeeded(reference: "r", price: Money(20_00, .usd)), ofChargeWithKey: key)
        }
      }
      try await group.waitForAll()
    }
    #expect(try store.available(alice) == 599)
    #expect(try await store.history(of: alice).entries.filter { $0.kind == .credited }.count == 1)
    try await store.close()
  }

  @Test("Case 32: another amount credits nothing and is raised; the right one credits")
  func mismatch() async throws {
    var (store, alice) = try await due()
    try await store.addConsumer("support")
    let gateway = ScriptedGateway([.chargeOther(Money(19_99, .usd))])
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 99 && store.refillState(of: alice) == "mismatched")
    var events = store.events(for: "support", of: [.mismatched]).makeAsyncIterator()
    let event = try #require(try await events.next())
    #expect(event.money == Money(19_99, .usd) && event.charge == 1 && event.account == alice)
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(86_400))
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1 && gateway.lookUps == 0, "somebody has to look at it")
    let key = try #require(gateway.orders.keys.first)
    try await store.report(.succeeded(reference: "r", price: Money(19_99, .usd)), ofChargeWithKey: key)
    #expect(try await store.steps(of: alice) == [.due, .charging, .mismatched])
    try await store.report(.succeeded(reference: "r", price: Money(20_00, .usd)), ofChargeWithKey: key)
    #expect(try store.available(alice) == 599)
    try await store.close()
  }

  @Test("Case 33: declines pause longer each time, over restarts, and then wait for a person")
  func declines() async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway(script: { (_, call) in call < 4 ? .decline("no funds") : .succeed })
    for (number, pause) in [3_600, 6 * 3_600, 24 * 3_600].enumerated() {
      try await store.worker(gateway).work()
      #expect(gateway.calls == number + 1)
      let until = fixture.clock.now + .seconds(pause)
      #expect(try store.refillState(of: alice) == "cooling down until \(until)")
      store = try await fixture.reopen(store)
      fixture.clock.now = until - .microseconds(1)
      try await store.tick()
      try await store.worker(gateway).work()
      #expect(gateway.calls == number + 1)
      fixture.clock.now = until
      try await store.tick()
    }
    try await store.worker(gateway).work()
    #expect(gateway.calls == 4 && gateway.orders.count == 4)
    #expect(try store.refillState(of: alice) == "suspended because declined")
    #expect(try store.account(alice)?.refill.declines == 4)
    // The passing of time alone changes nothing, nor does another crossing.
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(10_000_000))
    try await store.tick()
    try await store.grant(100, to: alice, source: .promotion("p"), request: "g")
    _ = try await store.debit(150, from: alice, request: "2")
    try await store.worker(gateway).work()
    #expect(gateway.calls == 4)
    #expect(try store.refillState(of: alice) == "suspended because declined")
    try await store.close()
  }

  @Test(
    "Case 33: a new card, a purchase that is paid, or somebody by hand re-arms what declines have stopped",
    arguments: ["new payment method", "purchase paid", "by hand"])
  func rearmed(_ cause: String) async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway(script: { (order, call) in
      call < 4 || call == 4 && cause == "purchase paid" && order.charge.kind == .refill ? .decline("no") : .succeed
    })
    for _ in 0..<4 {
      try await store.worker(gateway).work()
      fixture.clock.advance(by: .seconds(86_400))
      try await store.tick()
    }
    #expect(try store.refillState(of: alice) == "suspended because declined")
    store = try await fixture.reopen(store)
    switch cause {
    case "new payment method": try await store.savePaymentMethod(StoreFixture.card, for: alice, request: "new")
    case "by hand": try await store.resumeAutoRefill(for: alice, reason: "called", request: "hand")
    default:
      let card = try #require(try store.account(alice)).methods[0]
      try await store.purchase(.money(Money(1_00, .usd)), for: alice, with: card, request: "buy")
      #expect(try store.refillState(of: alice) == "suspended because declined", "not settled yet")
      _ = try await store.debit(50, from: alice, request: "2")
      try await store.worker(gateway).work()
    }
    #expect(try await store.latest(.rearmed, of: alice)?.cause == cause)
    #expect(try store.refillState(of: alice) == "due" && store.account(alice)?.refill.declines == 0)
    store = try await fixture.reopen(store)
    try await store.worker(gateway).work()
    #expect(try await store.latest(.credited, of: alice)?.amount == 500)
    #expect(try store.refillState(of: alice) == "armed")
    try await store.close()
  }

  @Test("Case 34: the bank asks for action: one notice, no loop, and it settles either way", arguments: [true, false])
  func action(_ isDone: Bool) async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([.needAction("https://bank.example/3ds")])
    try await store.worker(gateway).work()
    #expect(try store.refillState(of: alice) == "needs action")
    #expect(try await store.latest(.needsAction, of: alice)?.link == "https://bank.example/3ds")
    for _ in 0..<5 {
      store = try await fixture.reopen(store)
      fixture.clock.advance(by: .seconds(6 * 3_600))
      try await store.worker(gateway).work()
      #expect(try store.refillState(of: alice) == "needs action")
    }
    #expect(gateway.calls == 1 && gateway.lookUps == 5, "it is looked up, not charged again")
    #expect(try await store.history(of: alice).entries.filter { $0.kind == .needsAction }.count == 1)
    let key = try #require(gateway.orders.keys.first)
    if isDone { gateway.settle(key) } else { gateway.refuse(key, reason: "not authenticated") }
    fixture.clock.advance(by: .seconds(6 * 3_600))
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == (isDone ? 599 : 99))
    #expect(try await store.steps(of: alice).last == (isDone ? .credited : .declined))
    #expect(gateway.calls == 1)
    try await store.close()
  }

  @Test("Case 35: disputed after crediting: no clawback, an event, auto-refill stops, and the account can be frozen")
  func dispute() async throws {
    var (store, alice) = try await due()
    try await store.addConsumer("support")
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 599)
    try await store.dispute(charge: 1, of: alice, reason: "not me", request: "dispute")
    #expect(try store.available(alice) == 599, "no clawback")
    #expect(try store.refillState(of: alice) == "suspended because disputed")
    store = try await fixture.reopen(store)
    var events = store.events(for: "support", of: [.disputed]).makeAsyncIterator()
    let event = try #require(try await events.next())
    #expect(event.charge == 1 && event.text == "not me" && event.account == alice)
    // Neither a crossing, nor time, nor a new card lets it go on.
    _ = try await store.debit(599, from: alice, request: "2")
    fixture.clock.advance(by: .seconds(10_000_000))
    try await store.tick()
    let card = try #require(try store.account(alice)).methods[0]
    try await store.removePaymentMethod(card, of: alice, request: "remove")
    try await store.savePaymentMethod(StoreFixture.card, for: alice, request: "new")
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1)
    #expect(try store.refillState(of: alice) == "suspended because disputed")
    try await store.freeze(alice, reason: "dispute", request: "freeze")
    try await store.grant(10, to: alice, source: .promotion("p"), request: "g")
    #expect(try await store.debit(1, from: alice, request: "3").denial?.reason == .frozen)
    try await store.unfreeze(alice, request: "unfreeze")
    try await store.resumeAutoRefill(for: alice, reason: "settled", request: "resume")
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 510)
    try await store.close()
  }

  @Test("Case 35: a success after a decline is credited: what the card has paid for always is")
  func lateSuccess() async throws {
    var (store, alice) = try await due()
    let gateway = ScriptedGateway([.decline("no funds")])
    try await store.worker(gateway).work()
    let key = try #require(gateway.orders.keys.first)
    store = try await fixture.reopen(store)
    for _ in 0..<2 {
      try await store.report(.succeeded(reference: "late", price: Money(20_00, .usd)), ofChargeWithKey: key)
      #expect(try store.available(alice) == 599)
      store = try await fixture.reopen(store)
    }
    #expect(try store.account(alice)?.refill.charged == Money(20_00, .usd), "and it counts against the cap")
    try await store.close()
  }
}
