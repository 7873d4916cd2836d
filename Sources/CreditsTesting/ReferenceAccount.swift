public import Credits

/// One account of the reference ledger: plain arrays, looked through from one end to the other.
public struct ReferenceAccount: Sendable {
  /// A grant, from the moment it was given until nothing is left of it.
  public struct Grant: Hashable, Sendable {
    /// The number within the account.
    public let number: UInt32
    /// Where the credits came from.
    public let kind: Credits.Grant.Source.Kind
    /// The order of use.
    public let priority: UInt8
    /// What was given.
    public let amount: Amount
    /// What is left.
    public var remaining: Amount
    /// From when on it is usable.
    public let starts: Timestamp
    /// From when on it is not.
    public let expires: Timestamp
    /// Whether it has become usable.
    public var hasBegun: Bool
  }

  /// The account's id.
  public let id: AccountID
  /// The text it was opened with.
  public let label: String
  /// What may be done with it.
  public var status = AccountStatus.open
  /// All grants with something left, in the order they were given.
  public var grants: [Grant] = []
  /// The number of the latest grant.
  public var lastGrant: UInt32 = 0
  /// All credits that became usable.
  public var granted: Int128 = 0
  /// All credits that were spent.
  public var spent: Int128 = 0
  /// All credits that expired.
  public var expired: Int128 = 0
  /// All entries, oldest first.
  public var entries: [ReferenceEntry] = []

  /// The last entry.
  public var last: SequenceNumber { entries.last?.sequence ?? .none }

  /// What can be used now.
  public var available: Amount { grants.filter(\.hasBegun).reduce(0) { $0 + $1.remaining } }

  /// The grants that can be used, in the order of use: priority, then soonest expiry, then age.
  public var usable: [Grant] {
    grants.filter(\.hasBegun).sorted {
      ($0.priority, $0.expires, $0.number) < ($1.priority, $1.expires, $1.number)
    }
  }

  /// The grants that start later, soonest first.
  public var waiting: [Grant] {
    grants.filter { !$0.hasBegun }.sorted { ($0.starts, $0.number) < ($1.starts, $1.number) }
  }

  /// The next moment at which something happens by itself.
  public var nextMoment: Timestamp? { nextEvent?.time }

  private struct Event {
    let time: Timestamp
    let kind: JournalEntry.Kind
    let grant: UInt32
  }

  /// What happens next by itself: of two things at one moment, a beginning comes first, then the order of use.
  private var nextEvent: Event? {
    let beginnings = waiting.map { Event(time: $0.starts, kind: .begun, grant: $0.number) }
    let endings = usable.filter { $0.expires != .never }
      .map { Event(time: $0.expires, kind: .expired, grant: $0.number) }
    var next: Event?
    for event in beginnings + endings where next.map({ event.time < $0.time }) ?? true { next = event }
    return next
  }

  /// Lets time do its work; the entries get the numbers after the last one of the journal.
  mutating func settle(at now: Timestamp, after journal: inout SequenceNumber) {
    while let event = nextEvent, event.time <= now,
      let index = grants.firstIndex(where: { $0.number == event.grant })
    {
      let amount = grants[index].remaining
      if event.kind == .begun {
        grants[index].hasBegun = true
        granted += Int128(amount.millionths)
      } else {
        grants.remove(at: index)
        expired += Int128(amount.millionths)
      }
      let part = ReferenceEntry.Part(grant: event.grant, amount: amount)
      add(event.kind, amount, parts: [part], at: now, after: &journal)
    }
  }

  /// Adds an entry that leaves what is available now.
  mutating func add(
    _ kind: JournalEntry.Kind, _ amount: Amount, of request: ReferenceRequest? = nil, asked: Amount? = nil,
    parts: [ReferenceEntry.Part] = [], denial: Denial.Reason? = nil, available: Amount? = nil, at time: Timestamp,
    after journal: inout SequenceNumber
  ) {
    let previous = last
    journal = SequenceNumber(journal.value + 1)
    entries.append(
      ReferenceEntry(
        sequence: journal, kind: kind, request: request, time: time, amount: amount,
        available: available ?? self.available, asked: asked, parts: parts, denial: denial, previous: previous))
  }
}

extension ReferenceAccount {
  /// What is different in what a store says of the account, in words; nil if nothing is.
  ///
  /// The store shows what time has done by itself before it is recorded, under the version of the last record.
  public func difference(from summary: AccountSummary, at now: Timestamp) -> String? {
    var state = self
    var ignored = SequenceNumber.none
    state.settle(at: now, after: &ignored)
    let grants = (state.usable + state.waiting).map {
      Credits.Grant(
        number: $0.number, kind: $0.kind, priority: $0.priority, amount: $0.amount, remaining: $0.remaining,
        starts: $0.starts, expires: $0.expires)
    }
    var comparison = Comparison(of: "account \(id.low)")
    comparison.check("the id", id, summary.id)
    comparison.check("the available amount", state.available, summary.balance.available)
    comparison.check("the held amount", 0, summary.balance.held)
    comparison.check("the version", last, summary.balance.version)
    comparison.check("the label", label.isEmpty ? nil : label, summary.label)
    comparison.check("the status", state.status, summary.status)
    comparison.check("the granted total", state.granted, Int128(summary.granted.millionths))
    comparison.check("the spent total", state.spent, Int128(summary.spent.millionths))
    comparison.check("the expired total", state.expired, Int128(summary.expired.millionths))
    comparison.check("the list of grants", grants, summary.grants)
    return comparison.difference
  }
}
