/// The state of one account: all that the rules need to decide.
///
/// The first 64 bytes are all that a balance is read from, and most of what a debit on the short path reads and writes;
/// the next 64 have the rest of that, the grant that it takes from and what was spent.
package struct Account: Hashable, Sendable {
  /// The account's id.
  package let id: AccountID
  /// The credits that can be used now.
  package internal(set) var available: Amount = 0
  /// The trip wire's level: a debit that leaves less available than this takes the full rules.
  package internal(set) var tripLevel: Amount = .max
  /// The trip wire's instant: from it on, something happens by itself, and every request takes the full rules.
  package internal(set) var tripTime: Timestamp = .never
  /// The account's last entry.
  package var last: SequenceNumber = .none
  /// The time of the last entry.
  package internal(set) var time: Timestamp = .zero
  /// The credits set aside by holds.
  package internal(set) var held: Amount = 0

  /// The grant that is used next; number 0 if there is none.
  package internal(set) var head: Grant = .nothing
  /// All credits that were ever spent.
  package internal(set) var spent: Amount = 0
  /// All credits that ever became usable.
  package internal(set) var granted: Amount = 0
  /// All credits that ever expired.
  package internal(set) var expired: Amount = 0

  /// The other grants with credits left, in the order of use.
  package internal(set) var rest: [Grant] = []
  /// What few accounts have, in an array of at most one, so that it takes no room of the others.
  private var few: [Extras] = []
  /// The entry that opened the account.
  package internal(set) var opened: SequenceNumber = .none
  /// The number of the account's latest grant.
  package internal(set) var lastGrant: UInt32 = 0
  /// What may be done with the account.
  package internal(set) var status: AccountStatus = .open
  /// Whether somebody follows the balance, so that every change takes the full rules.
  package var isWatched = false { didSet { setTripWire() } }

  /// Makes an account that no entry has touched.
  package init(_ id: AccountID) { self.id = id }

  /// What the account has.
  package var balance: Balance { Balance(available: available, held: held, version: last) }

  /// The grants that can be used, in the order of use.
  package var usable: [Grant] { (head.number == 0 ? [] : [head]) + rest }

  /// The number of the grants that can be used.
  package var usableCount: Int { rest.count + (head.number == 0 ? 0 : 1) }

  /// The grants with credits left, in the order of use; those that start later come last.
  package var grants: [Grant] { usable + extras.pending }

  /// Holds, plan, alerts, refills and the like.
  package internal(set) var extras: Extras {
    get { few.first ?? Extras() }
    set { few = newValue == Extras() ? [] : [newValue] }
  }

  /// Whether the account has holds, a plan, alerts, refills or the like.
  package var hasExtras: Bool { !few.isEmpty }

  /// Whether the account has charges that have not ended.
  package var hasCharges: Bool { few.first?.charges.isEmpty == false }

  /// Whether the totals and the grants add up.
  package var isConserved: Bool {
    let usable = rest.reduce(head.remaining) { $0 + $1.remaining }
    return available + held == granted - spent - expired && usable == available
      && (few.isEmpty ? held == 0 : extras.holds.reduce(0) { $0 + $1.amount } == held)
  }
}

extension Grant {
  static let nothing = Grant(
    number: 0, kind: .allowance, priority: 0, amount: 0, remaining: 0, starts: .zero, expires: .never)
}

/// Why an entry does not fit the state it is applied to.
package struct Inconsistency: Error, Hashable, Sendable {
  /// What does not fit, in words.
  package let reason: String

  package init(_ reason: String) { self.reason = reason }
}

// MARK: Apply

extension Account {
  /// Whether a debit passes the trip wire and is covered by the grant in use, so that it only subtracts.
  @inline(__always) package func isShort(_ amount: Amount, at now: Timestamp) -> Bool {
    available.millionths &- amount.millionths >= tripLevel.millionths && now < tripTime && amount < head.remaining
  }

  /// Applies a debit that only subtracts from the grant in use.
  @inline(__always) package mutating func applyShort(_ entry: Entry, at sequence: SequenceNumber) {
    available = entry.available
    spent += entry.amount
    head.remaining -= entry.amount
    last = sequence
    time = entry.time
  }

