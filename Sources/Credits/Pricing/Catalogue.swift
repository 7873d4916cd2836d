/// What is for sale: packs of credits, and custom amounts at a rate.
public struct Catalogue: Hashable, Sendable {
  /// How custom amounts are sold.
  public struct Custom: Hashable, Sendable {
    /// Credits and their price: every custom amount has this proportion, exactly.
    public let rate: Pack

    /// The least money of a purchase.
    public let least: Money

    /// The most money of a purchase.
    public let most: Money

    /// Describes how custom amounts are sold; the catalogue checks it.
    public init(rate: Pack, least: Money, most: Money) {
      self.rate = rate
      self.least = least
      self.most = most
    }
  }

  /// The packs, in the order in which they are shown; no two with the same credits.
  public let packs: [Pack]

  /// How custom amounts are sold; nil where they are not.
  public let custom: Custom?

  /// The most packs of a catalogue.
  static let mostPacks = 1_000

  /// Makes a catalogue; refuses one in several currencies, with credits or prices that are not positive, with two packs
  /// of the same credits, or with limits of custom amounts that are out of order or not exact at the rate.
  public init(packs: [Pack], custom: Custom?) throws(PricingError) {
    self.init(unchecked: packs, custom: custom)
    try check()
  }

  private init(unchecked packs: [Pack], custom: Custom?) {
    self.packs = packs
    self.custom = custom
  }

  /// 500 credits for $20, 2,500 for $100, 12,500 for $500; custom amounts at 25 credits for a dollar, from 1 to 10,000
  /// dollars.
  public static let standard = Catalogue(
    unchecked: [
      Pack(credits: 500, price: Money(20_00, .usd)), Pack(credits: 2_500, price: Money(100_00, .usd)),
      Pack(credits: 12_500, price: Money(500_00, .usd)),
    ],
    custom: Custom(
      rate: Pack(credits: 25, price: Money(1_00, .usd)), least: Money(1_00, .usd), most: Money(10_000_00, .usd)))

  /// The credits and the price of an offer.
  public func price(of offer: Offer) throws(CatalogueError) -> Pack {
    switch offer {
    case .pack(let credits):
      guard let pack = packs.first(where: { $0.credits == credits }) else {
        throw .unknownPack(credits, known: packs.map(\.credits))
      }
      return pack
    case .credits(let credits):
      guard let custom else { throw .noCustomAmounts }
      return try custom.pack(of: credits)
    case .money(let money):
      guard let custom else { throw .noCustomAmounts }
      return try custom.pack(for: money)
    }
  }

  private func check() throws(PricingError) {
    guard packs.count <= Self.mostPacks else {
      throw PricingError(at: "packs", "\(packs.count) packs; keep it to \(Self.mostPacks)")
    }
    let currency = packs.first?.price.currency ?? custom?.rate.price.currency
    var seen: Set<Amount> = []
    for (index, pack) in packs.enumerated() {
      try Self.check(pack, at: "packs[\(index)]", in: currency)
      guard seen.insert(pack.credits).inserted else {
        throw PricingError(at: "packs[\(index)].credits", "another pack has \(pack.credits) too; make them differ")
      }
    }
    guard let custom else { return }
    try Self.check(custom.rate, at: "custom.rate", in: currency)
    for (key, limit) in [("least", custom.least), ("most", custom.most)] {
      let place = "custom.\(key)"
      try Self.check(limit, at: place, in: currency)
      guard custom.exact(limit) != nil else {
        throw PricingError(at: place, "\(limit) is no exact number of credits at the rate; give a multiple of its step")
      }
    }
    guard custom.least.minor <= custom.most.minor else {
      throw PricingError(at: "custom.most", "\(custom.most) is less than the least; raise it")
    }
  }

  private static func check(_ pack: Pack, at place: String, in currency: Currency?) throws(PricingError) {
    guard pack.credits > .zero else { throw PricingError(at: place + ".credits", "give more than 0") }
    try check(pack.price, at: place + ".price", in: currency)
  }

  private static func check(_ money: Money, at place: String, in currency: Currency?) throws(PricingError) {
    guard money.minor > 0 else { throw PricingError(at: place, "\(money) is not positive; give more than 0") }
    guard let currency, money.currency == currency else {
      throw PricingError(at: place, "\(money) is in another currency than the rest; use one in a catalogue")
    }
  }
}

/// What a customer asks to buy.
public enum Offer: Hashable, Sendable {
  /// The pack with so many credits.
  case pack(Amount)
  /// A custom number of credits.
  case credits(Amount)
  /// As many credits as the money buys.
  case money(Money)
}

extension Catalogue.Custom {
  // All amounts in proportion to the rate are whole multiples of the smallest such amount, the unit: the rate divided
  // by the greatest common divisor of its credits and its price.

  private var unitCredits: Int64 { rate.credits.millionths / divisor }
  private var unitPrice: Int64 { rate.price.minor / divisor }
  private var divisor: Int64 {
    Int64(PriceFormula.commonDivisor(UInt128(rate.credits.millionths), UInt128(rate.price.minor)))
  }

  /// So many units; nil where that is less than the least, more than the most or out of range.
  private func pack(units: Int64) -> Pack? {
    let (minor, overflow) = unitPrice.multipliedReportingOverflow(by: units)
    guard !overflow, minor >= least.minor, minor <= most.minor else { return nil }
    return exact(Money(minor, rate.price.currency))
  }

  /// What money buys; nil where that is not exact or out of range.
  fileprivate func exact(_ money: Money) -> Pack? {
    let (units, rest) = money.minor.quotientAndRemainder(dividingBy: unitPrice)
    let (credits, overflow) = unitCredits.multipliedReportingOverflow(by: units)
    return rest == 0 && !overflow ? Pack(credits: Amount(millionths: credits), price: money) : nil
  }

  fileprivate func pack(of credits: Amount) throws(CatalogueError) -> Pack {
    if let low = exact(least), credits < low.credits { throw .belowLeast(low) }
    if let high = exact(most), credits > high.credits { throw .aboveMost(high) }
    let (units, rest) = credits.millionths.quotientAndRemainder(dividingBy: unitCredits)
    if rest == 0, let pack = pack(units: units) { return pack }
    throw .notExact(below: pack(units: units), above: pack(units: units + 1))
  }

  fileprivate func pack(for money: Money) throws(CatalogueError) -> Pack {
    guard money.currency == rate.price.currency else { throw .wrongCurrency(rate.price.currency) }
    if let low = exact(least), money.minor < low.price.minor { throw .belowLeast(low) }
    if let high = exact(most), money.minor > high.price.minor { throw .aboveMost(high) }
    if let pack = exact(money) { return pack }
    let units = money.minor / unitPrice
    throw .notExact(below: pack(units: units), above: pack(units: units + 1))
  }
}
