/// The answer to a debit: the receipt, or why not.
public enum Outcome: Hashable, Sendable {
  /// The credits were taken.
  case debited(Receipt)
  /// No credits were taken.
  case denied(Denial)
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

  package init(
    sequence: SequenceNumber, time: Timestamp, amount: Amount, balance: Amount, isReplay: Bool
  ) {
    self.sequence = sequence
    self.time = time
    self.amount = amount
    self.balance = balance
    self.isReplay = isReplay
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
    /// The account's totals, or its number of grants, would pass their limit. Recorded.
    case limit
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
    case .limit: "the account would pass a limit on its totals or its number of grants"
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
}
