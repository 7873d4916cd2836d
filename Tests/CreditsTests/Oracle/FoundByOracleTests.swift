import CreditsTesting
import Testing

@testable import Credits

/// What random runs against the reference ledger have found, each in its shortest form.
@Suite("Found by the oracle")
struct FoundByOracleTests {
  let fixture = StoreFixture()

  @Test("6, 18: usage that costs nothing can be held, captured, and survives a restart")
  func freeHold() async throws {
    // A hold of nothing looked for its credits in grant 0, and the process trapped.
    var (store, alice) = try await fixture.open(with: 10)
    try await store.publish(PriceBook("book", features: [PriceBook.Feature("free")]))
    let hold = try await store.hold(for: Usage("free"), on: alice, lasting: .seconds(60), request: "hold")
    #expect(hold.amount == 0)
    try await store.close()
    store = try fixture.open()
    #expect(try store.account(alice)?.holds.map(\.amount) == [0])
    let outcome = try await store.capture(hold, amount: 4)
    #expect(outcome.captured == 4)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("20: whoever ends a hold after its deadline is told that the deadline did", arguments: Hold.End.allCases)
  func endedByDeadline(_ end: Hold.End) async throws {
    // The deadline came in the very draft that was to end the hold, and was told as the caller's doing.
    let (store, alice) = try await fixture.open(with: 10)
    let hold = try await store.hold(6, on: alice, for: .seconds(60), atDeadline: end, request: "hold")
    fixture.clock.now = hold.deadline
    let outcome = end == .release ? try await store.capture(hold, amount: 0) : try await store.release(hold)
    #expect(outcome.cause == .deadline)
    #expect(outcome.captured == (end == .release ? 0 : 6))
    try await store.close()
  }

  @Test("2: ending a plan at once is repeatable, though credits expired with it")
  func endOfPlanAgain() async throws {
    // What expired with the plan was taken for other contents, and the repetition for a conflict.
    let (store, alice) = try await fixture.open(with: 10)
    try await store.subscribe(alice, to: Plan("pro", allowance: 5, per: .month), request: "plan")
    let first = try await store.unsubscribe(alice, atOnce: true, request: "end")
    #expect(first.amount == 5)
    let second = try await store.unsubscribe(alice, atOnce: true, request: "end")
    #expect(second.isReplay && second.sequence == first.sequence)
    try await store.close()
  }

  @Test("15: a plan that is changed before its anchor still begins there")
  func changeBeforeAnchor() async throws {
    // It began at once, though the anchor of the present plan was to stay.
    let (store, alice) = try await fixture.open(with: 10)
    let anchor = StoreFixture.start + .seconds(1_000)
    try await store.subscribe(alice, to: Plan("free", allowance: 5, per: .month), anchor: anchor, request: "free")
    try await store.subscribe(alice, to: Plan("pro", allowance: 7, per: .month), request: "pro")
    #expect(try store.balance(of: alice)?.available == 10)
    fixture.clock.now = anchor
    #expect(try store.balance(of: alice)?.available == 17)
    try await store.close()
  }

  @Test("2, 9: usage that no entry has room for is denied once, and again, for the reason that a quote names")
  func unnamedFeature() async throws {
    // The repetition was told as a conflict, and the quote named another reason.
    let (store, alice) = try await fixture.open(with: 10)
    let usage = Usage("", units: 3)
    let first = try await store.debit(for: usage, from: alice, request: "usage").denial
    let second = try await store.debit(for: usage, from: alice, request: "usage").denial
    #expect(first?.reason == .unknownFeature && second?.reason == .unknownFeature)
    #expect(second?.isReplay == true && first?.sequence == second?.sequence)
    #expect(try await store.debit(1, from: alice, request: "usage").denial?.sequence == nil)
    #expect(await refusal { () async throws(StoreError) in _ = try store.quote(for: usage) } == .unknownFeature)
    try await store.close()
  }

  @Test("34: an address of any length from the bank leaves a store that can be opened", arguments: [255, 300, 3_000])
  func longAddress(_ length: Int) async throws {
    // Texts of the payment provider were not cut: a long one was written, and could not be read again.
    var (store, alice) = try await fixture.open(with: 10)
    let card = try await store.savePaymentMethod(.card, for: alice, request: "card")
    let purchase = try await store.purchase(.pack(500), for: alice, with: card, request: "buy")
    let link = String(repeating: "a", count: length)
    _ = try await RefillWorker(store: store, gateway: ScriptedGateway([.needAction(link)])).work()
    try await store.close()
    store = try fixture.open()
    let entry = try await store.history(of: alice).entries.first
    #expect(entry?.kind == .needsAction && entry?.link == (length <= 2_048 ? link : nil))
    try await store.report(.succeeded(reference: link, price: purchase.pack.price), ofChargeWithKey: purchase.key)
    #expect(try await store.verify().problem == nil)
    #expect(try store.balance(of: alice)?.available == 510)
    try await store.close()
  }

  @Test("40: the entry of a close tells what was available before it, though more was held; it is repeatable")
  func closedWithHold() async throws {
    // What was held was told as available.
    let (store, alice) = try await fixture.open(with: 10)
    _ = try await store.hold(6, on: alice, for: .seconds(60), request: "hold")
    let first = try await store.close(alice, reason: "gone", request: "close")
    let entry = try await store.history(of: alice).entries.first
    #expect(entry?.kind == .closed && entry?.amount == 10 && entry?.availableBefore == 4 && entry?.available == 0)
    #expect(try await store.close(alice, reason: "gone", request: "close").isReplay)
    #expect(try await store.close(alice, reason: "gone", request: "close").sequence == first.sequence)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("35: after a dispute, a new card does not let auto-refill go on; a person does")
  func disputeOutlastsCard() async throws {
    // That the card was removed took the place of the dispute, and a new card was enough to go on.
    let (store, alice) = try await fixture.open(with: 10)
    let card = try await store.savePaymentMethod(.card, for: alice, request: "card")
    try await store.setAutoRefill(.refill(below: 100, with: card), for: alice, request: "on")
    let worker = RefillWorker(store: store, gateway: ScriptedGateway())
    #expect(try await worker.work() == 1)
    try await store.dispute(charge: 1, of: alice, reason: "stolen", request: "dispute")
    try await store.removePaymentMethod(card, of: alice, request: "remove")
    try await store.savePaymentMethod(.card, for: alice, request: "other")
    #expect(try store.account(alice)?.refill.state == .suspended(.disputed))
    try await store.resumeAutoRefill(for: alice, request: "resume")
    #expect(try store.account(alice)?.refill.state == .armed)
    try await store.close()
  }
}

extension PaymentMethod {
  static let card = PaymentMethod(token: "tok", brand: "visa", lastFour: "4242", expiryYear: 2030, expiryMonth: 1)
}

extension AutoRefill {
  /// The pack of 500 credits for 20 dollars, at most 50 dollars a month.
  static func refill(below threshold: Amount, with card: PaymentMethod, per period: Period = .month) -> AutoRefill {
    .on(below: threshold, buy: .pack(500), atMost: Money(50_00, .usd), per: period, with: card)
  }
}

/// What counts for the cap, where money and books come together in an unusual order.
@Suite("Found by the oracle: what counts for the cap")
struct FoundByOracleCapTests {
  let fixture = StoreFixture()

  /// A store with an account whose auto-refill is on, and has its first refill due; and the charge's key.
  private func dueRefill() async throws -> (CreditStore, AccountID, PaymentMethod, String) {
    let (store, alice) = try await fixture.open(with: 10)
    let card = try await store.savePaymentMethod(.card, for: alice, request: "card")
    try await store.setAutoRefill(.refill(below: 100, with: card), for: alice, request: "on")
    return (store, alice, card, try #require(try await store.key(ofCharge: 1, of: alice)))
  }

  private func charged(_ store: CreditStore, _ account: AccountID) throws -> Int64 {
    try store.account(account)?.refill.charged?.minor ?? 0
  }

  @Test("26: what was charged is shown for the present period only")
  func presentPeriod() async throws {
    let (store, alice, _, _) = try await dueRefill()
    _ = try await RefillWorker(store: store, gateway: ScriptedGateway()).work()
    #expect(try charged(store, alice) == 20_00)
    fixture.clock.now = StoreFixture.start + .seconds(40 * 86_400)
    #expect(try charged(store, alice) == 0)
    try await store.close()
  }

  @Test("26, 38: a refill that the original of a copy has charged counts in the copy, too", arguments: [false, true])
  func paidWhileDue(_ isMismatched: Bool) async throws {
    // A charge that was paid though it was not sent from here did not count, and the cap was passed.
    let (store, alice, _, key) = try await dueRefill()
    if isMismatched {
      try await store.report(.succeeded(reference: "a", price: Money(1, .usd)), ofChargeWithKey: key)
      #expect(try charged(store, alice) == 20_00)
    }
    try await store.report(.succeeded(reference: "b", price: Money(20_00, .usd)), ofChargeWithKey: key)
    #expect(try charged(store, alice) == 20_00)
    #expect(try store.balance(of: alice)?.available == 510)
    try await store.close()
  }

  @Test("26, 32: a late success counts, though auto-refill was off when it came")
  func lateWhileOff() async throws {
    let (store, alice, card, key) = try await dueRefill()
    _ = try await RefillWorker(store: store, gateway: ScriptedGateway([.decline("no")])).work()
    try await store.setAutoRefill(.off, for: alice, request: "off")
    #expect(try charged(store, alice) == 0)
    try await store.report(.succeeded(reference: "b", price: Money(20_00, .usd)), ofChargeWithKey: key)
    try await store.setAutoRefill(.refill(below: 100, with: card), for: alice, request: "on again")
    #expect(try charged(store, alice) == 20_00)
    try await store.close()
  }

  @Test("26: what is under way at a change of the cap's period counts in the new one, until it is declined")
  func declinedAfterChange() async throws {
    let (store, alice, card, _) = try await dueRefill()
    let worker = RefillWorker(store: store, gateway: ScriptedGateway([.mumble, .decline("no")]))
    _ = try await worker.work()
    fixture.clock.now = StoreFixture.start + .seconds(30)
    try await store.setAutoRefill(.refill(below: 100, with: card, per: .week), for: alice, request: "weekly")
    #expect(try charged(store, alice) == 20_00)
    _ = try await worker.work()
    #expect(try charged(store, alice) == 0)
    try await store.close()
  }
}
