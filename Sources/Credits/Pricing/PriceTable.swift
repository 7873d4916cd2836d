/// All published price books, prepared for quick look-up: every version ever, so that every old price can be found.
///
/// Each combination of a feature with a model and a tier, of each version, is a row. The rows have numbers from 1 on:
/// version after version; in a version, the features in their order; in a feature, the models in their order, or one
/// row in their place; in a model, the tiers likewise.
package struct PriceTable: Sendable {
  /// One published book.
  private final class Version: Sendable {
    let number: UInt32
    let book: PriceBook
    let firstRow: UInt32
    let features: [PricedFeature]
    let index: [String: Int]

    init(_ book: PriceBook, number: UInt32, firstRow: UInt32) {
      self.number = number
      self.book = book
      self.firstRow = firstRow
      var features: [PricedFeature] = []
      var row = firstRow
      for feature in book.features {
        features.append(PricedFeature(feature, rounding: book.rounding, firstRow: row))
        row += UInt32(feature.rowCount)
      }
      self.features = features
      index = Dictionary(uniqueKeysWithValues: book.features.enumerated().map { ($1.name, $0) })
    }
  }

  /// A row, found.
  private struct Row {
    let version: Version
    let feature: PricedFeature
    let model: Int
    let tier: Int
  }

  private let versions: [Version]
  /// The number of the next row.
  private let nextRow: UInt32

  /// Makes a table without a version.
  package init() {
    versions = []
    nextRow = 1
  }

  private init(versions: [Version], nextRow: UInt32) {
    self.versions = versions
    self.nextRow = nextRow
  }

  /// Makes the table of books in the order in which they were published.
  package static func load(_ books: [PriceBook]) throws(PricingError) -> PriceTable {
    var table = PriceTable()
    for book in books { table = try table.appending(book) }
    return table
  }

  /// The table with one more version; refuses a book that is not in order.
  package func appending(_ book: PriceBook) throws(PricingError) -> PriceTable {
    try book.check()
    let rows = book.features.reduce(0) { $0 + $1.rowCount }
    guard let end = UInt32(exactly: Int(nextRow) + rows) else {
      throw PricingError(at: "features", "the versions together have more than \(UInt32.max) combinations; use fewer")
    }
    let version = Version(book, number: versionCount + 1, firstRow: nextRow)
    return PriceTable(versions: versions + [version], nextRow: end)
  }

  /// The published books, version 1 first.
  package var books: [PriceBook] { versions.map(\.book) }

  /// The number of versions, which is the number of the latest.
  package var versionCount: UInt32 { UInt32(versions.count) }

  /// The number of rows, which is the number of the last.
  package var rowCount: UInt32 { nextRow - 1 }

  /// The version in force: the latest whose validity holds the moment; nil where there is none.
  package func version(at now: Timestamp) -> UInt32? { current(at: now)?.number }

  /// Prices usage by the version in force.
  package func price(_ usage: Usage, at now: Timestamp) -> Pricing {
    guard let version = current(at: now) else { return .refused(.noBook) }
    guard let position = version.index[usage.feature] else { return .refused(.unknownFeature) }
    let feature = version.features[position]
    guard let model = feature.models.index(usage.model) else { return .refused(.unknownModel) }
    guard let tier = feature.tiers.index(usage.tier) else { return .refused(.unknownTier) }
    guard let counts = usage.counts(by: feature.rates) else { return .refused(.unknownUnit) }
    guard let amount = feature.price(counts, model: model, tier: tier) else { return .refused(.outOfRange) }
    return .priced(
      Quote(
        amount: amount, version: version.number, expires: now + version.book.quoteValidity,
        row: feature.row(model: model, tier: tier), counts: counts))
  }

  /// The price of a row, of any version; nil where there is no such row or the price is out of range.
  package func amount(row: UInt32, counts: Counts) -> Amount? {
    guard let found = find(row) else { return nil }
    return found.feature.price(counts, model: found.model, tier: found.tier)
  }

  /// How the price of a row comes about; nil where there is no such row or the price is out of range.
  package func breakdown(row: UInt32, counts: Counts) -> PriceBreakdown? {
    guard let found = find(row) else { return nil }
    return PriceBreakdown(
      found.feature, model: found.model, tier: found.tier, counts: counts, version: found.version.number,
      book: found.version.book)
  }

  /// The version that a row belongs to.
  package func version(ofRow row: UInt32) -> UInt32? { find(row)?.version.number }

  /// The names of a row: model and tier nil for the default or none, units in the order of the rates.
  package func describe(row: UInt32) -> (feature: String, model: String?, tier: String?, units: [String])? {
    guard let found = find(row) else { return nil }
    let feature = found.feature
    return (
      feature.name, feature.models.name(found.model), feature.tiers.name(found.tier), feature.rates.map(\.unit)
    )
  }

  /// Whether usage says the same as a row with counts.
  fileprivate func isSame(_ usage: Usage, asRow row: UInt32, counts: Counts) -> Bool {
    guard let found = find(row) else { return false }
    let feature = found.feature
    return feature.name == usage.feature && feature.models.name(found.model) == usage.model
      && feature.tiers.name(found.tier) == usage.tier && usage.counts(by: feature.rates) == counts
  }

  private func current(at now: Timestamp) -> Version? {
    versions.last { version in
      (version.book.validFrom ?? now) <= now && now < (version.book.validUntil ?? .never)
    }
  }

  private func find(_ row: UInt32) -> Row? {
    guard row >= 1, row < nextRow else { return nil }
    let version = versions[Self.last(versions) { $0.firstRow <= row }]
    let feature = version.features[Self.last(version.features) { $0.firstRow <= row }]
    let offset = Int(row - feature.firstRow)
    return Row(
      version: version, feature: feature, model: offset / feature.tiers.rowCount,
      tier: offset % feature.tiers.rowCount)
  }

  /// The position of the last item that belongs, where the first does and those that belong come first.
  private static func last<Item>(_ items: [Item], where belongs: (Item) -> Bool) -> Int {
    var (low, high) = (0, items.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if belongs(items[middle]) { low = middle } else { high = middle }
    }
    return low
  }
}

extension Usage {
  /// Whether the usage names the same feature, model, tier and units as a row of a table, of any version.
  package func isSame(asRow row: UInt32, counts: Counts, in table: PriceTable) -> Bool {
    table.isSame(self, asRow: row, counts: counts)
  }
}
