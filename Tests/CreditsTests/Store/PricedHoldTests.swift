import Credits
import Testing

@Suite("Holds that a price book prices")
struct PricedHoldTests {
  private let fixture = StoreFixture()

  /// A store with an account that has 100 credits, and a book: a chat costs 1 credit, and 2 for 1,000 tokens.
  private func open() async throws -> (CreditStore, AccountID) {
    let (store, alice) = try await fixture.open(with: 100)
    let rate = PriceBook.Rate(unit: "token", amount: 2, per: 1_000)
    try await store.publish(
      PriceBook(
        "first",
        features: [
          PriceBook.Feature(
            "chat", base: 1, rates: [rate], models: [.init("default", times: 1), .init("big", times: 3)]),
          PriceBook.Feature("help"),
        ]))
    return (store, alice)
  }

  @Test("a capture by usage takes what it costs and keeps its arithmetic, and the explanation of the hold shows both")
  func capture() async throws {
    let (store, alice) = try await open()
    let hold = try await store.hold(
      for: Usage("chat", model: "big", units: 4_000), on: alice, lasting: .seconds(60), request: "r")
    #expect(hold.amount == 27)
    let usage = Usage("chat", model: "big", units: 1_500)
    let outcome = try await store.capture(hold, for: usage)
    #expect(outcome.captured == 12 && outcome.excess == nil && outcome.receipt.balance == 88)
    for _ in 0..<2 {
      let again = try await store.capture(hold, for: Usage("chat", units: 1))
      #expect(again.receipt.isReplay && again.captured == 12, "the first end of a hold is the answer to all others")
      #expect(try await store.release(hold).captured == 12)
      #expect(try await store.capture(hold, amount: 3).captured == 12)
    }
    let explanation = try #require(try await store.explain("r", of: alice))
    #expect(explanation.price?.price == 27 && explanation.capturePrice?.price == 12)
    let end = try #require(explanation.followers.first)
    #expect(end.kind == .captured && end.usage == Usage("chat", model: "big", units: ["token": 1_500]))
    #expect(end.priceVersion == 1 && end.returned.map(\.amount) == [15])
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("a capture by usage that costs more than held is a debit for the rest, and the price is that of the whole")
  func excess() async throws {
    let (store, alice) = try await open()
    let hold = try await store.hold(2, on: alice, for: .seconds(60), request: "r")
    let outcome = try await store.capture("r", on: alice, for: Usage("chat", units: 2_000))
    #expect(hold.amount == 2 && outcome.captured == 5 && outcome.receipt.amount == 2)
    let explanation = try #require(try await store.explain("r", of: alice))
    #expect(explanation.price == nil && explanation.capturePrice?.price == 5)
    #expect(explanation.followers.map(\.kind) == [.captured, .debited] && explanation.followers[0].asked == 5)
    try await store.close()
  }

  @Test("a capture by usage without a price is denied, never free, and the hold stays")
  func unknown() async throws {
    let (store, alice) = try await open()
    let hold = try await store.hold(10, on: alice, for: .seconds(60), request: "r")
    let last = try store.statistics().last
    for (usage, reason) in [
      (Usage("draw"), Denial.Reason.unknownFeature), (Usage("chat", model: "tiny"), .unknownModel),
      (Usage("chat", units: ["pixel": 1]), .unknownUnit),
    ] {
      let found = await refusal { () throws(StoreError) in try await store.capture(hold, for: usage) }
      #expect(found == reason)
    }
    #expect(try store.balance(of: alice)?.held == 10)
    #expect(try store.statistics().last == last, "nothing is recorded")
    #expect(try await store.capture(hold, amount: 4).captured == 4)
    let late = try await store.capture(hold, for: Usage("draw"))
    #expect(late.receipt.isReplay && late.captured == 4)
    try await store.close()
  }

  @Test("a hold for usage that costs nothing holds nothing, and can be captured for nothing or for more")
  func free() async throws {
    var (store, alice) = try await open()
    let hold = try await store.hold(for: Usage("help"), on: alice, lasting: .seconds(60), request: "r")
    #expect(hold.amount == 0)
    try await store.hold(for: Usage("help"), on: alice, lasting: .seconds(60), request: "s")
    #expect(try store.account(alice)?.holds.count == 2)
    try await store.close()
    store = try fixture.open()
    #expect(try await store.capture(hold, for: Usage("help")).captured == 0)
    #expect(try await store.capture("s", on: alice, amount: 1).captured == 1)
    #expect(try store.balance(of: alice)?.available == 99)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }
}
