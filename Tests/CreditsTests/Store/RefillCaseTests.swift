import Credits
import CreditsTesting
import Testing

@Suite("Cases 23 to 29: thresholds, caps, switches")
struct RefillCaseTests {
  private let fixture = StoreFixture()

  @Test("Case 23: many callers cross the threshold at once: one episode, one charge", arguments: 0..<4)
  func crossing(_ round: Int) async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<UInt64(32) {
        group.addTask { _ = try await store.debit(4, from: alice, request: RequestID(number + 1)) }
      }
      try await group.waitForAll()
    }
    #expect(try store.available(alice) == 22)
    #expect(try await store.steps(of: alice) == [.due])
    let gateway = ScriptedGateway()
    let worker = store.worker(gateway)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try await worker.work() } }
      try await group.waitForAll()
    }
    #expect(gateway.total == 20_00 && gateway.calls == 1)
    #expect(try await store.steps(of: alice) == [.due, .charging, .credited])
    #expect(try store.available(alice) == 522)
    try await store.close()
  }

  @Test("Case 23: crossed again while a refill is open: no second one; when it closes, the level is looked at again")
  func again() async throws {
    var (store, alice) = try await fixture.openWithRefill(600, below: 550)
    _ = try await store.debit(60, from: alice, request: "1")
    let gateway = ScriptedGateway([.chargeAndFail])
    try await store.worker(gateway).work()
    _ = try await store.debit(540, from: alice, request: "2")
    store = try await fixture.reopen(store)
    #expect(try await store.steps(of: alice) == [.due, .charging, .unsettled], "no second episode")
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    #expect(try await store.steps(of: alice).suffix(2) == [.credited, .due])
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 1_000 && gateway.taken.count == 2 && gateway.chargedTwice.isEmpty)
    #expect(try store.refillState(of: alice) == "armed")
    try await store.close()
  }

  @Test(
    "Case 24: one debit that jumps far below buys enough whole packs to end at or above the threshold, in one charge")
  func jump() async throws {
    let (store, alice) = try await fixture.openWithRefill(2_000, below: 1_100)
    _ = try await store.debit(1_995, from: alice, request: "1")
    let due = try #require(try await store.latest(.due, of: alice))
    #expect(due.amount == 1_500 && due.money == Money(60_00, .usd))
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(gateway.taken.map(\.money) == [Money(60_00, .usd)] && gateway.calls == 1)
    #expect(try store.available(alice) == 1_505 && store.refillState(of: alice) == "armed")
    try await store.close()
  }

  @Test("Case 24: never one charge for each debit, however many come before the refill")
  func manyDebits() async throws {
    let (store, alice) = try await fixture.openWithRefill(1_000, below: 900)
    for number in UInt64(1)...100 { _ = try await store.debit(10, from: alice, request: RequestID(number)) }
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1 && gateway.total == 40_00, "looked at once more: two packs, not one")
    #expect(try store.available(alice) == 1_000)
    try await store.close()
  }

  @Test("Case 24: a refill is no larger than the cap allows")
  func withinCap() async throws {
    let (store, alice) = try await fixture.openWithRefill(2_000, below: 1_100, atMost: 45_00)
    _ = try await store.debit(2_000, from: alice, request: "1")
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(gateway.total == 40_00)
    #expect(try store.available(alice) == 1_000)
    #expect(try await store.steps(of: alice) == [.due, .charging, .credited, .capped])
    try await store.close()
  }

  @Test(
    "Case 25: the balance rises by a purchase, a grant or a renewal before the charge: it is closed as not needed",
    arguments: 0..<3)
  func notNeeded(_ how: Int) async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    if how == 2 {
      try await store.subscribe(
        alice, to: Plan("p", allowance: 60, per: .day), anchor: fixture.clock.now + .seconds(60), request: "plan")
    }
    _ = try await store.debit(51, from: alice, request: "1")
    #expect(try store.refillState(of: alice) == "due")
    let gateway = ScriptedGateway()
    switch how {
    case 0:
      let card = try #require(try store.account(alice)).methods[0]
      let purchase = try await store.purchase(.credits(25), for: alice, with: card, request: "buy")
      try await store.report(.succeeded(reference: "r", price: Money(1_00, .usd)), ofChargeWithKey: purchase.key)
    case 1: try await store.grant(1, to: alice, source: .promotion("p"), request: "g")
    default:
      fixture.clock.advance(by: .seconds(60))
      try await store.tick()
    }
    store = try await fixture.reopen(store)
    try await store.worker(gateway).work()
    #expect(gateway.calls == 0)
    #expect(try await store.latest(.cancelled, of: alice)?.cause == "not needed")
    #expect(try store.refillState(of: alice) == "armed")
    _ = try await store.debit(try #require(try store.available(alice)), from: alice, request: "2")
    #expect(try store.refillState(of: alice) == "due", "the next crossing fires again")
    try await store.close()
  }

  @Test("Case 26: at the cap nothing is charged, one event tells it, and the next period lets it go on")
  func cap() async throws {
    var (store, alice) = try await fixture.openWithRefill(150, atMost: 30_00)
    let gateway = ScriptedGateway()
    _ = try await store.debit(51, from: alice, request: "1")
    try await store.worker(gateway).work()
    #expect(try store.account(alice)?.refill.charged == Money(20_00, .usd))
    _ = try await store.debit(500, from: alice, request: "2")
    #expect(try store.refillState(of: alice) == "capped until 2023-12-14T22:13:20Z")
    // Up and down again, in the same period: no further event.
    try await store.grant(100, to: alice, source: .promotion("p"), request: "g")
    _ = try await store.debit(120, from: alice, request: "3")
    store = try await fixture.reopen(store)
    try await store.worker(gateway).work()
    #expect(gateway.total == 20_00)
    #expect(try await store.steps(of: alice) == [.due, .charging, .credited, .capped])
    fixture.clock.now = try #require(Timestamp("2023-12-14T22:13:20Z"))
    try await store.tick()
    #expect(try await store.steps(of: alice).suffix(2) == [.rearmed, .due])
    try await store.worker(gateway).work()
    #expect(gateway.total == 40_00)
    #expect(try store.account(alice)?.refill.charged == Money(20_00, .usd), "of the new period")
    try await store.close()
  }

  @Test("Case 26: what is charging counts, though its outcome is not known")
  func capInFlight() async throws {
    var (store, alice) = try await fixture.openWithRefill(150, atMost: 39_99)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.fail])
    try await store.worker(gateway).work()
    #expect(try store.account(alice)?.refill.charged == Money(20_00, .usd))
    let card = try #require(try store.account(alice)).methods[0]
    // Switched off and on: the charge under way still counts, so there is no room for a second pack.
    try await store.setAutoRefill(.off, for: alice, request: "off")
    try await store.setAutoRefill(StoreFixture.refill(atMost: 39_99, with: card), for: alice, request: "on")
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 599)
    _ = try await store.debit(599, from: alice, request: "2")
    try await store.worker(gateway).work()
    #expect(gateway.total == 20_00)
    #expect(try await store.steps(of: alice).last == .capped)
    try await store.close()
  }

  /// What ends, or changes, auto-refill.
  enum Change: CaseIterable { case off, otherTerms, otherCard, removal, freeze, close }

  private func make(_ change: Change, _ store: CreditStore, _ alice: AccountID) async throws {
    let card = try #require(try store.account(alice)).methods[0]
    switch change {
    case .off: try await store.setAutoRefill(.off, for: alice, request: "change")
    case .otherTerms:
      try await store.setAutoRefill(
        StoreFixture.refill(below: 120, atMost: 20_00, with: card), for: alice, request: "change")
    case .otherCard:
      let other = PaymentMethod(token: "tok_2", brand: "visa", lastFour: "1111", expiryYear: 2031, expiryMonth: 1)
      try await store.savePaymentMethod(other, for: alice, request: "change")
    case .removal: try await store.removePaymentMethod(card, of: alice, request: "change")
    case .freeze: try await store.freeze(alice, request: "change")
    case .close: try await store.close(alice, request: "change")
    }
  }

  @Test("Case 27: a change before the charge cancels what is due", arguments: Change.allCases)
  func changedWhileDue(_ change: Change) async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    try await make(change, store, alice)
    let causes: [Change: String] = [.freeze: "frozen", .close: "closed"]
    let cancelled = try #require(try await store.latest(.cancelled, of: alice))
    #expect(cancelled.cause == causes[change] ?? "changed" && cancelled.charge == 1)
    store = try await fixture.reopen(store)
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    switch change {
    case .otherTerms, .otherCard:
      // On other terms, or with the other card, it comes due anew.
      #expect(gateway.taken.map(\.token) == [change == .otherCard ? "tok_2" : "tok_1"])
      #expect(gateway.taken.allSatisfy { $0.key.split(separator: "-")[3] == "2" })
    default: #expect(gateway.calls == 0)
    }
    let states: [Change: String] = [
      .off: "off", .otherTerms: "armed", .otherCard: "armed", .removal: "suspended because no method",
      .freeze: "armed", .close: "off",
    ]
    #expect(try store.refillState(of: alice) == states[change])
    try await store.close()
  }

  @Test(
    "Case 27: a change while charging: it completes on the terms it was opened with, and is credited",
    arguments: Change.allCases)
  func changedWhileCharging(_ change: Change) async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.chargeAndFail])
    try await store.worker(gateway).work()
    try await make(change, store, alice)
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    let credited = try #require(try await store.latest(.credited, of: alice))
    #expect(credited.amount == 500 && credited.money == Money(20_00, .usd) && credited.charge == 1)
    #expect(gateway.taken.map(\.token) == ["tok_1"] && gateway.chargedTwice.isEmpty)
    #expect(try store.available(alice) == (change == .close ? 500 : 599))
    if change == .close || change == .freeze {
      #expect(try await store.debit(1, from: alice, request: "2").denial != nil, "credited, and not to be spent")
    }
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 28: switched on, or the threshold raised, while already below: fires once, at once")
  func below() async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    let card = try #require(try store.account(alice)).methods[0]
    let receipt = try await store.setAutoRefill(
      StoreFixture.refill(below: 200, with: card), for: alice, request: "raised")
    let entries = try await store.history(of: alice, limit: 2).entries
    #expect(entries.map(\.kind) == [.due, .refillSet] && entries[1].sequence == receipt.sequence)
    #expect(entries[1].text == "terms of 2026", "the consent is kept")
    try await store.setAutoRefill(StoreFixture.refill(below: 200, with: card), for: alice, request: "raised")
    store = try await fixture.reopen(store)
    try await store.setAutoRefill(StoreFixture.refill(below: 200, with: card), for: alice, request: "raised")
    try await store.tick()
    #expect(try await store.steps(of: alice) == [.due])
    try await store.setAutoRefill(.off, for: alice, request: "off")
    try await store.setAutoRefill(StoreFixture.refill(below: 200, with: card), for: alice, request: "on")
    #expect(try await store.steps(of: alice) == [.due, .cancelled, .due])
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(gateway.calls == 1)
    try await store.close()
  }

  @Test("Case 29: an alert fires once per crossing and is re-armed only by rising to the level, over reopenings")
  func alerts() async throws {
    var (store, alice) = try await fixture.open(with: 100)
    try await store.setAlerts([50], for: alice, request: "alerts")
    var number: UInt64 = 0
    func move(_ amount: Amount) async throws -> Int {
      number += 1
      if amount > 0 {
        try await store.grant(amount, to: alice, source: .promotion("p"), request: RequestID(number))
      } else {
        _ = try await store.debit(0 - amount, from: alice, request: RequestID(number))
      }
      store = try await fixture.reopen(store)
      return try await store.history(of: alice).entries.filter { $0.kind == .alerted }.count
    }
    let rows: [(Amount, Int)] = [
      (-50, 0), (-0.000001, 1), (-10, 1), (10, 1), (-1, 1), (1.000001, 1), (-1, 2), (1, 2), (50, 2), (-50, 2), (-1, 3),
    ]
    for row in rows { #expect(try await move(row.0) == row.1, "after \(row.0)") }
    try await store.close()
  }
}
