/// The state of one account: all that the rules need to decide.
///
/// The first 64 bytes are what a debit on the short path reads and writes, the next 64 the grant it takes from and the
/// totals it is checked against.
package struct Account: Hashable, Sendable {
  /// The account's id.
  package let id: AccountID
  /// The credits that can be used now.
  package private(set) var available: Amount = 0
  /// The trip wire's level: a debit that leaves less available than this takes the full rules.
  package private(set) var tripLevel: Amount = .max
  /// The trip wire's instant: from it on, something happens by itself, and every request takes the full rules.
  package private(set) var tripTime: Timestamp = .never
  /// The account's last entry.
  package var last: SequenceNumber = .none
  /// The time of the last entry.
  package private(set) var time: Timestamp = .zero
  /// All credits that were ever spent.
  package private(set) var spent: Amount = 0

  /// The grant that is used next; number 0 if there is none.
  package private(set) var head: Grant = .nothing
  /// The credits set aside by holds.
  package private(set) var held: Amount = 0
  /// All credits that ever became usable.
  package private(set) var granted: Amount = 0
  /// All credits that ever expired.
  package private(set) var expired: Amount = 0

  /// The other grants with credits left, in the order of use.
  package private(set) var rest: [Grant] = []
  /// The grants that start later, soonest first.
  package private(set) var pending: [Grant] = []
  /// The entry that opened the account.
  package private(set) var opened: SequenceNumber = .none
  /// The number of the account's latest grant.
  package private(set) var lastGrant: UInt32 = 0
  /// What may be done with the account.
  package private(set) var status: AccountStatus = .open
  /// Whether somebody follows the balance, so that every change takes the full rules.
  package var isWatched = false { didSet { setTripWire() } }

  /// Makes an account that no entry has touched.
  package init(_ id: AccountID) { self.id = id }

  /// What the account has.
  package var balance: Balance { Balance(available: available, held: held, version: last) }

  /// The grants with credits left, in the order of use; those that start later come last.
  package var grants: [Grant] { (head.number == 0 ? [] : [head]) + rest + pending }

  /// Whether the totals and the grants add up.
  package var isConserved: Bool {
    let usable = rest.reduce(head.remaining) { $0 + $1.remaining }
    return available + held == granted - spent - expired && usable == available
  }
}

