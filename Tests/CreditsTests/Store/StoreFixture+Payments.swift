import Credits
import CreditsTesting

extension StoreFixture {
  static let card = PaymentMethod(token: "tok_1", brand: "visa", lastFour: "4242", expiryYear: 2030, expiryMonth: 6)

  /// Chat at a rate for tokens, by model and tier; a tool for nothing.
  static let book = PriceBook(
    "spring", quoteValidity: .seconds(60),
    features: [
      PriceBook.Feature(
        "chat", rates: [PriceBook.Rate(unit: "token", amount: 1, per: 3)],
        models: [PriceBook.Choice("default", times: 1), PriceBook.Choice("large", times: 2.5)],
        tiers: [PriceBook.Choice("default", times: 1), PriceBook.Choice("hard", times: 2)]),
      PriceBook.Feature("image", base: 4), PriceBook.Feature("ping"),
    ])

  /// The same at twice the price.
  static let dearer = PriceBook(
    "summer", quoteValidity: .seconds(60),
    features: [PriceBook.Feature("image", base: 8), PriceBook.Feature("ping", base: 1)])

  /// Closes a store and opens it again.
  func reopen(_ store: CreditStore) async throws -> CreditStore {
    try await store.close()
    return try open()
  }

  /// A store with an account that has some credits, a card, and auto-refill: below 100 it buys 500 for $20.
  func openWithRefill(
    _ credits: Amount = 150, below threshold: Amount = 100, atMost cap: Int64 = 100_00
  ) async throws -> (CreditStore, AccountID) {
    let (store, alice) = try await open(with: credits)
    let card = try await store.savePaymentMethod(StoreFixture.card, for: alice, request: "card")
    try await store.setAutoRefill(
      StoreFixture.refill(below: threshold, atMost: cap, with: card), for: alice, request: "refill")
    return (store, alice)
  }

  static func refill(
    below threshold: Amount = 100, atMost cap: Int64 = 100_00, with card: PaymentMethod
  ) -> AutoRefill {
    .on(
      below: threshold, buy: .pack(500), atMost: Money(cap, .usd), per: .month, with: card,
      consent: "terms of 2026")
  }
}

extension CreditStore {
  /// The kinds of an account's entries of charges and refills, oldest first.
  func steps(of account: AccountID) async throws -> [JournalEntry.Kind] {
    let all: Set<JournalEntry.Kind> = [
      .due, .ordered, .charging, .credited, .declined, .needsAction, .unsettled, .cancelled, .mismatched, .disputed,
      .capped, .rearmed,
    ]
    return try await history(of: account, limit: 10_000).entries.map(\.kind).filter { all.contains($0) }.reversed()
  }

  /// The latest entry of a kind.
  func latest(_ kind: JournalEntry.Kind, of account: AccountID) async throws -> JournalEntry? {
    try await history(of: account, limit: 10_000).entries.first { $0.kind == kind }
  }

  /// How an account's auto-refill stands, in words.
  func refillState(of account: AccountID) throws -> String? { try self.account(account)?.refill.state.description }

  func available(_ account: AccountID) throws -> Amount? { try balance(of: account)?.available }

  /// A worker that waits a few seconds for the payment provider at most.
  func worker(_ gateway: ScriptedGateway, timeout: Duration = .seconds(30)) -> RefillWorker {
    RefillWorker(store: self, gateway: gateway, timeout: timeout)
  }
}
