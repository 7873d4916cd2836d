public import Credits

/// What the reference ledger expects usage to cost.
public struct ReferenceQuote: Hashable, Sendable {
  /// What was quoted.
  public let usage: Usage
  /// The price.
  public let amount: Amount
  /// The version of the price book.
  public let version: UInt32
  /// From when on it is good no longer.
  public let expires: Timestamp
}

/// The price books of the reference ledger: a plain list, each price worked out over one common denominator.
struct ReferencePrices: Sendable {
  /// The published books, version 1 first.
  var books: [PriceBook] = []

  /// The version in force: the latest whose validity holds the moment.
  func version(at now: Timestamp) -> UInt32? {
    let index = books.lastIndex { ($0.validFrom ?? now) <= now && now < ($0.validUntil ?? .never) }
    return index.map { UInt32($0 + 1) }
  }

  /// The price of usage, or why it has none.
  func price(_ usage: Usage, at now: Timestamp) -> Result<ReferenceQuote, Refusal> {
    guard usage.canBeRecorded else { return .failure(Refusal(reason: .unknownFeature)) }
    guard let version = version(at: now) else { return .failure(Refusal(reason: .noPrice)) }
    let book = books[Int(version) - 1]
    guard let feature = book.features.first(where: { $0.name == usage.feature }) else {
      return .failure(Refusal(reason: .unknownFeature))
    }
    guard let model = ReferencePrices.factor(usage.model, feature.models) else {
      return .failure(Refusal(reason: .unknownModel))
    }
    guard let tier = ReferencePrices.factor(usage.tier, feature.tiers) else {
      return .failure(Refusal(reason: .unknownTier))
    }
    guard let counts = ReferencePrices.counts(usage, feature.rates) else {
      return .failure(Refusal(reason: .unknownUnit))
    }
    guard let amount = ReferencePrices.amount(feature, counts, Int128(model), Int128(tier), book.rounding) else {
      return .failure(Refusal(reason: .noPrice))
    }
    return .success(
      ReferenceQuote(usage: usage, amount: amount, version: version, expires: now + book.quoteValidity))
  }

  /// Why usage has no price.
  struct Refusal: Error { let reason: Denial.Reason }

  /// The factor of the model or tier that is named; without a name that of the default, or one where there are none.
  private static func factor(_ name: String?, _ choices: [PriceBook.Choice]) -> Int64? {
    if choices.isEmpty, name == nil { return 1_000_000 }
    return choices.first { $0.name == name ?? PriceBook.defaultName }?.factor.millionths
  }

  /// The units of each rate; nil if there are units that no rate is for.
  private static func counts(_ usage: Usage, _ rates: [PriceBook.Rate]) -> [UInt64]? {
    var left = usage.units
    if let unnamed = left.removeValue(forKey: "") {
      return left.isEmpty && rates.count == 1 ? [unnamed] : nil
    }
    let counts = rates.map { left.removeValue(forKey: $0.unit) ?? 0 }
    return left.isEmpty ? counts : nil
  }

  /// The sum over the product of all denominators, rounded up once; nil if it is out of range.
  private static func amount(
    _ feature: PriceBook.Feature, _ counts: [UInt64], _ model: Int128, _ tier: Int128, _ rounding: Amount
  ) -> Amount? {
    let below = feature.rates.reduce(Int128(1)) { $0 * Int128($1.per) }
    var above = Int128(feature.base.millionths) * below
    for (rate, count) in zip(feature.rates, counts) {
      guard let cost = product(Int128(rate.amount.millionths) * Int128(count), below / Int128(rate.per)) else {
        return nil
      }
      above += cost
    }
    // Factors are in millionths.
    guard let priced = product(above, model * tier) else { return nil }
    let step = below * 1_000_000_000_000 * Int128(rounding.millionths)
    let steps = priced / step + (priced % step == 0 ? 0 : 1)
    guard let rounded = product(steps, Int128(rounding.millionths)), rounded <= Int128(Int64.max) else { return nil }
    return min(max(Amount(millionths: Int64(rounded)), feature.minimum), feature.maximum ?? .max)
  }

  private static func product(_ first: Int128, _ second: Int128) -> Int128? {
    let (product, overflow) = first.multipliedReportingOverflow(by: second)
    return overflow ? nil : product
  }
}

extension Usage {
  /// The names that are given.
  private var givenNames: [String] { [feature] + [model, tier].compactMap { $0 } + units.keys.filter { $0 != "" } }

  /// Whether an entry has room for it: names of 1 to 255 bytes, at most four units. No book has anything else.
  var canBeRecorded: Bool {
    givenNames.allSatisfy { !$0.isEmpty && $0.utf8.count <= 255 } && units.count <= 4
  }

  /// What an entry keeps of it: the first characters of long names, the first four units; nothing without a feature.
  var recorded: Usage? {
    func cut(_ text: String) -> String { text.utf8.count <= 255 ? text : String(text.prefix(63)) }
    if feature.isEmpty { return nil }
    let kept = units.sorted { $0.key < $1.key }.prefix(4).map { (cut($0.key), $0.value) }
    return Usage(
      cut(feature), model: model.map(cut), tier: tier.map(cut), units: Dictionary(uniqueKeysWithValues: kept))
  }
}

extension Pack {
  /// What an offer of the standard catalogue costs: three packs, and 25 credits a dollar from 1 to 10,000 dollars.
  init?(_ offer: Offer) {
    switch offer {
    case .pack(500): self.init(credits: 500, price: Money(20_00, .usd))
    case .pack(2_500): self.init(credits: 2_500, price: Money(100_00, .usd))
    case .pack(12_500): self.init(credits: 12_500, price: Money(500_00, .usd))
    case .pack: return nil
    case .credits(let credits):
      // A cent buys a quarter of a credit.
      guard credits.millionths % 250_000 == 0, credits >= 25, credits <= 250_000 else { return nil }
      self.init(credits: credits, price: Money(credits.millionths / 250_000, .usd))
    case .money(let money):
      guard money.currency == .usd, money.minor >= 1_00, money.minor <= 10_000_00 else { return nil }
      self.init(credits: Amount(millionths: money.minor * 250_000), price: money)
    }
  }
}
