/// What usage costs by one version of the price book, and until when that holds.
public struct Quote: Hashable, Sendable, BitwiseCopyable {
  /// The price.
  public let amount: Amount

  /// The version of the price book.
  public let version: UInt32

  /// The moment from which the quote is good no longer, whatever becomes of the book meanwhile.
  public let expires: Timestamp

  /// The row of the price table.
  package let row: UInt32

  /// The units in the order of the feature's rates.
  package let counts: Counts

  package init(amount: Amount, version: UInt32, expires: Timestamp, row: UInt32, counts: Counts) {
    self.amount = amount
    self.version = version
    self.expires = expires
    self.row = row
    self.counts = counts
  }
}

/// Why usage has no price; it is denied then, never free.
public enum PriceRefusal: UInt8, Hashable, Sendable, CaseIterable, BitwiseCopyable {
  /// No price book is valid now.
  case noBook = 1
  /// The book has no such feature.
  case unknownFeature = 2
  /// The feature has no such model, or usage names none and there is no default.
  case unknownModel = 3
  /// The feature has no such tier, or usage names none and there is no default.
  case unknownTier = 4
  /// The feature has no such unit, or a number alone was given and the feature has not exactly one rate.
  case unknownUnit = 5
  /// The price is beyond the range of an amount.
  case outOfRange = 6
}

extension PriceRefusal: CustomStringConvertible {
  /// The refusal in words.
  public var description: String {
    switch self {
    case .noBook: "no price book is valid"
    case .unknownFeature: "unknown feature"
    case .unknownModel: "unknown model"
    case .unknownTier: "unknown tier"
    case .unknownUnit: "unknown unit"
    case .outOfRange: "price out of range"
    }
  }
}

/// What the price table answers.
package enum Pricing: Hashable, Sendable {
  /// The usage has a price.
  case priced(Quote)
  /// The usage has none.
  case refused(PriceRefusal)
}
