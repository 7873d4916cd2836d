extension PriceBook {
  /// The most features of a book.
  static let mostFeatures = 10_000

  /// The most models, and the most tiers, of a feature.
  static let mostChoices = 1_000

  /// The most combinations of feature, model and tier of a book.
  static let mostRows = 1_000_000

  /// The longest time that a quote stays good, in seconds.
  private static let longestQuote: Int64 = 366 * 86_400

  /// Refuses a book that cannot be used as it is; the error names the place and what to do.
  package func check() throws(PricingError) {
    try Self.check(name: name, at: "name")
    for (key, time) in [("validFrom", validFrom), ("validUntil", validUntil)] {
      guard let time else { continue }
      guard time >= .zero, time <= .latest else {
        throw PricingError(at: key, "outside the years 1970 to 9999; give a time within")
      }
    }
    if let validFrom, let validUntil, validUntil <= validFrom {
      throw PricingError(at: "validUntil", "not after validFrom; give a later time")
    }
    let (seconds, attoseconds) = quoteValidity.components
    guard attoseconds == 0, seconds >= 1, seconds <= Self.longestQuote else {
      throw PricingError(at: "quoteSeconds", "give whole seconds from 1 to \(Self.longestQuote)")
    }
    guard rounding > .zero else { throw PricingError(at: "rounding", "give a step of at least 0.000001") }
    guard features.count <= Self.mostFeatures else {
      throw PricingError(at: "features", "\(features.count) features; keep it to \(Self.mostFeatures)")
    }
    try Self.check(unique: features.map(\.name), at: "features", key: ".name")
    var rows = 0
    for (index, feature) in features.enumerated() {
      try feature.check(at: "features[\(index)]")
      rows += feature.rowCount
      guard rows <= Self.mostRows else {
        throw PricingError(at: "features[\(index)]", "more than \(Self.mostRows) combinations; split the book")
      }
    }
    let size = json.utf8.count
    guard size <= JSONValue.largestText else {
      throw PricingError(at: "", "the book has \(size) bytes as JSON; keep it to \(JSONValue.largestText) (1 MiB)")
    }
  }

  fileprivate static func check(name: String, at place: String) throws(PricingError) {
    guard !name.isEmpty, name.utf8.count <= 255 else {
      throw PricingError(at: place, "\(name.utf8.count) bytes; give a name of 1 to 255 bytes")
    }
  }

  fileprivate static func check(unique names: [String], at place: String, key: String) throws(PricingError) {
    var seen: Set<String> = []
    for (index, name) in names.enumerated() {
      let here = "\(place)[\(index)]\(key)"
      try check(name: name, at: here)
      guard seen.insert(name).inserted else {
        throw PricingError(at: here, "\(JSONValue.quoted(name)) is there already; give each its own name")
      }
    }
  }

  fileprivate static func check(_ amount: Amount, at place: String) throws(PricingError) {
    guard amount >= .zero else { throw PricingError(at: place, "\(amount) is negative; give 0 or more") }
  }
}

extension PriceBook.Feature {
  /// How many combinations with models and tiers there are.
  var rowCount: Int { Swift.max(models.count, 1) * Swift.max(tiers.count, 1) }

  fileprivate func check(at place: String) throws(PricingError) {
    try PriceBook.check(base, at: place + ".base")
    try PriceBook.check(minimum, at: place + ".minimum")
    if let maximum, maximum < minimum {
      throw PricingError(at: place + ".maximum", "\(maximum) is less than the minimum \(minimum); raise it")
    }
    guard rates.count <= Counts.capacity else {
      throw PricingError(at: place + ".rates", "\(rates.count) rates; keep it to \(Counts.capacity)")
    }
    try PriceBook.check(unique: rates.map(\.unit), at: place + ".rates", key: ".unit")
    for (index, rate) in rates.enumerated() {
      try PriceBook.check(rate.amount, at: "\(place).rates[\(index)].amount")
      guard rate.per >= 1 else { throw PricingError(at: "\(place).rates[\(index)].per", "give 1 or more") }
    }
    for (key, choices) in [("models", models), ("tiers", tiers)] {
      let here = "\(place).\(key)"
      guard choices.count <= PriceBook.mostChoices else {
        throw PricingError(at: here, "\(choices.count) \(key); keep it to \(PriceBook.mostChoices)")
      }
      try PriceBook.check(unique: choices.map(\.name), at: here, key: "")
      for choice in choices where choice.factor.millionths < 0 {
        throw PricingError(
          at: JSONValue.place(choice.name, in: here), "\(choice.factor) is negative; give 0 or more")
      }
    }
  }
}
