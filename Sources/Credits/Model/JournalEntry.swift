/// One immutable record of the journal, as history, explanations and exports show it.
public struct JournalEntry: Hashable, Sendable {
  /// What an entry records.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// The account was opened.
    case opened
    /// Credits were given.
    case granted
    /// Credits that were given earlier became usable.
    case begun
    /// Credits were taken.
    case debited
    /// A request was declined.
    case denied
    /// Credits passed their expiry.
    case expired
    /// Spending was stopped.
    case frozen
    /// Spending was allowed again.
    case unfrozen
    /// The account was closed, and its credits went.
    case closed
  }

  /// What was taken from one grant.
  public struct Part: Hashable, Sendable {
    /// The number of the grant within its account.
    public let grant: UInt32

    /// The credits that were taken from it.
    public let amount: Amount
  }

  /// The entry's place in the journal.
  public let sequence: SequenceNumber

  /// What it records.
  public let kind: Kind

  /// The account concerned.
  public let account: AccountID

  /// The request that asked for it; nil where time did it.
  public let request: RequestID?

  /// The moment it was decided at.
  public let time: Timestamp

  /// The credits given, taken, expired, or asked for and declined.
  public let amount: Amount

  /// The credits asked for, where a debit took less than that.
  public let asked: Amount?

  /// What the account had available afterwards.
  public let available: Amount

  /// Why the request was declined, for a denial.
  public let denial: Denial.Reason?

  /// What was declined, for a denial: the kind of entry that was not made.
  public let declined: Kind?

  /// What was taken from which grants, in the order of use; or the one grant that was given, began or expired.
  public let parts: [Part]

  /// Where granted credits came from.
  public let source: Grant.Source?

  /// The order of use of granted credits.
  public let priority: UInt8?

  /// The moment from which granted credits can be used, if one was set.
  public let starts: Timestamp?

  /// The moment at which granted credits can no longer be used, if one was set.
  public let expires: Timestamp?

  /// The text an account was opened with, or the reason that was given for a freeze or a close.
  public let text: String?

  /// The account's entry before this one; 0 for the first.
  public let previous: SequenceNumber

  init(_ record: borrowing Record, at sequence: SequenceNumber) {
    let entry = record.entry
    self.sequence = sequence
    kind = Kind(entry.kind)
    account = entry.account
    request = entry.request == .none ? nil : entry.request
    time = entry.time
    amount = entry.amount
    available = entry.available
    previous = entry.previous
    var (asked, starts, expires): (Amount?, Timestamp?, Timestamp?)
    for item in record.items {
      switch item {
      case .asked(let amount): asked = amount
      case .times(let first, let last):
        starts = first == .zero ? nil : first
        expires = last == .never ? nil : last
      case .part, .text: break
      }
    }
    (self.asked, self.starts, self.expires) = (asked, starts, expires)
    text = record.text(.label) ?? record.text(.reason)
    if entry.kind == .denied, case .denied(let denial) = Answer(record, at: sequence, isReplay: false) {
      self.denial = denial.reason
      declined = Entry.Kind(rawValue: UInt8(truncatingIfNeeded: entry.grant)).map { Kind($0) }
    } else {
      denial = nil
      declined = nil
    }
    switch entry.kind {
    case .debited, .granted, .begun, .expired: parts = record.parts.map { Part(grant: $0.grant, amount: $0.amount) }
    default: parts = []
    }
    let code: UInt8? =
      entry.kind == .granted ? entry.detail : declined == .granted ? UInt8(entry.grant >> 8 & 0xFF) : nil
    source = code.flatMap(Grant.Source.Kind.init).map { Grant.Source($0, record.text(.reference) ?? "") }
    priority =
      entry.kind == .granted
      ? UInt8(truncatingIfNeeded: entry.units) : declined == .granted ? UInt8(entry.grant >> 16 & 0xFF) : nil
  }

  /// What the account had available before the entry.
  public var availableBefore: Amount {
    switch kind {
    case .debited, .expired, .closed: available + amount
    case .granted: starts.map { $0 > time } == true ? available : available - amount
    case .begun: available - amount
    case .opened, .denied, .frozen, .unfrozen: available
    }
  }
}

extension JournalEntry.Kind {
  init(_ kind: Entry.Kind) {
    switch kind {
    case .opened: self = .opened
    case .granted: self = .granted
    case .begun: self = .begun
    case .debited: self = .debited
    case .denied: self = .denied
    case .expired: self = .expired
    case .frozen: self = .frozen
    case .unfrozen: self = .unfrozen
    case .closed: self = .closed
    }
  }
}

/// Everything about one request: its entry, and the grants that it drew on.
public struct Explanation: Hashable, Sendable {
  /// The entry that answered the request.
  public let entry: JournalEntry

  /// The entries that gave the grants it drew on, in the order of use; those outside retention are missing.
  public let grants: [JournalEntry]
}
