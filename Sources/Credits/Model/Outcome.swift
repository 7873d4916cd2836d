/// The answer to a debit: the receipt, or why not.
public enum Outcome: Hashable, Sendable {
  /// The credits were taken.
  case debited(Receipt)
  /// No credits were taken.
  case denied(Denial)
}

extension Outcome {
  /// The entry that records the outcome; nil where nothing was recorded.
  public var sequence: SequenceNumber? {
    switch self {
    case .debited(let receipt): receipt.sequence
    case .denied(let denial): denial.sequence
    }
  }
}

/// The proof of a change: the entry that made it, and the balance after it.
public struct Receipt: Hashable, Sendable {
  /// The entry that made the change.
  public let sequence: SequenceNumber

  /// The moment that the change was decided at.
  public let time: Timestamp

  /// The credits that were taken or given.
  public let amount: Amount

  /// The available credits after the change.
  public let balance: Amount

  /// Whether the request had been answered before, so that this is the earlier outcome and nothing changed now.
  public let isReplay: Bool

  /// The number of the charge or payment method that the entry is about; for the end of a hold, its cause.
  package let number: UInt32

  package init(
    sequence: SequenceNumber, time: Timestamp, amount: Amount, balance: Amount, isReplay: Bool, number: UInt32 = 0
  ) {
    self.sequence = sequence
    self.time = time
    self.amount = amount
    self.balance = balance
    self.isReplay = isReplay
    self.number = number
  }
}

/// The answer to a request that the rules decline.
///
/// A well-formed request that is declined is recorded: the denial has a `sequence`, and stays the answer to
/// its request for good. A request that cannot be accepted at all (a conflict, an unknown account, a bad amount) is
/// answered, but leaves no trace.
public struct Denial: Hashable, Sendable {
  /// Why a request is declined.
  public enum Reason: Hashable, Sendable {
    /// The available credits do not cover the amount. Recorded.
    case insufficient(available: Amount, needed: Amount)
    /// The account is frozen. Recorded.
    case frozen
    /// The account is closed. Recorded.
    case closed
    /// The account's totals, or its number of grants, holds or the like, would pass their limit. Recorded.
    case limit
    /// No price book is valid now, or the price of the usage is out of range. Recorded.
    case noPrice
    /// The price book has no such feature. Recorded.
    case unknownFeature
    /// The feature has no such model. Recorded.
    case unknownModel
    /// The feature has no such tier of complexity. Recorded.
    case unknownTier
    /// The feature has no rate for such units. Recorded.
    case unknownUnit
    /// The quote is no longer valid, and there are newer prices. Recorded.
    case priceChanged
    /// The account has no plan. Recorded.
    case noPlan
    /// The account has no such payment method. Recorded.
    case noMethod
    /// Auto-refill is off. Recorded.
    case noRefill
    /// The debit was made good before. Recorded.
    case alreadyCorrected
    /// The account has no such charge. Recorded.
    case noCharge
    /// The account has no such hold. Not recorded.
    case noHold
    /// The account has no such debit. Not recorded.
    case noDebit
    /// The request id was used before, with other contents, by the entry named here. Not recorded.
    case conflict(with: SequenceNumber)
    /// The request id carries a time before the request window. Not recorded.
    case tooOld
    /// The account was never opened. Not recorded.
    case unknownAccount
    /// The amount is zero or negative, times or texts are out of range, or the request id is zero. Not recorded.
    case invalid
    /// The account was opened before, by the entry named here. Not recorded.
    case alreadyOpen(by: SequenceNumber)
  }

  /// Why the request was declined.
  public let reason: Reason

  /// The entry that records the denial; nil where nothing was recorded.
  public let sequence: SequenceNumber?

  /// The moment that the request was decided at.
  public let time: Timestamp

  /// Whether the request had been answered before, so that this is the earlier outcome and nothing changed now.
  public let isReplay: Bool

  package init(reason: Reason, sequence: SequenceNumber?, time: Timestamp, isReplay: Bool) {
    self.reason = reason
    self.sequence = sequence
    self.time = time
    self.isReplay = isReplay
  }
}

