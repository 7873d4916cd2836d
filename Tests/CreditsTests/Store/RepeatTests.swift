import CreditsTesting
import Testing

@testable import Credits

@Suite("G2: every verb is executed once for a request")
struct RepeatTests {
  private let fixture = StoreFixture()

  private static let id: RequestID = "again"
  private static let day = Duration.seconds(86_400)
  private static func plan(_ allowance: Amount = 10, _ rollover: Amount = 0) -> Plan {
    Plan("pro", allowance: allowance, per: .month, rollover: rollover)
  }
  private static func card(_ token: String = "tok_9", _ brand: String = "visa") -> PaymentMethod {
    PaymentMethod(token: token, brand: brand, lastFour: "9999", expiryYear: 2031, expiryMonth: 1)
  }
  private static func first(_ store: CreditStore, _ alice: AccountID) throws(StoreError) -> PaymentMethod {
    guard let card = try store.account(alice)?.methods.first else { throw .invalidArgument("no card") }
    return card
  }
  private static func purchase(
    _ offer: Offer, _ store: CreditStore, _ alice: AccountID, second: Bool = false
  ) async throws(StoreError) -> String {
    var card = try first(store, alice)
    if second { card.number = 2 }
    let purchase = try await store.purchase(offer, for: alice, with: card, request: id)
    return "\(purchase.receipt.told) \(purchase.key) \(purchase.pack)"
  }

  /// A verb that changes something.
  enum Verb: String, CaseIterable, CustomTestStringConvertible {
    case grant = "grant"
    case debit = "debit"
    case deniedDebit = "denied debit"
    case debitForUsage = "debit for usage"
    case freeDebit = "free debit"
    case hold = "hold"
    case holdForUsage = "hold for usage"
    case freeze = "freeze"
    case unfreeze = "unfreeze"
    case close = "close"
    case subscribe = "subscribe"
    case unsubscribeAtTheEnd = "unsubscribe at the end"
    case unsubscribeAtOnce = "unsubscribe at once"
    case setAlerts = "set alerts"
    case correct = "correct"
    case setAutoRefill = "set auto-refill"
    case switchAutoRefillOff = "switch auto-refill off"
    case resumeAutoRefill = "resume auto-refill"
    case saveAPaymentMethod = "save a payment method"
    case removeAPaymentMethod = "remove a payment method"
    case purchase = "purchase"
    case dispute = "dispute"

    var testDescription: String { rawValue }
  }

