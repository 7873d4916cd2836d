import Credits

/// The examples of the README and of the documentation comments.
enum FirstExamples {
  static func firstDebit(folder: String) async throws {
    // snippet: first-debit
    let store = try CreditStore.open(at: folder)
    let alice = try await store.open("user_alice")
    try await store.grant(500, to: alice, source: .purchase("order-17"), request: "order-17")
    switch try await store.debit(3.5, from: alice, request: "req-1") {
    case .debited(let receipt): print("left:", receipt.balance)
    case .denied(let denial): print(denial.reason)
    }
    try await store.close()
    // end
  }

  /// The second example of the README: a price, a refill, a hold.
  static func priceAndHold(store: CreditStore, alice: AccountID) async throws {
    // snippet: price-refill-hold
    let chat = PriceBook.Feature(
      "chat", rates: [PriceBook.Rate(unit: "token", amount: 0.5, per: 1_000)],
      models: [PriceBook.Choice("small", times: 1), PriceBook.Choice("large", times: 4)])
    try await store.publish(PriceBook("autumn 2026", features: [chat]))
    let usage = Usage("chat", model: "large", units: 4_808)
    if case .debited(let receipt) = try await store.debit(for: usage, from: alice, request: "req-2") {
      print("cost:", receipt.amount)  // 9.616
    }

    let visa = PaymentMethod(token: "pm_17", brand: "visa", lastFour: "4242", expiryYear: 2029, expiryMonth: 7)
    let card = try await store.savePaymentMethod(visa, for: alice, request: "card-1")
    try await store.setAutoRefill(
      .on(below: 100, buy: .pack(500), atMost: Money(100_00, .usd), per: .month, with: card), for: alice,
      request: "refill-on")  // a RefillWorker charges the card

    let hold = try await store.hold(120, on: alice, for: .seconds(600), request: "req-3")
    let outcome = try await store.capture(hold, amount: 87.25)
    print("left:", outcome.receipt.balance)
    // end
  }

  static func identifiers() -> [AccountID?] {
    // snippet: identifiers
    let alice: AccountID = "user_alice"  // any text, hashed
    let bob = AccountID(42)  // an integer
    let carol = AccountID(uuid: "018f6e2a-7c1b-7def-8123-456789abcdef")
    // end
    return [alice, bob, carol]
  }

  static func reader(folder: String) throws {
    // snippet: reader
    let reader = try CreditReader.open(at: folder)
    if let balance = try reader.balance(of: "user_alice") { print(balance.available) }
    // end
  }
}
