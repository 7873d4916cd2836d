public import Credits

/// One account of the reference ledger: plain arrays, looked through from one end to the other.
public struct ReferenceAccount: Sendable {
  /// A grant, from the moment it was given until nothing is left of it.
  struct Grant: Hashable, Sendable {
    /// The number within the account.
    let number: UInt32
    let kind: Credits.Grant.Source.Kind
    let priority: UInt8
    let amount: Amount
    /// What is left; of a hold's part, what is held.
    var remaining: Amount
    let starts: Timestamp
    var expires: Timestamp
    /// Whether it has become usable.
    var hasBegun: Bool
  }

  /// Credits set aside.
  struct Hold: Hashable, Sendable {
    let request: RequestID
    let number: UInt32
    let amount: Amount
    let deadline: Timestamp
    let end: Credits.Hold.End
    /// What was taken from each grant, in the order of use.
    var parts: [Grant]
  }

  /// How a hold ended.
  struct HoldEnd: Hashable, Sendable {
    let receipt: Receipt
    let cause: HoldOutcome.Cause
    var excess: Outcome?
  }

  /// A level of available credits that is told when it is crossed.
  struct Level: Hashable, Sendable {
    let amount: Amount
    /// Whether the balance has been at or above it since it was last told.
    var isArmed = true
  }

  /// The account's id.
  public let id: AccountID
  /// The text it was opened with.
  let label: String
  /// What may be done with it.
  var status = AccountStatus.open
  /// All grants with something left, in the order they were given.
  var grants: [Grant] = []
  /// The number of the latest grant.
  var lastGrant: UInt32 = 0
  /// All credits that became usable.
  var granted: Int128 = 0
  /// All credits that were spent.
  var spent: Int128 = 0
  /// All credits that expired.
  var expired: Int128 = 0
  /// The open holds, oldest first.
  var holds: [Hold] = []
  /// The number of the latest hold.
  var lastHold: UInt32 = 0
  /// The holds that ended, by their requests.
  var ends: [RequestID: HoldEnd] = [:]
  /// The plan.
  var plan: ReferencePlan?
  /// The levels that are told, highest first.
  var levels: [Level] = []
  /// How auto-refill stands.
  var refill = ReferenceRefill()
  /// The saved payment methods, oldest first.
  var methods: [PaymentMethod] = []
  /// The number of the latest payment method.
  var lastMethod: UInt32 = 0
  /// All charges there ever were, oldest first.
  var charges: [ReferenceCharge] = []
  /// The charges that ended unpaid and would still be credited, oldest first.
  var unpaid: [UInt32] = []
  /// The debits that were made good.
  var corrected: Set<SequenceNumber> = []
  /// All entries, oldest first.
  var entries: [ReferenceEntry] = []
  /// The account's last entry.
  var last = SequenceNumber.none
  /// The last entry of the journal: entries get the numbers after it.
  var journal = SequenceNumber.none
  /// What was available after the last entry.
  private var told: Amount = 0

  init(id: AccountID, label: String) {
    self.id = id
    self.label = label
  }

  /// What can be used now.
  var available: Amount { grants.reduce(0) { $1.hasBegun ? $0 + $1.remaining : $0 } }

  /// What is set aside.
  var held: Amount { holds.reduce(0) { $0 + $1.amount } }

  /// The grants that can be used, in the order of use: priority, then soonest expiry, then age.
  var usable: [Grant] {
    grants.filter(\.hasBegun).sorted {
      ($0.priority, $0.expires, $0.number) < ($1.priority, $1.expires, $1.number)
    }
  }

  /// The grants that start later, soonest first.
  var waiting: [Grant] {
    grants.filter { !$0.hasBegun }.sorted { ($0.starts, $0.number) < ($1.starts, $1.number) }
  }

  /// Whether so much more can be given: totals and what is still to begin stay below a quarter of 64 bits, and there
  /// are at most a thousand grants, those counted once more that are held.
  func hasRoom(for amount: Amount) -> Bool {
    let total = grants.reduce(granted + Int128(amount.millionths)) {
      $1.hasBegun ? $0 : $0 + Int128($1.remaining.millionths)
    }
    return total < Int128(Int64.max / 4) && grants.count + holds.reduce(0) { $0 + $1.parts.count } < 1_000
  }

  // MARK: Entries

  /// Adds an entry about what has just been done to the account, and what that sets off.
  mutating func add(
    _ kind: JournalEntry.Kind, _ amount: Amount, at time: Timestamp, _ details: ReferenceEntry.Details = .init()
  ) {
    let (before, after) = (told, available)
    journal = SequenceNumber(journal.value + 1)
    entries.append(
      ReferenceEntry(
        sequence: journal, kind: kind, time: time, amount: amount, before: before, available: after, previous: last,
        details: details))
    (last, told) = (journal, after)
    guard kind != .closed else { return }
    if after < before, after == 0 { add(.exhausted, 0, at: time) }
    for index in levels.indices {
      if after >= levels[index].amount {
        levels[index].isArmed = true
      } else if levels[index].isArmed {
        levels[index].isArmed = false
        add(.alerted, levels[index].amount, at: time)
      }
    }
    if after < before { lookAtThreshold(at: time) }
  }

