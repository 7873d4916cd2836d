/// Credits given to an account, and what remains of them.
public struct Grant: Hashable, Sendable {
  /// The grant's number within its account, from 1 upwards; receipts and explanations name it.
  public let number: UInt32

  /// Where the credits came from.
  public let kind: Source.Kind

  /// The order of use: grants with a lower number are used first.
  public let priority: UInt8

  /// The amount that was given.
  public let amount: Amount

  /// The amount that is left, holds not counted.
  public package(set) var remaining: Amount

  /// The moment from which the credits can be used.
  public let starts: Timestamp

  /// The moment at which the credits can no longer be used; `never` where they do not expire.
  public let expires: Timestamp

  package init(
    number: UInt32, kind: Source.Kind, priority: UInt8, amount: Amount, remaining: Amount, starts: Timestamp,
    expires: Timestamp
  ) {
    self.number = number
    self.kind = kind
    self.priority = priority
    self.amount = amount
    self.remaining = remaining
    self.starts = starts
    self.expires = expires
  }

  /// Whether this grant is used before another one: by priority, then soonest expiry, then age.
  package func isUsed(before other: Grant) -> Bool {
    if priority != other.priority { return priority < other.priority }
    if expires != other.expires { return expires < other.expires }
    return number < other.number
  }
}

extension Grant {
  /// Where granted credits come from, with the reference that the journal keeps.
  public struct Source: Hashable, Sendable {
    /// The kinds of source, with the codes that the journal uses.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
      /// A plan's credits for a period.
      case allowance = 1
      /// Credits that were bought.
      case purchase = 2
      /// Credits that auto-refill bought.
      case refill = 3
      /// Credits that were given away.
      case promotion = 4
      /// Credits that make good a wrong debit.
      case correction = 5

      /// The kind's name.
      public var description: String {
        switch self {
        case .allowance: "allowance"
        case .purchase: "purchase"
        case .refill: "refill"
        case .promotion: "promotion"
        case .correction: "correction"
        }
      }

      /// The order of use where a grant names none: allowance (10), promotion (20), then all others (30).
      public var priority: UInt8 {
        switch self {
        case .allowance: 10
        case .promotion: 20
        case .purchase, .refill, .correction: 30
        }
      }
    }

    /// The kind of source.
    public let kind: Kind

    /// What the grant refers to, such as an order number, at most 255 bytes; empty where it refers to nothing.
    public let reference: String

    /// Names a source and what it refers to.
    public init(_ kind: Kind, _ reference: String = "") {
      self.kind = kind
      self.reference = reference
    }

    /// A plan's credits for a period.
    public static let allowance = Source(.allowance)

    /// Credits that were bought with an order.
    public static func purchase(_ order: String) -> Source { Source(.purchase, order) }

    /// Credits that were given away in a campaign.
    public static func promotion(_ campaign: String) -> Source { Source(.promotion, campaign) }
  }
}
