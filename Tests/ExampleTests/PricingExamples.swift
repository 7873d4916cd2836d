import Credits

/// The examples of the guide "Pricing".
enum PricingExamples {
  static func publish(store: CreditStore) async throws -> PriceBook {
    // snippet: price-book
    let book = PriceBook(
      "autumn 2026", rounding: 0.001,
      features: [
        PriceBook.Feature(
          "chat", base: 0.5,
          rates: [
            PriceBook.Rate(unit: "input", amount: 0.25, per: 1_000),
            PriceBook.Rate(unit: "output", amount: 1, per: 1_000),
          ],
          models: [PriceBook.Choice("default", times: 1), PriceBook.Choice("large", times: 2.5)],
          tiers: [PriceBook.Choice("default", times: 1), PriceBook.Choice("agent", times: 1.2)],
          maximum: 50),
        PriceBook.Feature("image", rates: [PriceBook.Rate(unit: "image", amount: 4)], minimum: 4),
        PriceBook.Feature("help"),
      ])
    let version = try await store.publish(book)
    print("version", version)
    // end
    return book
  }

  static func publish(json: String, store: CreditStore) async throws {
    // snippet: price-book-json
    let book = try PriceBook(json: json.utf8)
    if store.priceBooks.last != book { try await store.publish(book) }
    // end
  }

  static func debit(store: CreditStore, alice: AccountID) async throws {
    // snippet: debit-usage
    let usage = Usage("chat", model: "large", units: ["input": 4_807, "output": 10])
    switch try await store.debit(for: usage, from: alice, request: "req-20") {
    case .debited(let receipt): print("cost:", receipt.amount, "left:", receipt.balance)
    case .denied(let denial): print(denial.reason)
    }
    // end
  }

  static func explain(store: CreditStore, alice: AccountID) async throws -> String? {
    // snippet: explain-price
    let explanation = try await store.explain("req-20", of: alice)
    if let price = explanation?.price { print(price) }
    // end
    return explanation?.price?.description
  }

  static func batch(store: CreditStore, alice: AccountID, bob: AccountID) async throws {
    // snippet: batch-usage
    let batch = [
      UsageDebit(Usage("chat", units: ["input": 900, "output": 120]), from: alice, request: "req-21"),
      UsageDebit(Usage("image", units: 2), from: bob, request: "req-22"),
    ]
    for outcome in try await store.debit(for: batch) {
      if case .denied(let denial) = outcome { print(denial.reason.code) }
    }
    // end
  }

  static func quote(store: CreditStore, alice: AccountID) async throws {
    // snippet: quote
    let usage = Usage("image", units: 3)
    let quote = try store.quote(for: usage)
    print("\(usage) costs \(quote.amount) by version \(quote.version), until \(quote.expires)")
    let outcome = try await store.debit(quote, from: alice, request: "req-23")
    // end
    print(outcome)
  }

  static func gate(store: CreditStore, alice: AccountID) {
    // snippet: gate-usage
    if store.canAfford(Usage("image", units: 1), alice) { print("show the button") }
    // end
  }
}