  /// Makes a grant, to be used at once or from its beginning on; answers its number.
  mutating func give(
    _ amount: Amount, _ kind: Credits.Grant.Source.Kind, _ priority: UInt8, starts: Timestamp = .zero,
    expires: Timestamp = .never, at now: Timestamp
  ) -> UInt32 {
    lastGrant += 1
    grants.append(
      Grant(
        number: lastGrant, kind: kind, priority: priority, amount: amount, remaining: amount, starts: starts,
        expires: expires, hasBegun: starts <= now))
    if starts <= now { granted += Int128(amount.millionths) }
    return lastGrant
  }

  /// Takes an amount that there is from the grants in the order of use; answers what was taken of each.
  mutating func take(_ amount: Amount) -> [Grant] {
    var left = amount
    var parts: [Grant] = []
    for grant in usable where left > 0 {
      var part = grant
      part.remaining = min(left, grant.remaining)
      parts.append(part)
      left -= part.remaining
    }
    for part in parts { remove(part.remaining, from: part.number) }
    return parts
  }

  /// Takes credits from a grant.
  mutating func remove(_ amount: Amount, from number: UInt32) {
    guard let index = grants.firstIndex(where: { $0.number == number }) else { return }
    grants[index].remaining -= amount
    if grants[index].remaining == 0 { grants.remove(at: index) }
  }

  // MARK: Time

  private enum Event {
    case begins(Grant)
    case period
    case expires(Grant)
    case deadline(Hold)
    case cooled
    case newPeriodOfCap
  }

  /// All that is to happen by itself: of things at one moment, the first comes first.
  private var events: [(time: Timestamp, event: Event)] {
    var events: [(time: Timestamp, event: Event)] = []
    for grant in waiting { events.append((grant.starts, .begins(grant))) }
    if let plan { events.append((plan.next, .period)) }
    for grant in usable { events.append((grant.expires, .expires(grant))) }
    for hold in holds { events.append((hold.deadline, .deadline(hold))) }
    if let time = refill.coolingUntil { events.append((time, .cooled)) }
    if let time = refill.cappedUntil { events.append((time, .newPeriodOfCap)) }
    return events
  }

  /// The next moment at which something happens by itself.
  var nextMoment: Timestamp? {
    let moments = grants.map { $0.hasBegun ? $0.expires : $0.starts } + holds.map(\.deadline)
    let others = [plan?.next, refill.coolingUntil, refill.cappedUntil].compactMap { $0 }
    return (moments + others).min().flatMap { $0 == .never ? nil : $0 }
  }

  /// Lets time do its work, one thing after the other.
  mutating func settle(at now: Timestamp) {
    while let moment = nextMoment, moment <= now, let (_, event) = events.first(where: { $0.time == moment }) {
      happen(event, at: now)
    }
  }

  private mutating func happen(_ event: Event, at now: Timestamp) {
    switch event {
    case .begins(let grant):
      guard let index = grants.firstIndex(where: { $0.number == grant.number }) else { return }
      grants[index].hasBegun = true
      granted += Int128(grant.remaining.millionths)
      add(.begun, grant.remaining, at: now, .init(parts: [grant.part]))
    case .period: endPeriod(at: now)
    case .expires(let grant):
      grants.removeAll { $0.number == grant.number }
      expired += Int128(grant.remaining.millionths)
      add(.expired, grant.remaining, at: now, .init(parts: [grant.part]))
    case .deadline(let hold):
      _ = end(hold, capturing: hold.end == .capture ? hold.amount : nil, because: .deadline, at: now)
    case .cooled:
      refill.coolingUntil = nil
      rearm("pause over", at: now)
    case .newPeriodOfCap:
      refill.cappedUntil = nil
      rearm("new period", at: now)
    }
  }

  // MARK: Holds

  /// Ends a hold: what is captured is spent, in the order of use; the rest goes back to its grants, but for what has
  /// expired meanwhile.
  mutating func end(
    _ hold: Hold, capturing amount: Amount?, asked: Amount? = nil, because cause: HoldOutcome.Cause, at now: Timestamp
  ) -> Receipt {
    holds.removeAll { $0.number == hold.number }
    var details = ReferenceEntry.Details(request: hold.request.endOfHold, asked: asked, hold: hold.request)
    details.cause = cause == .caller ? "caller" : "deadline"
    var left = amount ?? 0
    for part in hold.parts {
      let taken = min(left, part.remaining)
      left -= taken
      if taken > 0 { details.parts.append(ReferenceEntry.Part(grant: part.number, amount: taken)) }
      let rest = ReferenceEntry.Part(grant: part.number, amount: part.remaining - taken)
      guard rest.amount > 0 else { continue }
      if part.expires <= now {
        expired += Int128(rest.amount.millionths)
        details.lapsed.append(rest)
        continue
      }
      details.returned.append(rest)
      if let index = grants.firstIndex(where: { $0.number == part.number }) {
        grants[index].remaining += rest.amount
      } else {
        var grant = part
        grant.remaining = rest.amount
        grants.append(grant)
      }
    }
    spent += Int128((amount ?? 0).millionths)
    let receipt = Receipt(
      sequence: SequenceNumber(journal.value + 1), time: now, amount: amount ?? 0, balance: available,
      isReplay: false)
    ends[hold.request] = HoldEnd(receipt: receipt, cause: cause)
    add(amount == nil ? .released : .captured, amount ?? 0, at: now, details)
    return receipt
  }
}

extension ReferenceAccount.Grant {
  /// What is left of it.
  var part: ReferenceEntry.Part { ReferenceEntry.Part(grant: number, amount: remaining) }
}
