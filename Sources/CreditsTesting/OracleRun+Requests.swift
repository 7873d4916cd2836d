internal import Credits

extension OracleRun {
  /// Does in the store what a request says.
  func answer(_ request: ReferenceRequest, _ acknowledge: Acknowledgement) async throws -> ReferenceAnswer {
    try await store.answer(request, acknowledge, quotes: quotes)
  }

  /// Asks for a quote and keeps it.
  func quote(_ usage: Usage) async throws {
    let expected = ledger.prices.price(usage, at: ledger.now)
    let quote: Quote
    do throws(StoreError) { quote = try store.quote(for: usage) } catch {
      guard case .denied(let denial) = error, case .failure(let refusal) = expected, denial.reason == refusal.reason,
        denial.sequence == nil, denial.time == ledger.now
      else { throw Difference(reason: "\(usage) gave \(error), expected \(expected)") }
      return
    }
    guard case .success(let expected) = expected else {
      throw Difference(reason: "\(usage) is quoted at \(quote.amount), and has no price")
    }
    try expect(
      quote.amount == expected.amount && quote.version == expected.version && quote.expires == expected.expires,
      "\(usage) is quoted at \(quote), expected \(expected)")
    quotes.append(quote)
    ledger.keep(expected)
  }
}
