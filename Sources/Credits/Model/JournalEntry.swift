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
    /// Credits were set aside.
    case held
    /// A hold was captured: some or all of its credits were taken, the rest went back.
    case captured
    /// A hold was released: its credits went back.
    case released
    /// A plan was begun, or changed.
    case subscribed
    /// A plan's period ended and the next one began.
    case renewed
    /// A plan is to end with its period.
    case unsubscribed
    /// A plan ended.
    case ended = "plan-ended"
    /// The levels of alerts were set.
    case alertsSet = "alerts-set"
    /// The available credits fell below the level of an alert.
    case alerted
    /// Nothing was left.
    case exhausted
    /// Auto-refill was switched on, changed, or switched off.
    case refillSet = "refill-set"
    /// Auto-refill can go on after a pause.
    case rearmed = "refill-rearmed"
    /// Auto-refill pauses, as the money of its period is used up.
    case capped = "refill-capped"
    /// A refill came due.
    case due = "refill-due"
    /// The customer ordered credits.
    case ordered = "purchase-ordered"
    /// A charge is about to be sent to the payment provider.
    case charging
    /// A charge was paid, and its credits were given.
    case credited
    /// A charge was declined.
    case declined = "charge-declined"
    /// The customer's bank wants something from the customer before a charge is paid.
    case needsAction = "charge-needs-action"
    /// A charge has no final answer yet.
    case unsettled = "charge-unsettled"
    /// A charge was cancelled: nothing was, or will be, paid.
    case cancelled = "charge-cancelled"
    /// The payment provider took another sum than it was told to.
    case mismatched = "charge-mismatched"
    /// A charge was disputed, or failed, after it had been credited.
    case disputed = "charge-disputed"
    /// A payment method was saved.
    case methodSaved = "method-saved"
    /// A payment method was removed.
    case methodRemoved = "method-removed"

    /// The kinds that other systems want to hear of: all but the traffic of debits, holds and denials.
    public static let events = Set(allCases).subtracting([.debited, .denied, .held, .captured, .released])

    static let all = allCases

    init(_ kind: Entry.Kind) { self = Kind.all[Int(kind.rawValue) - 1] }
  }

  /// Credits of one grant.
  public struct Part: Hashable, Sendable {
    /// The number of the grant within its account.
    public let grant: UInt32

    /// The credits.
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

  /// What the account had available before the entry.
  public let availableBefore: Amount

  /// What went from a hold back to its grants.
  public let returned: [Part]

  /// What was left of grants and expired with the entry: a hold's, or an old allowance.
  public let lapsed: [Part]

  /// What was left of an old allowance and went over into the new one.
  public let rolled: [Part]

  /// The text of the entry: an account's label, the reason of a freeze, a close, a decline or a correction, or a plan's
  /// name.
  public let text: String?

  /// Who made a correction.
  public let agent: String?

  /// The address or code by which the customer can do what the bank wants.
  public let link: String?

  /// The debit that a correction makes good.
  public let corrects: SequenceNumber?

  /// The request that made the hold which ended.
  public let hold: RequestID?

  /// The number of the charge concerned, within its account.
  public let charge: UInt32?

  /// The number of the payment method concerned, within its account.
  public let method: UInt32?

  /// What is, or was, paid; for a mismatch, what the payment provider took.
  public let money: Money?

  /// The moment until which what began with the entry lasts: a hold's deadline, the end of a plan's period, the end of
  /// a pause.
  public let until: Timestamp?

  /// What brought the entry about, where there are several ways, in a word.
  public let cause: String?

  /// What was used, where a price book was asked for the amount.
  public let usage: Usage?

  /// The version of the price book by which the amount was worked out; nil where the amount is the caller's, or where
  /// there was no price.
  public let priceVersion: UInt32?

  /// The account's entry before this one; 0 for the first.
  public let previous: SequenceNumber

  package init(_ record: borrowing Record, at sequence: SequenceNumber, _ prices: PriceTable? = nil) {
    let entry = record.entry
    self.sequence = sequence
    let kind = Kind(entry.kind)
    self.kind = kind
    account = entry.account
    request = entry.request == .none ? nil : entry.request
    time = entry.time
    amount = entry.amount
    available = entry.available
    previous = entry.previous
    var (asked, starts, expires): (Amount?, Timestamp?, Timestamp?)
    var (returned, lapsed, rolled): ([Part], [Part], [Part]) = ([], [], [])
    var hold: RequestID?
    for item in record.items {
      switch item {
      case .asked(let amount): asked = amount
      case .times(let first, let last):
        starts = first == .zero ? nil : first
        expires = last == .never ? nil : last
      case .returned(let grant, let amount): returned.append(Part(grant: grant, amount: amount))
      case .lapsed(let grant, let amount): lapsed.append(Part(grant: grant, amount: amount))
      case .rolled(let grant, let amount): rolled.append(Part(grant: grant, amount: amount))
      case .request(let request): hold = request
      case .part, .text, .moment, .amount, .number, .money: break
      }
    }
    (self.asked, self.starts, self.expires, self.hold) = (asked, starts, expires, hold)
    (self.returned, self.lapsed, self.rolled) = (returned, lapsed, rolled)
    text = record.text(.label) ?? record.text(.reason) ?? record.text(.plan) ?? record.text(.consent)
    agent = record.text(.agent)
    link = record.text(.link)
    corrects = record.number(.names).map { SequenceNumber($0) }
    let isUsage = entry.kind.isPriced
    usage = isUsage ? prices.flatMap { Usage(record, in: $0) } : nil
    priceVersion = isUsage && entry.price != 0 ? prices?.version(ofRow: entry.price) : nil
    if entry.kind == .denied, case .denied(let denial) = Answer(record, at: sequence, isReplay: false) {
      self.denial = denial.reason
      declined = Entry.Kind(rawValue: UInt8(truncatingIfNeeded: entry.grant)).map { Kind($0) }
    } else {
      denial = nil
      declined = nil
    }
    parts = record.givesOrTakes ? record.parts.map { Part(grant: $0.grant, amount: $0.amount) } : []
    let code: UInt8? =
      entry.kind == .granted || entry.kind == .credited
      ? entry.detail : declined == .granted ? UInt8(entry.grant >> 8 & 0xFF) : nil
    source = code.flatMap(Grant.Source.Kind.init).map { Grant.Source($0, record.text(.reference) ?? "") }
    priority =
      entry.kind == .granted
      ? UInt8(truncatingIfNeeded: entry.units) : declined == .granted ? UInt8(entry.grant >> 16 & 0xFF) : nil
    charge = kind.isOfCharge ? entry.units : nil
    method =
      kind == .methodSaved || kind == .methodRemoved
      ? entry.units : record.number(.method).flatMap { UInt32(exactly: $0) }
    money = record.money(.told) ?? record.money(.price)
    let lasting = record.number(.duration).flatMap { Int64(exactly: $0) }
    until = record.moment(.until) ?? record.moment(.next) ?? lasting.map { entry.time + .microseconds($0) }
    cause = record.cause
    availableBefore = record.availableBefore
  }
}