  /// Applies an entry to the state; the same function live, in recovery, in the verifier and in the tests.
  ///
  /// Throws, and leaves a state that must not be used, if the entry does not fit.
  package mutating func apply(_ record: borrowing Record, at sequence: SequenceNumber) throws(Inconsistency) {
    let entry = record.entry
    guard entry.account == id else { throw Inconsistency("the entry is of another account") }
    guard entry.previous == last else {
      throw Inconsistency("the entry follows entry \(entry.previous), the account is at \(last)")
    }
    guard sequence > last else { throw Inconsistency("sequence \(sequence) does not come after \(last)") }
    guard entry.time >= time else { throw Inconsistency("its time \(entry.time) is before the account's \(time)") }
    guard entry.kind == .opened || opened != .none else { throw Inconsistency("the account was not opened") }
    guard entry.amount >= 0 else { throw Inconsistency("its amount is below zero") }
    if entry.kind == .debited, record.isOfOneGrant, entry.grant == head.number, entry.amount < head.remaining {
      guard entry.available.millionths == available.millionths &- entry.amount.millionths else {
        throw Inconsistency("\(entry.available) available is noted, \(available) less \(entry.amount) is left")
      }
      guard spent.adding(entry.amount) != nil else { throw Inconsistency("the spent total overflows") }
      applyShort(entry, at: sequence)
      if available < tripLevel { setTripWire() }
      return
    }
    last = sequence
    time = entry.time
    switch entry.kind {
    case .opened:
      guard opened == .none else { throw Inconsistency("the account was opened before") }
      opened = sequence
    case .granted: try applyGranted(record)
    case .begun:
      guard let index = extras.pending.firstIndex(where: { $0.number == entry.grant }) else {
        throw Inconsistency("grant \(entry.grant) is not waiting to start")
      }
      try begin(extras.pending.remove(at: index))
    case .debited:
      if entry.amount > 0 { for part in record.parts { _ = try take(part.amount, from: part.grant) } }
      try spend(entry.amount)
    case .denied, .exhausted: break
    case .expired:
      _ = try take(entry.amount, from: entry.grant)
      try expire(entry.amount)
    case .frozen: status = .frozen
    case .unfrozen: status = .open
    case .closed: try applyClosed(record)
    case .held: try applyHeld(record)
    case .captured, .released: try applyEndOfHold(record)
    case .subscribed: try applySubscribed(record)
    case .renewed: try applyRenewed(record)
    case .unsubscribed, .ended: try applyUnsubscribed(record)
    case .alertsSet: extras.alerts = record.amounts(.level)
    case .alerted:
      guard extras.alerts.contains(entry.amount), available < entry.amount else {
        throw Inconsistency("there is no alert at \(entry.amount), or it was not crossed")
      }
    case .refillSet, .rearmed, .capped, .due, .ordered, .charging, .credited, .declined, .needsAction, .unsettled,
      .cancelled, .mismatched, .disputed, .methodSaved, .methodRemoved:
      try applyCharge(record)
    }
    guard entry.available == available else {
      throw Inconsistency("\(entry.available) available is noted, \(available) is left")
    }
    setTripWire()
    guard isConserved else { throw Inconsistency("the totals do not add up") }
  }

  private mutating func applyGranted(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    guard let kind = Grant.Source.Kind(rawValue: entry.detail) else {
      throw Inconsistency("the source \(entry.detail) is unknown")
    }
    guard let priority = UInt8(exactly: entry.units) else { throw Inconsistency("its priority is \(entry.units)") }
    var starts = Timestamp.zero
    var expires = Timestamp.never
    for case .times(let first, let last) in record.items { (starts, expires) = (first, last) }
    if let named = record.number(.names).map({ SequenceNumber($0) }) {
      guard named < last, !extras.corrected.contains(named) else {
        throw Inconsistency("entry \(named) is made good twice, or comes later")
      }
      extras.corrected.append(named)
    }
    let grant = Grant(
      number: entry.grant, kind: kind, priority: priority, amount: entry.amount, remaining: entry.amount,
      starts: starts, expires: expires)
    try give(grant, begins: starts <= entry.time)
  }

  /// Adds a new grant, to be used at once or later.
  mutating func give(_ grant: Grant, begins: Bool = true) throws(Inconsistency) {
    guard grant.number == lastGrant + 1 else {
      throw Inconsistency("grant \(grant.number) follows grant \(lastGrant)")
    }
    lastGrant = grant.number
    if begins { return try begin(grant) }
    let index = extras.pending.firstIndex { $0.starts > grant.starts } ?? extras.pending.count
    extras.pending.insert(grant, at: index)
  }

  private mutating func applyClosed(_ record: borrowing Record) throws(Inconsistency) {
    guard record.entry.amount == available + held else {
      throw Inconsistency("it closes \(record.entry.amount) of \(available + held)")
    }
    guard record.amount(.held) ?? 0 == held else { throw Inconsistency("\(held) are held, it notes something else") }
    available += held
    held = 0
    try expire(available)
    head = .nothing
    rest = []
    extras.end()
    status = .closed
  }

  /// Makes a grant usable, at its place in the order of use.
  private mutating func begin(_ grant: Grant) throws(Inconsistency) {
    guard let total = granted.adding(grant.amount) else { throw Inconsistency("the granted total overflows") }
    granted = total
    available += grant.amount
    place(grant)
  }

  /// Puts a grant, or what goes back to it, at its place in the order of use.
  mutating func place(_ grant: Grant) {
    if grant.remaining == 0 { return }
    if head.number == 0 {
      head = grant
    } else if head.number == grant.number {
      head.remaining += grant.remaining
    } else if let index = rest.firstIndex(where: { $0.number == grant.number }) {
      rest[index].remaining += grant.remaining
    } else if grant.isUsed(before: head) {
      rest.insert(head, at: 0)
      head = grant
    } else {
      rest.insert(grant, at: rest.firstIndex { grant.isUsed(before: $0) } ?? rest.count)
    }
  }

