import Credits
import CreditsTesting
import Logging
import ServiceLifecycle
import UnixSignals

// snippet: gateway
/// Charges cards through a provider's HTTP interface.
struct CardGateway: PaymentGateway {
  let http: any HTTPClient
  let keyMemory = Duration.seconds(24 * 3_600)

  func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    let form = [
      "amount": String(order.price.minor), "currency": order.price.currency.description,
      "method": order.method.token, "reference": order.key,
    ]
    return outcome(of: try await http.post("/v1/charges", idempotencyKey: order.key, form: form))
  }

  func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome {
    let response = try await http.get("/v1/charges", query: ["reference": order.key])
    return response.status == 404 ? .neverCharged : outcome(of: response)
  }

  private func outcome(of response: HTTPResponse) -> ChargeOutcome {
    let fields = response.fields
    switch (response.status, fields["state"]) {
    case (200, "paid"):
      guard let minor = fields["amount"].flatMap({ Int64($0) }),
        let currency = fields["currency"].flatMap({ Currency($0) })
      else { return .unknown(reason: "paid, but the sum cannot be read") }
      return .succeeded(reference: fields["id"] ?? "", price: Money(minor, currency))
    case (200, "declined"): return .declined(reason: fields["reason"] ?? "no reason given")
    case (200, "action"): return .needsAction(link: fields["link"] ?? "")
    case (200, "pending"): return .processing
    default: return .unknown(reason: "status \(response.status)")
    }
  }
}
// end

/// The examples of the guide "Auto-refill and purchases".
enum RefillExamples {
  static func method(store: CreditStore, alice: AccountID) async throws -> PaymentMethod {
    // snippet: payment-method
    let visa = PaymentMethod(token: "pm_17", brand: "visa", lastFour: "4242", expiryYear: 2029, expiryMonth: 7)
    let card = try await store.savePaymentMethod(visa, for: alice, request: "card-17")
    // end
    return card
  }

  static func on(store: CreditStore, alice: AccountID, card: PaymentMethod) async throws {
    // snippet: refill-on
    try await store.setAutoRefill(
      .on(
        below: 100, buy: .pack(500), atMost: Money(100_00, .usd), per: .month, with: card,
        consent: "terms of 2026-11, checked by the customer"),
      for: alice, request: "refill-on-17")
    if let refill = try store.account(alice)?.refill { print(refill.state) }  // armed
    // end
  }

  static func off(store: CreditStore, alice: AccountID) async throws {
    // snippet: refill-off
    try await store.setAutoRefill(.off, for: alice, request: "refill-off-17")
    // end
  }

  static func worker(store: CreditStore, gateway: any PaymentGateway, logger: Logger) async throws {
    // snippet: worker
    let worker = RefillWorker(store: store, gateway: gateway)
    let group = ServiceGroup(services: [worker], gracefulShutdownSignals: [.sigterm], logger: logger)
    try await group.run()
    // end
  }

  static func report(store: CreditStore, key: String) async throws {
    // snippet: report
    do throws(StoreError) {
      try await store.report(.succeeded(reference: "ch_17", price: Money(20_00, .usd)), ofChargeWithKey: key)
      print("booked, or known already: answer the provider with success")
    } catch .denied(let denial) {
      print("somebody must look at a payment under the key \(key):", denial.reason)
    }
    // end
  }

  static func purchase(store: CreditStore, alice: AccountID, card: PaymentMethod) async throws -> Purchase {
    // snippet: purchase
    for pack in store.catalogue.packs { print(pack) }  // 500 credits for 20.00 USD, …
    let custom = try store.catalogue.price(of: .money(Money(35_00, .usd)))
    print(custom.credits)  // 875
    let purchase = try await store.purchase(.pack(500), for: alice, with: card, request: "order-18")
    print(purchase.pack.price, "under the key", purchase.key)
    // end
    return purchase
  }

  static func progress(store: CreditStore, purchase: Purchase) async throws {
    // snippet: progress
    switch try await store.progress(of: purchase) {
    case .open(let charge)?: print("not settled yet:", charge.status)
    case .ended(let entry)?: print(entry.kind, "available:", entry.available)
    case nil: print("too long ago")
    }
    // end
  }

  static func catalogue(store: CreditStore) async throws {
    // snippet: catalogue
    let packs = [
      Pack(credits: 1_000, price: Money(35_00, .eur)), Pack(credits: 10_000, price: Money(300_00, .eur)),
    ]
    let custom = Catalogue.Custom(
      rate: Pack(credits: 25, price: Money(1_00, .eur)), least: Money(5_00, .eur), most: Money(1_000_00, .eur))
    try await store.setCatalogue(Catalogue(packs: packs, custom: custom))
    // end
  }

  static func resume(store: CreditStore) async throws {
    // snippet: resume-charges
    if store.chargesArePaused { print("a copy: make sure that the original is gone") }
    try await store.resumeCharges()
    // end
  }

  static func again(store: CreditStore, alice: AccountID) async throws {
    // snippet: resume-refill
    try await store.resumeAutoRefill(for: alice, reason: "ticket 4712: the bank was down", request: "ticket-4712")
    // end
  }

  static func test(folder: String) async throws -> ScriptedGateway {
    // snippet: scripted-gateway
    let clock = StoreClock.Manual(Timestamp(seconds: 1_800_000_000))
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    let store = try CreditStore.open(at: folder, settings: settings)
    let alice = try await store.open("user_alice")
    let card = try await store.savePaymentMethod(
      PaymentMethod(token: "pm_17", brand: "visa", lastFour: "4242", expiryYear: 2029, expiryMonth: 7), for: alice,
      request: "card")
    // Less than 100 is available already, so the first refill is due at once.
    try await store.setAutoRefill(
      .on(below: 100, buy: .pack(500), atMost: Money(100_00, .usd), per: .month, with: card), for: alice,
      request: "on")

    let gateway = ScriptedGateway([.chargeAndFail])  // the card is charged, and the answer is lost
    let worker = RefillWorker(store: store, gateway: gateway)
    try await worker.work()
    print(try store.account(alice)?.refill.state ?? .off)  // unknown
    clock.advance(by: .seconds(10))
    try await worker.work()  // the same key again: the provider answers with the first charge
    print(try store.balance(of: alice)?.available ?? 0)  // 500
    print(gateway.taken.count, gateway.chargedTwice)  // 1 []
    // end
    try await store.close()
    return gateway
  }
}