  /// Calls a verb under the request `again`: as it is at first, or with other contents by a number from 1 on; answers
  /// what it says in words, nil where there are no more contents.
  private static func call(
    _ verb: Verb, _ number: Int, _ store: CreditStore, _ alice: AccountID
  ) async throws(StoreError) -> String? {
    switch (verb, number) {
    case (.grant, 0): return try await store.grant(5, to: alice, source: .promotion("p"), request: id).told
    case (.grant, 1): return try await store.grant(6, to: alice, source: .promotion("p"), request: id).told
    case (.grant, 2): return try await store.grant(5, to: alice, source: .promotion("q"), request: id).told
    case (.grant, 3):
      return try await store.grant(5, to: alice, source: .promotion("p"), expires: .latest, request: id).told
    case (.grant, 4): return try await store.grant(5, to: alice, source: .promotion("p"), priority: 1, request: id).told
    case (.debit, 0): return try await told(store.debit(5, from: alice, request: id))
    case (.debit, 1): return try await told(store.debit(6, from: alice, request: id))
    case (.debit, 2): return try await told(store.debit(5, from: alice, request: id, extent: .upTo))
    case (.debit, 3): return try await store.freeze(alice, request: id).told
    case (.deniedDebit, 0): return try await told(store.debit(5_000, from: alice, request: id))
    case (.deniedDebit, 1): return try await told(store.debit(5_001, from: alice, request: id))
    case (.deniedDebit, 2): return try await store.grant(5_000, to: alice, source: .allowance, request: id).told
    case (.debitForUsage, 0): return try await told(store.debit(for: Usage("image"), from: alice, request: id))
    case (.debitForUsage, 1): return try await told(store.debit(for: Usage("ping"), from: alice, request: id))
    case (.debitForUsage, 2): return try await told(store.debit(4, from: alice, request: id))
    case (.freeDebit, 0): return try await told(store.debit(for: Usage("ping"), from: alice, request: id))
    case (.freeDebit, 1): return try await told(store.debit(for: Usage("image"), from: alice, request: id))
    case (.hold, 0):
      let hold = try await store.hold(5, on: alice, for: day, request: id)
      return "\(hold.amount) \(hold.deadline) \(hold.end)"
    case (.hold, 1): return "\(try await store.hold(6, on: alice, for: day, request: id).amount)"
    case (.hold, 2): return "\(try await store.hold(5, on: alice, for: .seconds(60), request: id).amount)"
    case (.hold, 3): return "\(try await store.hold(5, on: alice, for: day, atDeadline: .capture, request: id).amount)"
    case (.holdForUsage, 0):
      return "\(try await store.hold(for: Usage("image"), on: alice, lasting: day, request: id).amount)"
    case (.holdForUsage, 1):
      return "\(try await store.hold(for: Usage("chat", units: 12), on: alice, lasting: day, request: id).amount)"
    case (.holdForUsage, 2):
      return "\(try await store.hold(for: Usage("image"), on: alice, lasting: .seconds(60), request: id).amount)"
    case (.holdForUsage, 3): return "\(try await store.hold(4, on: alice, for: day, request: id).amount)"
    case (.freeze, 0): return try await store.freeze(alice, reason: "r", request: id).told
    case (.freeze, 1): return try await store.freeze(alice, reason: "s", request: id).told
    case (.freeze, 2): return try await store.unfreeze(alice, reason: "r", request: id).told
    case (.unfreeze, 0): return try await store.unfreeze(alice, reason: "r", request: id).told
    case (.unfreeze, 1): return try await store.freeze(alice, reason: "r", request: id).told
    case (.close, 0): return try await store.close(alice, reason: "r", request: id).told
    case (.close, 1): return try await store.close(alice, reason: "s", request: id).told
    case (.subscribe, 0): return try await store.subscribe(alice, to: plan(), request: id).told
    case (.subscribe, 1): return try await store.subscribe(alice, to: plan(11), request: id).told
    case (.subscribe, 2): return try await store.subscribe(alice, to: plan(10, 1), request: id).told
    case (.subscribe, 3):
      return try await store.subscribe(alice, to: plan(), anchor: StoreFixture.start, request: id).told
    case (.unsubscribeAtTheEnd, 0): return try await store.unsubscribe("bob", request: id).told
    case (.unsubscribeAtTheEnd, 1): return try await store.unsubscribe("bob", atOnce: true, request: id).told
    case (.unsubscribeAtOnce, 0): return try await store.unsubscribe("bob", atOnce: true, request: id).told
    case (.unsubscribeAtOnce, 1): return try await store.unsubscribe("bob", request: id).told
    case (.setAlerts, 0): return try await store.setAlerts([900, 5], for: alice, request: id).told
    case (.setAlerts, 1): return try await store.setAlerts([900], for: alice, request: id).told
    case (.setAlerts, 2): return try await store.setAlerts([], for: alice, request: id).told
    case (.correct, 0):
      return try await store.correct(debit, of: alice, by: 5, reason: "r", agent: "eve", request: id).told
    case (.correct, 1):
      return try await store.correct(debit, of: alice, by: 6, reason: "r", agent: "eve", request: id).told
    case (.correct, 2):
      return try await store.correct(debit, of: alice, by: 5, reason: "s", agent: "eve", request: id).told
    case (.correct, 3):
      return try await store.correct(debit, of: alice, by: 5, reason: "r", agent: "bob", request: id).told
    case (.correct, 4): return try await store.grant(5, to: alice, source: Grant.Source(.correction), request: id).told
    case (.setAutoRefill, 0):
      return try await store.setAutoRefill(
        StoreFixture.refill(below: 700, with: first(store, alice)), for: alice, request: id
      ).told
    case (.setAutoRefill, 1):
      return try await store.setAutoRefill(
        StoreFixture.refill(below: 701, with: first(store, alice)), for: alice, request: id
      ).told
    case (.setAutoRefill, 2):
      return try await store.setAutoRefill(
        StoreFixture.refill(below: 700, atMost: 99_00, with: first(store, alice)), for: alice, request: id
      ).told
    case (.setAutoRefill, 3): return try await store.setAutoRefill(.off, for: alice, request: id).told
    case (.switchAutoRefillOff, 0): return try await store.setAutoRefill(.off, for: alice, request: id).told
    case (.switchAutoRefillOff, 1):
      return try await store.setAutoRefill(StoreFixture.refill(with: first(store, alice)), for: alice, request: id).told
    case (.resumeAutoRefill, 0): return try await store.resumeAutoRefill(for: alice, reason: "r", request: id).told
    case (.resumeAutoRefill, 1): return try await store.resumeAutoRefill(for: alice, reason: "s", request: id).told
    case (.saveAPaymentMethod, 0): return "\(try await store.savePaymentMethod(card(), for: alice, request: id))"
    case (.saveAPaymentMethod, 1): return "\(try await store.savePaymentMethod(card("tok_8"), for: alice, request: id))"
    case (.saveAPaymentMethod, 2):
      return "\(try await store.savePaymentMethod(card("tok_9", "amex"), for: alice, request: id))"
    case (.saveAPaymentMethod, 3):
      return "\(try await store.savePaymentMethod(card(), for: alice, forRefill: false, request: id))"
    case (.removeAPaymentMethod, 0):
      var method = card()
      method.number = 2
      return try await store.removePaymentMethod(method, of: alice, request: id).told
    case (.removeAPaymentMethod, 1):
      return try await store.removePaymentMethod(first(store, alice), of: alice, request: id).told
    case (.removeAPaymentMethod, 2): return try await store.removePaymentMethod(card(), of: alice, request: id).told
    case (.purchase, 0): return try await purchase(.pack(500), store, alice)
    case (.purchase, 1): return try await purchase(.pack(2_500), store, alice)
    case (.purchase, 2): return try await purchase(.pack(500), store, alice, second: true)
    case (.dispute, 0): return try await store.dispute(charge: 1, of: alice, reason: "r", request: id).told
    case (.dispute, 1): return try await store.dispute(charge: 2, of: alice, reason: "r", request: id).told
    case (.dispute, 2): return try await store.dispute(charge: 0, of: alice, reason: "r", request: id).told
    case (.dispute, 3): return try await store.dispute(charge: 1, of: alice, reason: "s", request: id).told
    default: return nil
    }
  }

