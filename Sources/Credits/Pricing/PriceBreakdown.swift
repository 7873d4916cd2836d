/// How a price came about, step by step.
public struct PriceBreakdown: Hashable, Sendable {
  /// What the units of one kind cost.
  public struct Line: Hashable, Sendable {
    /// The unit.
    public let unit: String
    /// How many of it.
    public let count: UInt64
    /// What `per` of it cost.
    public let amount: Amount
    /// The number of units that cost `amount`.
    public let per: UInt32
    /// What they cost together, exactly, such as `0.333333 + 1/3 millionths`.
    public let cost: String
  }

  /// The version of the price book.
  public let version: UInt32
  /// The name of the price book.
  public let book: String
  /// The feature.
  public let feature: String
  /// The model and its factor; nil where the feature has no models.
  public let model: PriceBook.Choice?
  /// The tier and its factor; nil where the feature has no tiers.
  public let tier: PriceBook.Choice?
  /// What each use costs.
  public let base: Amount
  /// The units, those with zero included.
  public let lines: [Line]
  /// Base and units together, exactly, such as `1.333333 + 1/3 millionths`.
  public let sum: String
  /// The sum times the factors, to 18 decimals; ends with `…` where there is more behind them.
  public let product: String
  /// The step to a multiple of which the product is rounded up.
  public let rounding: Amount
  /// The product, rounded up.
  public let rounded: Amount
  /// The least price of the feature.
  public let minimum: Amount
  /// The greatest price of the feature; nil where there is none.
  public let maximum: Amount?
  /// The price.
  public let price: Amount

  /// Takes the price of a feature apart; nil where it is out of range.
  init?(_ priced: PricedFeature, model: Int, tier: Int, counts: Counts, version: UInt32, book: PriceBook) {
    let (formula, feature) = (priced.formula, priced.feature)
    let (modelFactor, tierFactor) = (priced.models.factor(model), priced.tiers.factor(tier))
    guard let sum = formula.sum(counts), let product = formula.product(of: sum, modelFactor, tierFactor),
      let rounded = formula.rounded(counts, modelFactor, tierFactor),
      let price = formula.price(counts, modelFactor, tierFactor)
    else { return nil }
    self.version = version
    self.book = book.name
    self.feature = feature.name
    self.model = priced.models.choice(model)
    self.tier = priced.tiers.choice(tier)
    base = feature.base
    lines = feature.rates.enumerated().map { index, rate in
      Line(
        unit: rate.unit, count: counts[index], amount: rate.amount, per: rate.per,
        cost: formula.cost(index, counts).description)
    }
    self.sum = sum.description
    self.product = decimal(product.whole, decimals: 18) + (product.part == 0 ? "" : "…")
    rounding = book.rounding
    self.rounded = rounded
    minimum = feature.minimum
    maximum = feature.maximum
    self.price = price
  }
}

extension PriceBreakdown: CustomStringConvertible {
  /// The arithmetic in lines of text.
  public var description: String { descriptionLines.joined(separator: "\n") }

  /// The lines of the description; names in them are as the book has them.
  package var descriptionLines: [String] {
    var text = ["\(feature), by version \(version) of the price book, \(book)", "  base \(base)"]
    for line in lines {
      let per = line.per == 1 ? "" : " per \(line.per)"
      text.append("  \(line.count) \(line.unit) at \(line.amount)\(per): \(line.cost)")
    }
    text.append("  sum \(sum)")
    if let model { text.append("  times \(model.factor) for model \(model.name)") }
    if let tier { text.append("  times \(tier.factor) for tier \(tier.name)") }
    if model != nil || tier != nil { text.append("  product \(product)") }
    text.append("  rounded up to a multiple of \(rounding): \(rounded)")
    if price != rounded {
      text.append(price < rounded ? "  lowered to the maximum \(price)" : "  raised to the minimum \(price)")
    }
    text.append("  price \(price)")
    return text
  }
}

extension PriceFormula.Exact: CustomStringConvertible {
  /// The exact number of credits, such as `1.333333 + 1/3 millionths`.
  var description: String {
    let text = decimal(whole, decimals: 6)
    guard part != 0 else { return text }
    let divisor = PriceFormula.commonDivisor(denominator, part)
    return "\(text) + \(part / divisor)/\(denominator / divisor) millionths"
  }
}

/// The shortest decimal text of a number of units of the last decimal.
private func decimal(_ number: UInt128, decimals: Int) -> String {
  var digits = String(number)
  if digits.utf8.count <= decimals {
    digits = String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
  }
  let whole = digits.dropLast(decimals)
  var fraction = digits.suffix(decimals)
  while fraction.last == "0" { fraction.removeLast() }
  return fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
}
