import Credits

/// The prices of a replay: what the store has published, and the book that comes on top of it.
struct ReplayPrices: Sendable {
  let table: PriceTable
  /// The version in force.
  let version: UInt32
  /// The book of that version.
  let book: PriceBook
  /// Whether the book is still to be published.
  let isNew: Bool
  private let now: Timestamp

  /// The prices in force with what is published and, if one is given, a book on top of it, unless it is the latest
  /// already.
  init(published: [PriceBook], given: PriceBook?, now: Timestamp) throws {
    self.now = now
    var table = try ReplayPrices.loading { () throws(PricingError) in try PriceTable.load(published) }
    var book = given
    let standard = ReplayBook.standardRates
    if book == nil, table.version(at: now) == nil {
      book = ReplayBook.book(context: standard.context, generated: standard.generated)
    }
    isNew = book != nil && book != published.last
    if let book, isNew {
      let before = table
      table = try ReplayPrices.loading { () throws(PricingError) in try before.appending(book) }
    }
    guard let version = table.version(at: now), book == nil || version == table.versionCount else {
      throw UsageFailure(
        code: "no-price",
        sentence: "the price book is not valid now, from \(book?.validFrom?.description ?? "the beginning") "
          + "until \(book?.validUntil?.description ?? "the end"); give one that is")
    }
    self.table = table
    self.version = version
    self.book = table.books[Int(version) - 1]
  }

  private static func loading(_ work: () throws(PricingError) -> PriceTable) throws -> PriceTable {
    do throws(PricingError) { return try work() } catch {
      throw UsageFailure(code: "bad-price-book", sentence: "the price book cannot be used: \(error)")
    }
  }

  /// The usage of a line.
  func usage(of line: UsageLine, feature: String) -> Usage {
    Usage(
      line.feature ?? feature,
      units: [ReplayBook.context: UInt64(line.context), ReplayBook.generated: UInt64(line.generated)])
  }

  /// The price of usage, or why it has none that a replay can use.
  func price(of usage: Usage) -> Result<Amount, LineError> {
    switch table.price(usage, at: now) {
    case .priced(let quote) where quote.amount.millionths < Int64.max / 4: .success(quote.amount)
    // An account's totals may reach a quarter of the range.
    case .priced, .refused(.outOfRange): .failure(LineError("costs more than an amount can hold"))
    case .refused(let refusal):
      .failure(
        LineError(
          "has no price in the book \(book.name.escapedForTerminal), \(refusal): "
            + "\(usage.description.escapedForTerminal.cut(to: 80)); "
            + "choose with --feature or --feature-column, or give a book with --book"))
    }
  }
}
