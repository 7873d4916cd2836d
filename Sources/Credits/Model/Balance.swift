/// What an account has, at one version.
public struct Balance: Hashable, Sendable {
  /// The credits that can be used now: unexpired, not held.
  public let available: Amount

  /// The credits set aside by holds.
  public let held: Amount

  /// The entry that made this balance; it only rises.
  public let version: SequenceNumber

  package init(available: Amount, held: Amount, version: SequenceNumber) {
    self.available = available
    self.held = held
    self.version = version
  }
}

/// What may be done with an account.
public enum AccountStatus: UInt8, Hashable, Sendable, CustomStringConvertible {
  /// Everything.
  case open = 0
  /// Credits may arrive and expire, none may be spent.
  case frozen = 1
  /// Nothing, for good.
  case closed = 2

  /// The status's name.
  public var description: String {
    switch self {
    case .open: "open"
    case .frozen: "frozen"
    case .closed: "closed"
    }
  }
}

/// An account as a whole: its balance, status, totals and grants.
public struct AccountSummary: Hashable, Sendable {
  /// The account's id.
  public let id: AccountID

  /// The text the account was opened with, if any.
  public let label: String?

  /// What the account has.
  public let balance: Balance

  /// What may be done with the account.
  public let status: AccountStatus

  /// All credits that ever became usable.
  public let granted: Amount

  /// All credits that were ever spent.
  public let spent: Amount

  /// All credits that ever expired or went with the closing of the account.
  public let expired: Amount

  /// The grants that have credits left, in the order of use; those that start later come last.
  public let grants: [Grant]

  /// The open holds, oldest first.
  public let holds: [Hold]

  /// The plan; nil if there is none.
  public let plan: Subscription?

  /// The levels of available credits that are told when they are crossed, highest first.
  public let alerts: [Amount]

  /// How auto-refill stands.
  public let refill: RefillSummary

  /// The saved payment methods, oldest first.
  public let methods: [PaymentMethod]

  /// The charges that have not ended, oldest first.
  public let charges: [Charge]
}