  /// Takes credits from a grant, and answers the part that was taken; a grant with nothing left goes.
  mutating func take(_ amount: Amount, from number: UInt32) throws(Inconsistency) -> Grant {
    if number == head.number, number != 0 {
      guard amount >= 0, amount <= head.remaining else { throw Inconsistency("grant \(number) has too little left") }
      var part = head
      part.remaining = amount
      head.remaining -= amount
      if head.remaining == 0 { head = rest.isEmpty ? .nothing : rest.removeFirst() }
      return part
    }
    guard let index = rest.firstIndex(where: { $0.number == number }) else {
      throw Inconsistency("grant \(number) has nothing left")
    }
    guard amount >= 0, amount <= rest[index].remaining else {
      throw Inconsistency("grant \(number) has too little left")
    }
    var part = rest[index]
    part.remaining = amount
    rest[index].remaining -= amount
    if rest[index].remaining == 0 { rest.remove(at: index) }
    return part
  }

  /// Books available credits as spent.
  mutating func spend(_ amount: Amount) throws(Inconsistency) {
    guard let total = spent.adding(amount) else { throw Inconsistency("the spent total overflows") }
    spent = total
    available -= amount
  }

  /// Books available credits as expired.
  mutating func expire(_ amount: Amount) throws(Inconsistency) {
    guard let total = expired.adding(amount) else { throw Inconsistency("the expired total overflows") }
    expired = total
    available -= amount
  }

  /// Sets the level and the instant at which something other than a subtraction must happen.
  mutating func setTripWire() {
    tripLevel = status == .open && !isWatched && opened != .none ? 0 : .max
    tripTime = head.expires
    for grant in rest where grant.expires < tripTime { tripTime = grant.expires }
    guard let extras = few.first else { return }
    tripLevel = max(tripLevel, extras.level(below: available))
    tripTime = min(tripTime, extras.nextMoment)
  }
}

// MARK: Numbering

extension Account {
  /// Replaces the provisional numbers of a draft by those that its records got.
  mutating func renumber(last: SequenceNumber, first: SequenceNumber, draft records: [Record]) {
    self.last = last
    if records.first?.entry.kind == .opened { opened = first }
  }
}

// MARK: Image

extension Account {
  /// The totals of an account, as its image keeps them.
  package struct Totals: Hashable, Sendable {
    package var available: Amount
    package var held: Amount
    package var granted: Amount
    package var spent: Amount
    package var expired: Amount
  }

  /// Rebuilds the state that an image describes; throws if the parts do not add up.
  ///
  /// Most images have no extras: nil spares them the checks of all that is empty.
  package init(
    id: AccountID, last: SequenceNumber, time: Timestamp, totals: Totals, opened: SequenceNumber, lastGrant: UInt32,
    status: AccountStatus, usable: [Grant], extras: Extras?
  ) throws(Inconsistency) {
    self.id = id
    self.last = last
    self.time = time
    (available, held, granted) = (totals.available, totals.held, totals.granted)
    (spent, expired) = (totals.spent, totals.expired)
    self.opened = opened
    self.lastGrant = lastGrant
    self.status = status
    if let extras { self.extras = extras }
    head = usable.first ?? .nothing
    if usable.count > 1 { rest = Array(usable.dropFirst()) }
    func number(_ grants: [Grant]) throws(Inconsistency) {
      guard grants.allSatisfy({ $0.number > 0 && $0.number <= lastGrant }) else {
        throw Inconsistency("a grant has a number beyond the latest, \(lastGrant)")
      }
    }
    var sum = Amount.zero
    func add(_ grants: [Grant]) throws(Inconsistency) {
      try number(grants)
      for grant in grants {
        guard grant.remaining > 0, grant.remaining <= grant.amount, let next = sum.adding(grant.remaining) else {
          throw Inconsistency("grant \(grant.number) has an impossible remainder")
        }
        sum = next
      }
    }
    guard lastGrant <= Extras.highestNumber else { throw Inconsistency("its grants are numbered up to \(lastGrant)") }
    try add(usable)
    if let extras {
      for hold in extras.holds { try add(hold.parts) }
      try number(extras.pending)
    }
    func isInRange(_ amount: Amount) -> Bool { amount >= 0 && amount.millionths < .max / 2 }
    guard isInRange(available), isInRange(held), isInRange(granted), isInRange(spent), isInRange(expired),
      extras?.isSound ?? true, isConserved, last >= opened, opened != .none
    else { throw Inconsistency("the totals do not add up") }
    guard zip(usable, usable.dropFirst()).allSatisfy({ $0.isUsed(before: $1) }) else {
      throw Inconsistency("the grants are not in the order of use")
    }
    setTripWire()
  }
}
