import Credits

/// The forms in which price books and prices are printed.
enum PriceFormat {
  /// The table of published books.
  static func table(_ books: [PriceBook]) throws -> PriceTable {
    do throws(PricingError) { return try PriceTable.load(books) } catch {
      throw StoreError.corrupt(what: "a price book", at: .none, reason: error.description)
    }
  }

  /// A denial as the store would answer it, recorded nowhere.
  static func denial(_ refusal: PriceRefusal) -> Denial {
    let reason: Denial.Reason =
      switch refusal {
      case .noBook, .outOfRange: .noPrice
      case .unknownFeature: .unknownFeature
      case .unknownModel: .unknownModel
      case .unknownTier: .unknownTier
      case .unknownUnit: .unknownUnit
      }
    return Denial(reason: reason, sequence: nil, time: .now, isReplay: false)
  }

  /// When a book is valid, in words.
  static func validity(_ book: PriceBook) -> String {
    let start = book.validFrom.map { "from \($0)" } ?? "at once"
    return start + (book.validUntil.map { " until \($0)" } ?? "")
  }

  /// A version as an object, without its prices.
  static func summary(_ book: PriceBook, _ version: UInt32, isInForce: Bool) -> JSON {
    [
      "version": .number(version), "name": .string(book.name), "valid_from": .text(book.validFrom),
      "valid_until": .text(book.validUntil), "in_force": .bool(isInForce), "features": .number(book.features.count),
    ]
  }

  /// A book as facts and a table of its features.
  static func lines(_ book: PriceBook, _ version: UInt32) -> [String] {
    let facts: [(name: String, value: String)] = [
      ("version", "\(version)"), ("name", book.name), ("valid", validity(book)),
      ("quotes", "good for \(book.quoteValidity.components.seconds.grouped) s"),
      ("rounding", "up to a multiple of \(book.rounding)"),
    ]
    var table = Table([
      ("feature", .left), ("base", .right), ("rates", .left), ("models", .left), ("tiers", .left), ("limits", .left),
    ])
    for feature in book.features {
      let columns = [feature.rates.map(rate), feature.models.map(choice), feature.tiers.map(choice), limits(feature)]
      for row in 0..<max(1, columns.map(\.count).max() ?? 1) {
        let cells = columns.map { $0.indices.contains(row) ? $0[row] : "" }
        table.add((row == 0 ? [feature.name, feature.base.grouped] : ["", ""]) + cells)
      }
    }
    return Table.facts(facts, width: Terminal.outputWidth) + [""] + table.lines(width: Terminal.outputWidth)
  }

  private static func rate(_ rate: PriceBook.Rate) -> String {
    rate.per == 1 ? "\(rate.amount) a \(rate.unit)" : "\(rate.amount) per \(rate.per.grouped) \(rate.unit)"
  }

  private static func choice(_ choice: PriceBook.Choice) -> String { "\(choice.name) x \(choice.factor)" }

  private static func limits(_ feature: PriceBook.Feature) -> [String] {
    (feature.minimum == .zero ? [] : ["at least \(feature.minimum)"])
      + (feature.maximum.map { ["at most \($0)"] } ?? [])
  }

  /// How a price comes about, as an object.
  static func json(_ price: PriceBreakdown) -> JSON {
    func choice(_ choice: PriceBook.Choice?) -> JSON {
      choice.map { ["name": .string($0.name), "factor": .text($0.factor)] } ?? .null
    }
    return [
      "version": .number(price.version), "book": .string(price.book), "feature": .string(price.feature),
      "base": .text(price.base),
      "lines": .array(
        price.lines.map { line in
          [
            "unit": .string(line.unit), "count": .number(line.count), "amount": .text(line.amount),
            "per": .number(line.per), "cost": .string(line.cost),
          ]
        }),
      "sum": .string(price.sum), "model": choice(price.model), "tier": choice(price.tier),
      "product": .string(price.product), "rounding": .text(price.rounding), "rounded": .text(price.rounded),
      "minimum": .text(price.minimum), "maximum": .text(price.maximum), "price": .text(price.price),
    ]
  }

  /// How a price comes about, in lines.
  static func lines(_ price: PriceBreakdown) -> [String] {
    price.descriptionLines.map(\.escapedForTerminal)
  }
}