extension JournalEntry.Kind {
  /// Whether the entry is about a charge.
  fileprivate var isOfCharge: Bool {
    switch self {
    case .due, .ordered, .charging, .credited, .declined, .needsAction, .unsettled, .cancelled, .mismatched, .disputed:
      true
    default: false
    }
  }
}

extension Record {
  /// Whether the entry takes from grants, or is about one.
  fileprivate var givesOrTakes: Bool {
    switch entry.kind {
    case .debited, .held, .captured: entry.amount > 0
    case .granted, .begun, .expired, .credited: true
    case .subscribed, .renewed: entry.grant != 0
    default: false
    }
  }

  /// What the account had available before the entry.
  fileprivate var availableBefore: Amount {
    // Wrapping, as nobody has checked the amounts of a damaged entry that is to be shown.
    var before = entry.available.millionths
    let amount = entry.amount.millionths
    switch entry.kind {
    case .debited, .held, .expired, .ended: before &+= amount
    case .closed: before &+= amount &- (self.amount(.held)?.millionths ?? 0)
    case .begun, .credited, .subscribed: before &-= amount
    case .granted:
      for case .times(let starts, _) in items where starts > entry.time { return entry.available }
      before &-= amount
    case .captured, .released: for case .returned(_, let amount) in items { before &-= amount.millionths }
    case .renewed:
      before &-= amount
      for case .lapsed(_, let amount) in items { before &+= amount.millionths }
    default: break
    }
    return Amount(millionths: before)
  }

  /// What brought the entry about, in a word.
  fileprivate var cause: String? {
    switch entry.kind {
    case .captured, .released: HoldOutcome.Cause(rawValue: entry.detail)?.description
    case .ended: entry.detail == 1 ? "at once" : "period over"
    case .refillSet: entry.detail == 1 ? "on" : "off"
    case .rearmed: Rearming(rawValue: entry.detail)?.description
    case .cancelled: Cancellation(rawValue: entry.detail)?.description
    case .unsettled: Charge.Status(rawValue: entry.detail)?.description
    default: nil
    }
  }
}

/// Everything about one request: its entry, the price, the grants that it drew on, and what came of it later.
public struct Explanation: Hashable, Sendable {
  /// The entry that answered the request.
  public let entry: JournalEntry

  /// How the price came about, where a price book was asked for it.
  public let price: PriceBreakdown?

  /// The entries that gave the grants it drew on, in the order of use; those outside retention are missing.
  public let grants: [JournalEntry]

  /// For a hold: the entry that ended it, and the debit of what was captured beyond it.
  public let followers: [JournalEntry]

  /// For a hold: how the price of what was captured comes about, where a price book was asked for it.
  public let capturePrice: PriceBreakdown?

  /// For a debit: the correction that made it good. For a correction: nothing.
  public let correction: JournalEntry?

  /// For a correction: the debit that it makes good, unless it is outside retention.
  public let corrected: JournalEntry?
}
