/// Rules that turn usage (feature, model, tier, units) into an amount.
///
/// A price is the base and the rates of the feature, times the factors of the model and of the tier, computed exactly
/// and rounded up once, at the end. Publishing a book makes it a version; a version never changes.
public struct PriceBook: Hashable, Sendable {
  /// The book's name, from 1 to 255 bytes.
  public var name: String

  /// The moment from which the book is used; nil where it is used from the beginning.
  public var validFrom: Timestamp?

  /// The moment from which the book is used no longer; nil where it is used without end.
  public var validUntil: Timestamp?

  /// How long a quote stays good, in whole seconds, at most 366 days.
  public var quoteValidity: Duration

  /// The step to a multiple of which a price is rounded up.
  public var rounding: Amount

  /// What can be used, in the order of the book.
  public var features: [Feature]

  /// Describes a price book.
  public init(
    _ name: String, validFrom: Timestamp? = nil, validUntil: Timestamp? = nil,
    quoteValidity: Duration = .seconds(300), rounding: Amount = 0.000001, features: [Feature]
  ) {
    self.name = name
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.quoteValidity = quoteValidity
    self.rounding = rounding
    self.features = features
  }

  /// The name of the model, and of the tier, that counts where usage names none.
  public static let defaultName = "default"

  /// Something that costs credits.
  public struct Feature: Hashable, Sendable {
    /// The feature's name, from 1 to 255 bytes, once in a book.
    public var name: String

    /// What each use costs, whatever its units.
    public var base: Amount

    /// What the units cost, at most four rates.
    public var rates: [Rate]

    /// The models and their factors. Where there are any, usage must name one of them; usage that names none takes
    /// the one named `default`, and is refused where there is no such. Where there are none, usage may name none.
    public var models: [Choice]

    /// The tiers and their factors, by the same rule as the models.
    public var tiers: [Choice]

    /// The least price, applied after rounding.
    public var minimum: Amount

    /// The greatest price, applied after rounding and after the least price; nil where there is none.
    public var maximum: Amount?

    /// Describes a feature.
    public init(
      _ name: String, base: Amount = 0, rates: [Rate] = [], models: [Choice] = [], tiers: [Choice] = [],
      minimum: Amount = 0, maximum: Amount? = nil
    ) {
      self.name = name
      self.base = base
      self.rates = rates
      self.models = models
      self.tiers = tiers
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  /// What the units of one kind cost.
  public struct Rate: Hashable, Sendable {
    /// The name of the unit, such as `token`, from 1 to 255 bytes, once in a feature.
    public var unit: String

    /// What `per` units cost.
    public var amount: Amount

    /// The number of units that cost `amount`, at least 1; parts of it are charged exactly.
    public var per: UInt32

    /// Describes a rate: `Rate(unit: "token", amount: 0.5, per: 1000)`.
    public init(unit: String, amount: Amount, per: UInt32 = 1) {
      self.unit = unit
      self.amount = amount
      self.per = per
    }
  }

  /// A model or a tier and its factor.
  public struct Choice: Hashable, Sendable {
    /// The name, from 1 to 255 bytes, once among the models or the tiers of a feature.
    public var name: String

    /// What the price is multiplied by.
    public var factor: Multiplier

    /// Describes a model or a tier: `Choice("large", times: 2.5)`.
    public init(_ name: String, times factor: Multiplier) {
      self.name = name
      self.factor = factor
    }
  }
}

/// An exact factor, to the millionth.
public struct Multiplier: Hashable, Sendable, BitwiseCopyable {
  /// The factor in millionths.
  public let millionths: Int64

  /// Makes a factor from millionths.
  public init(millionths: Int64) { self.millionths = millionths }

  /// The factor that changes nothing.
  public static let one = Multiplier(millionths: 1_000_000)
}

extension Multiplier: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, LosslessStringConvertible {
  /// Makes a whole factor that is written in the source; traps beyond nine trillion.
  public init(integerLiteral factor: Int64) { self.init(millionths: Amount(integerLiteral: factor).millionths) }

  /// Makes a factor that is written in the source with a decimal point, exactly; traps where an `Amount` would.
  public init(floatLiteral factor: Double) { self.init(millionths: Amount(floatLiteral: factor).millionths) }

  /// Parses decimal text such as `2.5`, exactly; nil for anything else, and for more than six decimals.
  public init?(_ text: String) {
    guard let amount = Amount(text) else { return nil }
    self.init(millionths: amount.millionths)
  }

  /// The shortest exact decimal text, such as `2.5`.
  public var description: String { Amount(millionths: millionths).description }
}