extension Grant {
  fileprivate static let nothing = Grant(
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
    if entry.kind == .debited, Int(entry.words) * 8 == Entry.size, entry.grant == head.number,
      entry.amount < head.remaining
    {
      guard entry.available.millionths == available.millionths &- entry.amount.millionths else {
        throw Inconsistency("\(entry.available) available is noted, \(available) less \(entry.amount) is left")
      }
      guard spent.adding(entry.amount) != nil else { throw Inconsistency("the spent total overflows") }
      applyShort(entry, at: sequence)
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
      guard let index = pending.firstIndex(where: { $0.number == entry.grant }) else {
        throw Inconsistency("grant \(entry.grant) is not waiting to start")
      }
      try begin(pending.remove(at: index))
    case .debited:
      for part in record.parts { try take(part.amount, from: part.grant) }
      try spend(entry.amount)
    case .denied: break
    case .expired:
      try take(entry.amount, from: entry.grant)
      try expire(entry.amount)
    case .frozen: status = .frozen
    case .unfrozen: status = .open
    case .closed:
      guard entry.amount == available else { throw Inconsistency("it closes \(entry.amount) of \(available)") }
      try expire(available)
      head = .nothing
      rest = []
      pending = []
      status = .closed
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
    guard entry.grant == lastGrant + 1 else { throw Inconsistency("grant \(entry.grant) follows grant \(lastGrant)") }
    guard let priority = UInt8(exactly: entry.units) else { throw Inconsistency("its priority is \(entry.units)") }
    var starts = Timestamp.zero
    var expires = Timestamp.never
    for case .times(let first, let last) in record.items { (starts, expires) = (first, last) }
    let grant = Grant(
      number: entry.grant, kind: kind, priority: priority, amount: entry.amount, remaining: entry.amount,
      starts: starts, expires: expires)
    lastGrant = entry.grant
    if starts > entry.time {
      let index = pending.firstIndex { $0.starts > starts } ?? pending.count
      pending.insert(grant, at: index)
    } else {
      try begin(grant)
    }
  }

  /// Makes a grant usable, at its place in the order of use.
  private mutating func begin(_ grant: Grant) throws(Inconsistency) {
    guard let total = granted.adding(grant.amount) else { throw Inconsistency("the granted total overflows") }
    granted = total
    available += grant.amount
    if head.number == 0 {
      head = grant
    } else if grant.isUsed(before: head) {
      rest.insert(head, at: 0)
      head = grant
    } else {
      rest.insert(grant, at: rest.firstIndex { grant.isUsed(before: $0) } ?? rest.count)
    }
  }

  /// Takes credits from a grant; a grant with nothing left goes.
  private mutating func take(_ amount: Amount, from number: UInt32) throws(Inconsistency) {
    if number == head.number, number != 0 {
      guard amount >= 0, amount <= head.remaining else { throw Inconsistency("grant \(number) has too little left") }
      head.remaining -= amount
      if head.remaining == 0 { head = rest.isEmpty ? .nothing : rest.removeFirst() }
      return
    }
    guard let index = rest.firstIndex(where: { $0.number == number }) else {
      throw Inconsistency("grant \(number) has nothing left")
    }
    guard amount >= 0, amount <= rest[index].remaining else {
      throw Inconsistency("grant \(number) has too little left")
    }
    rest[index].remaining -= amount
    if rest[index].remaining == 0 { rest.remove(at: index) }
  }

  private mutating func spend(_ amount: Amount) throws(Inconsistency) {
    guard let total = spent.adding(amount) else { throw Inconsistency("the spent total overflows") }
    spent = total
    available -= amount
  }

  private mutating func expire(_ amount: Amount) throws(Inconsistency) {
    guard let total = expired.adding(amount) else { throw Inconsistency("the expired total overflows") }
    expired = total
    available -= amount
  }

  /// Sets the level and the instant at which something other than a subtraction must happen.
  private mutating func setTripWire() {
    tripLevel = status == .open && !isWatched && opened != .none ? 0 : .max
    tripTime = min(head.expires, pending.first?.starts ?? .never)
    for grant in rest where grant.expires < tripTime { tripTime = grant.expires }
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
  /// Rebuilds the state that an image describes; throws if the parts do not add up.
  package init(
    id: AccountID, last: SequenceNumber, time: Timestamp, available: Amount, held: Amount, granted: Amount,
    spent: Amount, expired: Amount, opened: SequenceNumber, lastGrant: UInt32, status: AccountStatus,
    usable: [Grant], pending: [Grant]
  ) throws(Inconsistency) {
    self.id = id
    self.last = last
    self.time = time
    self.available = available
    self.held = held
    self.granted = granted
    self.spent = spent
    self.expired = expired
    self.opened = opened
    self.lastGrant = lastGrant
    self.status = status
    self.pending = pending
    head = usable.first ?? .nothing
    rest = Array(usable.dropFirst())
    var sum = Amount.zero
    for grant in usable {
      guard grant.remaining > 0, grant.remaining <= grant.amount, let next = sum.adding(grant.remaining) else {
        throw Inconsistency("grant \(grant.number) has an impossible remainder")
      }
      sum = next
    }
    let totals = [available, held, granted, spent, expired]
    guard totals.allSatisfy({ $0 >= 0 && $0.millionths < .max / 4 }), isConserved, last >= opened, opened != .none
    else { throw Inconsistency("the totals do not add up") }
    guard zip(usable, usable.dropFirst()).allSatisfy({ $0.isUsed(before: $1) }) else {
      throw Inconsistency("the grants are not in the order of use")
    }
    setTripWire()
  }
}