extension Denial.Reason: CustomStringConvertible {
  /// The stable name of the reason, for machines and metrics.
  public var code: String {
    switch self {
    case .insufficient: "insufficient"
    case .frozen: "frozen"
    case .closed: "closed"
    case .limit: "limit"
    case .noPrice: "no-price"
    case .unknownFeature: "unknown-feature"
    case .unknownModel: "unknown-model"
    case .unknownTier: "unknown-tier"
    case .unknownUnit: "unknown-unit"
    case .priceChanged: "price-changed"
    case .noPlan: "no-plan"
    case .noMethod: "no-method"
    case .noRefill: "no-refill"
    case .alreadyCorrected: "already-corrected"
    case .noCharge: "no-charge"
    case .noHold: "no-hold"
    case .noDebit: "no-debit"
    case .conflict: "conflict"
    case .tooOld: "too-old"
    case .unknownAccount: "unknown-account"
    case .invalid: "invalid"
    case .alreadyOpen: "already-open"
    }
  }

  /// What happened and what to do, in a sentence.
  public var description: String {
    switch self {
    case .insufficient(let available, let needed):
      "\(available) credits are available and \(needed) are needed; grant or buy credits, then use a new request id"
    case .frozen: "the account is frozen; unfreeze it, then use a new request id"
    case .closed: "the account is closed for good; open another account"
    case .limit: "the account would pass a limit on its totals, or on its number of grants, holds or the like"
    case .noPrice: "no price book is valid now, or the price is out of range; publish a price book"
    case .unknownFeature: "the price book has no such feature; name one that it has, or publish a book with it"
    case .unknownModel: "the feature has no such model; name one that it has, or publish a price book with it"
    case .unknownTier: "the feature has no such tier; name one that it has, or publish a price book with it"
    case .unknownUnit: "the feature has no rate for such units; name units that it has a rate for"
    case .priceChanged: "the quote has expired and prices have changed; get a new quote, then use a new request id"
    case .noPlan: "the account has no plan; subscribe it to one first"
    case .noMethod: "the account has no such payment method; save one first"
    case .noRefill: "auto-refill is off; switch it on first"
    case .alreadyCorrected: "the debit was made good before, and is so at most once"
    case .noCharge: "the account has no such charge, or it is still open"
    case .noHold: "there is no such hold; it was denied, or was never made"
    case .noDebit: "the account has no such debit; name the sequence number of one of its debits"
    case .conflict(let sequence):
      "the request id was used before with other contents, by entry \(sequence); use a new request id"
    case .tooOld: "the request id was made before the request window; use a new request id"
    case .unknownAccount: "there is no such account; open it first"
    case .invalid:
      "the amount is not above zero, a time or text is out of range, or the request id is zero; correct the request"
    case .alreadyOpen(let sequence): "the account was opened before, by entry \(sequence)"
    }
  }
}

/// How much of a debit must be certain before its caller goes on.
public enum Acknowledgement: Hashable, Sendable {
  /// The outcome survives a power cut.
  case durable
  /// The outcome is decided, and will be durable some milliseconds later unless the machine or the store fails before.
  case applied
}

/// One debit of a batch.
public struct Debit: Hashable, Sendable {
  /// The account to take credits from.
  public let account: AccountID

  /// The credits to take.
  public let amount: Amount

  /// The caller's idempotency key.
  public let request: RequestID

  /// Whether to take all of the amount or nothing, or as much as there is.
  public let extent: Extent

  /// The row of the store's prices by which the amount was worked out; 0 where the amount is the caller's.
  package private(set) var price: UInt32 = 0

  /// The units of the first kind that were priced.
  package private(set) var units: UInt32 = 0

  /// The units of the second kind that were priced.
  package private(set) var furtherUnits: UInt32 = 0

  /// How much of the amount a debit takes.
  public enum Extent: UInt8, Hashable, Sendable {
    /// All of the amount, or nothing.
    case whole = 0
    /// As much of the amount as is available, but more than nothing.
    case upTo = 1
  }

  /// Describes a debit.
  @inlinable public init(_ amount: Amount, from account: AccountID, request: RequestID, extent: Extent = .whole) {
    self.account = account
    self.amount = amount
    self.request = request
    self.extent = extent
  }

  /// Describes a debit whose amount was worked out from a row of prices.
  package init(
    _ amount: Amount, from account: AccountID, request: RequestID, extent: Extent, price: UInt32, units: UInt32,
    furtherUnits: UInt32
  ) {
    self.init(amount, from: account, request: request, extent: extent)
    self.price = price
    self.units = units
    self.furtherUnits = furtherUnits
  }

  /// The debit as a command.
  package var command: Command {
    guard price != 0 else { return .debit(amount, extent, .none) }
    var counts = Counts()
    counts[0] = UInt64(units)
    counts[1] = UInt64(furtherUnits)
    return .debit(amount, extent, Tariff(row: price, counts: counts))
  }
}
