/// A feature of a published price book, prepared for quick look-up.
final class PricedFeature: Sendable {
  /// The models or the tiers of a feature.
  struct Choices: Sendable {
    private let choices: [PriceBook.Choice]
    private let index: [String: Int]
    private let standard: Int?

    init(_ choices: [PriceBook.Choice]) {
      self.choices = choices
      index = Dictionary(uniqueKeysWithValues: choices.enumerated().map { ($1.name, $0) })
      standard = choices.isEmpty ? 0 : index[PriceBook.defaultName]
    }

    /// How many rows they make: one where there are none.
    var rowCount: Int { max(choices.count, 1) }

    /// The position of the one that usage names, or of the default where it names none; nil where there is no such.
    func index(_ name: String?) -> Int? {
      guard let name else { return standard }
      return index[name]
    }

    /// The name at a position; nil for the default, or where there are none.
    func name(_ position: Int) -> String? { position == standard ? nil : choices[position].name }

    /// The choice at a position; nil where there are none.
    func choice(_ position: Int) -> PriceBook.Choice? { choices.isEmpty ? nil : choices[position] }

    /// The factor at a position; one where there are none.
    func factor(_ position: Int) -> Multiplier { choices.isEmpty ? .one : choices[position].factor }
  }

  let name: String
  let rates: [PriceBook.Rate]
  let models: Choices
  let tiers: Choices
  let feature: PriceBook.Feature
  let formula: PriceFormula
  let firstRow: UInt32

  /// Prepares a feature of a book that was checked.
  init(_ feature: PriceBook.Feature, rounding: Amount, firstRow: UInt32) {
    name = feature.name
    rates = feature.rates
    models = Choices(feature.models)
    tiers = Choices(feature.tiers)
    formula = PriceFormula(feature, rounding: rounding)
    self.feature = feature
    self.firstRow = firstRow
  }

  /// The number of the row of a model and a tier.
  func row(model: Int, tier: Int) -> UInt32 { firstRow + UInt32(model * tiers.rowCount + tier) }

  /// The price; nil beyond the range of an amount.
  func price(_ counts: Counts, model: Int, tier: Int) -> Amount? {
    formula.price(counts, models.factor(model), tiers.factor(tier))
  }
}