  /// The debit that is corrected.
  private static let debit = SequenceNumber(9)

  private static func told(_ outcome: Outcome) throws(StoreError) -> String {
    switch outcome {
    case .debited(let receipt): receipt.told
    case .denied(let denial):
      if case .conflict = denial.reason { throw .denied(denial) } else { "\(denial.reason) \(denial.time)" }
    }
  }

  /// A store where every verb can succeed: alice has credits, two cards, and a refill that was paid; bob has a plan.
  private func full() async throws -> (CreditStore, AccountID) {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "first")
    try await store.worker(ScriptedGateway()).work()
    let receipt = try #require(try await store.debit(10, from: alice, request: "second").receipt)
    #expect(receipt.sequence == RepeatTests.debit)
    try await store.savePaymentMethod(StoreFixture.card, for: alice, forRefill: false, request: "card 2")
    let bob = try await store.open("bob")
    try await store.subscribe(bob, to: RepeatTests.plan(), request: "plan")
    try await store.publish(StoreFixture.book)
    return (store, alice)
  }

  @Test(
    "a repetition gives the original and writes nothing, at once and after a reopening; other contents are a conflict",
    arguments: Verb.allCases)
  func repeated(_ verb: Verb) async throws {
    var (store, alice) = try await full()
    let before = try store.statistics().last
    let original = try #require(try await RepeatTests.call(verb, 0, store, alice))
    let last = try store.statistics().last
    #expect(last > before)
    var entries: [SequenceNumber] = []
    try store.forEachEntry(from: SequenceNumber(before.value + 1)) { entry in
      if entry.request == RepeatTests.id { entries.append(entry.sequence) }
      return true
    }
    #expect(entries.count == 1, "one entry carries the request")
    for _ in 0..<2 {
      fixture.clock.advance(by: .seconds(1))
      #expect(try await RepeatTests.call(verb, 0, store, alice) == original)
      for number in 1...4 {
        var isCall = false
        let reason = await refusal { () throws(StoreError) in
          isCall = try await RepeatTests.call(verb, number, store, alice) != nil
        }
        guard isCall || reason != nil else { break }
        #expect(reason == entries.first.map { .conflict(with: $0) }, "other \(number)")
      }
      #expect(
        try await RepeatTests.call(verb, 0, store, alice) == original, "the conflicts left the original as it was")
      #expect(try store.statistics().last == last)
      store = try await fixture.reopen(store)
    }
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("the same request on another account is another request", arguments: Verb.allCases)
  func ofOneAccount(_ verb: Verb) async throws {
    let (store, alice) = try await full()
    let carol = try await store.open("carol")
    try await store.grant(5, to: carol, source: .allowance, request: RepeatTests.id)
    #expect(try await RepeatTests.call(verb, 0, store, alice) != nil)
    #expect(try store.available(carol) == 5)
    try await store.close()
  }

  @Test(
    "what was bought, or agreed to, stays the answer when the catalogue has changed since", arguments: [true, false])
  func catalogue(_ isSold: Bool) async throws {
    var (store, alice) = try await full()
    let card = try RepeatTests.first(store, alice)
    let bought = try await store.purchase(.pack(500), for: alice, with: card, request: "buy")
    let custom = try await store.purchase(.money(Money(3_00, .usd)), for: alice, with: card, request: "custom")
    let terms = StoreFixture.refill(below: 50, with: card)
    let agreed = try await store.setAutoRefill(terms, for: alice, request: "agree")
    let packs = isSold ? [Pack(credits: 500, price: Money(25_00, .usd))] : []
    try await store.setCatalogue(Catalogue(packs: packs, custom: nil))
    for _ in 0..<2 {
      let again = try await store.purchase(.pack(500), for: alice, with: card, request: "buy")
      #expect(again.receipt.isReplay && again.receipt.sequence == bought.receipt.sequence && again.key == bought.key)
      #expect(again.pack == bought.pack && again.number == bought.number)
      let other = try await store.purchase(.money(Money(3_00, .usd)), for: alice, with: card, request: "custom")
      #expect(other.receipt.isReplay && other.pack == custom.pack)
      #expect(try await store.setAutoRefill(terms, for: alice, request: "agree").sequence == agreed.sequence)
      store = try await fixture.reopen(store)
    }
    try await store.close()
  }

  @Test("a hold is not made again while it is open, though the window has forgotten its request")
  func forgottenHold() async throws {
    // This once stopped the program.
    let fixture = StoreFixture { $0.windowRequests = 1_024 }
    let (store, alice) = try await fixture.open(with: 100_000)
    let hold = try await store.hold(5, on: alice, for: .seconds(30 * 86_400), request: "hold")
    for number in UInt64(1)...3_000 {
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 16 == 0 { try await store.sync() }
    }
    let reason = await refusal { () throws(StoreError) in
      _ = try await store.hold(5, on: alice, for: .seconds(30 * 86_400), request: "hold")
    }
    #expect(reason == .tooOld)
    #expect(try store.balance(of: alice)?.held == 5)
    #expect(try await store.capture(hold).captured == 5)
    try await store.close()
  }
}

extension Receipt {
  /// The receipt but for whether it is a repetition.
  fileprivate var told: String { "\(sequence) \(time) \(amount) \(balance) \(number)" }
}
