import Credits
import Testing

@Suite("Quotes")
struct QuoteTests {
  // A quote of another store was once taken at its word: the entry named a row of prices that the store did not have,
  // so that the price could not be explained, and the same request again was taken for a conflict.
  @Test("a quote of another store is refused, and nothing is taken")
  func foreign() async throws {
    let (fixture, other) = (StoreFixture(), StoreFixture())
    let (store, alice) = try await fixture.open(with: 10)
    let shop = try other.open()
    try await store.publish(PriceBook("ours", features: [PriceBook.Feature("chat", base: 1)]))
    try await shop.publish(
      PriceBook("theirs", features: [PriceBook.Feature("chat", base: 2), PriceBook.Feature("image", base: 3)]))
    for feature in ["chat", "image"] {
      let quote = try shop.quote(for: Usage(feature))
      let error = await failure { () throws(StoreError) in _ = try await store.debit(quote, from: alice, request: "q") }
      guard case .invalidArgument? = error else {
        Issue.record("\(feature): \(error.map(String.init(describing:)) ?? "taken")")
        continue
      }
    }
    #expect(try store.balance(of: alice)?.available == 10)
    // The request was not used up.
    let quote = try store.quote(for: Usage("chat"))
    #expect(try await store.debit(quote, from: alice, request: "q").receipt?.amount == 1)
    #expect(try await store.debit(quote, from: alice, request: "q").receipt?.isReplay == true)
    try await store.close()
    try await shop.close()
  }
}
