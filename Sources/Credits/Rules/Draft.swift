/// The entries that a command, or the time, makes of an account: the rules, pure.
///
/// Nothing of it counts until the records are in the journal's frame: refusing is throwing the draft away.
package struct Draft {
  /// The state with the records applied. Its last sequence number is provisional.
  package private(set) var account: Account
  /// The records, in order; `previous` of all but the first is to be set when they get their numbers.
  package private(set) var records: [Record] = []
  /// The length of the records in bytes.
  private var bytes = 0

  /// The length of a draft after which no more of what time does is added: the least frame takes twice as much.
  private static let enough = 100_000

  package init(_ account: Account) { self.account = account }

  /// Gives the records their sequence numbers, in a row from the first.
  package mutating func number(from first: SequenceNumber) {
    for index in records.indices.dropFirst() {
      records[index].entry.previous = SequenceNumber(first.value + UInt64(index) - 1)
    }
    account.renumber(last: SequenceNumber(first.value + UInt64(records.count) - 1), first: first, draft: records)
  }

  /// The answer to a request, once the records have their numbers: that of the one record that carries it.
  package func answer(to request: RequestID, from first: SequenceNumber) -> Answer? {
    guard let index = records.firstIndex(where: { $0.entry.request == request }) else { return nil }
    let entry = records[index].entry
    // A hold whose deadline had come ended before the request did anything: it is told as to one that comes too late.
    let isOfDeadline = entry.kind.endsHold && entry.detail == HoldOutcome.Cause.deadline.rawValue
    return Answer(records[index], at: SequenceNumber(first.value + UInt64(index)), isReplay: isOfDeadline)
  }

  /// Adds a record, and what its change of the balance sets off.
  mutating func add(_ record: Record) {
    let before = account.available
    do throws(Inconsistency) {
      try account.apply(record, at: SequenceNumber(account.last.value + 1))
    } catch {
      preconditionFailure("a rule made an entry that does not fit: \(error.reason)")
    }
    records.append(record)
    bytes += record.size
    let after = account.available
    guard after < before, record.entry.kind != .closed else { return }
    if after == 0 { add(.exhausted, 0, at: record.entry.time) }
    guard account.hasExtras else { return }
    for level in account.extras.alerts where before >= level && after < level {
      add(.alerted, level, at: record.entry.time)
    }
    lookAtThreshold(at: record.entry.time)
  }

  /// Adds an entry that leaves the available credits as they are.
  mutating func add(
    _ kind: Entry.Kind, _ amount: Amount, _ items: [Item] = [], detail: UInt8 = 0, number: UInt32 = 0,
    request: RequestID = .none, at now: Timestamp
  ) {
    var entry = entry(kind, amount, leaving: account.available, request: request, at: now)
    entry.detail = detail
    entry.units = number
    add(Record(entry, items))
  }

  /// An entry that follows the account's last.
  func entry(
    _ kind: Entry.Kind, _ amount: Amount, leaving available: Amount, request: RequestID = .none, at now: Timestamp
  ) -> Entry {
    Entry(
      kind, account: account.id, request: request, amount: amount, available: available, time: now,
      previous: account.last)
  }

  // MARK: Time

  /// Applies what time has done by itself, in the order it happened; false if the draft is long enough before the end.
  @discardableResult
  package mutating func settle(at now: Timestamp) -> Bool {
    // What never happens does not happen in a store either that was led to the end of all time.
    while account.tripTime <= now, account.tripTime < .never {
      guard bytes < Draft.enough else { return false }
      happen(at: account.tripTime, now)
    }
    return true
  }

  /// Applies the first thing that happens at a moment: grants that start, plans, holds, grants that end, refills.
  private mutating func happen(at moment: Timestamp, _ now: Timestamp) {
    if account.hasExtras {
      let extras = account.extras
      if let grant = extras.pending.first, grant.starts == moment {
        var begun = entry(.begun, grant.amount, leaving: account.available + grant.amount, at: now)
        begun.grant = grant.number
        return add(Record(begun))
      }
      if let plan = extras.plan, plan.next == moment {
        return plan.ends ? endPlan(plan, at: now) : renew(plan, at: now)
      }
    }
    if let grant = account.usable.first(where: { $0.expires == moment }) {
      var gone = entry(.expired, grant.remaining, leaving: account.available - grant.remaining, at: now)
      gone.grant = grant.number
      return add(Record(gone))
    }
    if let hold = account.extras.holds.first(where: { $0.deadline == moment }) {
      return end(hold, capturing: hold.end == .capture ? hold.amount : nil, cause: .deadline, at: now)
    }
    if account.extras.refill.coolingUntil == moment || account.extras.refill.cappedUntil == moment {
      return rearm(at: moment, now)
    }
    preconditionFailure("the trip wire of account \(account.id) is set to a time at which nothing happens")
  }

  // MARK: Commands

  /// Decides a command on the settled state, and adds the record of the outcome.
  ///
  /// Answers nil where it added one, and else the reason for which nothing is recorded.
  package mutating func decide(_ command: Command, request: RequestID, at now: Timestamp) -> Denial.Reason? {
    guard command.isValid else { return .invalid }
    if case .open = command {
      guard account.opened == .none else { return .alreadyOpen(by: account.opened) }
      add(Record(entry(.opened, 0, leaving: 0, request: request, at: now), command.items))
      return nil
    }
    guard account.opened != .none else { return .unknownAccount }
    switch command {
    case .capture(let hold, let amount, let tariff): return capture(hold, amount, tariff, at: now)
    case .release(let hold): return release(hold, at: now)
    // The window has forgotten the request, the hold it made is still open: it must not be executed again.
    case .hold where account.hold(of: request) != nil: return .tooOld
    case .charge(let number):
      send(number, at: now)
      return nil
    case .settle(let number, let outcome):
      settle(number, outcome, at: now)
      return nil
    default: break
    }
    if let code = refusal(of: command, at: now) {
      add(command.denial(code, on: account, request: request, at: now))
      return nil
    }
    perform(command, request, at: now)
    return nil
  }

  private mutating func perform(_ command: Command, _ request: RequestID, at now: Timestamp) {
    switch command {
    case .grant(let amount, let source, let priority, let starts, _):
      give(amount, source.kind, priority, command.items, begins: starts <= now, request, at: now)
    case .correct(_, _, let amount, _, _):
      let kind = Grant.Source.Kind.correction
      give(amount, kind, kind.priority, command.items, begins: true, request, at: now)
    case .debit(let amount, _, _): debit(amount, command, request, at: now)
    case .hold(let amount, _, _, _): debit(amount, command, request, at: now)
    case .unfreeze:
      add(.unfrozen, 0, command.items, request: request, at: now)
      lookAtThreshold(at: now)
    case .close:
      cancelDue(because: .closed, at: now)
      let all = account.available + account.held
      let held: [Item] = account.held > 0 ? [.amount(.held, account.held)] : []
      add(Record(entry(.closed, all, leaving: 0, request: request, at: now), command.items + held))
    case .subscribe(let plan, let anchor): subscribe(plan, anchor, command, request, at: now)
    case .unsubscribe(let atOnce):
      if atOnce, let plan = account.extras.plan { return endPlan(plan, request, at: now) }
      add(.unsubscribed, 0, request: request, at: now)
    case .setAlerts(let levels):
      let old = account.extras.alerts
      add(.alertsSet, 0, command.items, request: request, at: now)
      for level in levels where account.available < level && !old.contains(level) {
        add(.alerted, level, at: now)
      }
    default: performOnRefill(command, request, at: now)
    }
  }

  /// Gives credits.
  private mutating func give(
    _ amount: Amount, _ kind: Grant.Source.Kind, _ priority: UInt8, _ items: [Item], begins: Bool,
    _ request: RequestID, at now: Timestamp
  ) {
    let after = begins ? account.available + amount : account.available
    var entry = entry(.granted, amount, leaving: after, request: request, at: now)
    entry.detail = kind.rawValue
    entry.grant = account.lastGrant + 1
    entry.units = UInt32(priority)
    add(Record(entry, items))
    settle(at: now)
  }

  /// Takes credits, for good or for a hold, from the grants in the order of use.
  private mutating func debit(_ amount: Amount, _ command: Command, _ request: RequestID, at now: Timestamp) {
    let taken = min(amount, account.available)
    var entry = entry(command.kind, taken, leaving: account.available - taken, request: request, at: now)
    entry.detail = command.detail
    entry.price = command.tariff.row
    entry.units = command.tariff.units
    var items = command.items + (taken == amount ? [] : [.asked(amount)])
    var left = taken
    for grant in account.usable where left > 0 {
      let part = min(left, grant.remaining)
      if entry.grant == 0 {
        entry.grant = grant.number
      } else {
        items.append(.part(grant: grant.number, amount: part))
      }
      left -= part
    }
    add(Record(entry, items))
  }

  /// The first reason for which the rules decline a command, in the order of precedence.
  private func refusal(of command: Command, at now: Timestamp) -> Entry.DenialCode? {
    if account.status == .closed {
      // Cards of a closed account can be removed.
      if case .removeMethod = command { return refusal(ofRefill: command) }
      return .closed
    }
    switch command {
    case .debit(let amount, let extent, let tariff):
      if account.status == .frozen { return .frozen }
      if let code = tariff.refusal { return code }
      if extent == .whole || amount == 0 ? amount > account.available : account.available == 0 { return .insufficient }
      if account.spent.adding(min(amount, account.available)) == nil { return .limit }
    case .hold(let amount, _, _, let tariff):
      if account.status == .frozen { return .frozen }
      if let code = tariff.refusal { return code }
      if amount > account.available { return .insufficient }
      if account.extras.holds.count >= Extras.maximumHolds || account.extras.lastHold == .max { return .limit }
    case .grant(let amount, _, _, _, _): return refusal(ofGiving: amount)
    case .correct(let debit, _, let amount, _, _):
      let corrected = account.extras.corrected
      if corrected.contains(debit) { return .corrected }
      return corrected.count < Extras.maximumCorrections ? refusal(ofGiving: amount) : .limit
    case .subscribe(let plan, _): return refusal(ofGiving: plan.allowance)
    case .unsubscribe: return account.extras.plan == nil ? .noPlan : nil
    default: return refusal(ofRefill: command)
    }
    return nil
  }

  /// Why an amount cannot be given, if so.
  func refusal(ofGiving amount: Amount) -> Entry.DenialCode? {
    // The limit is a quarter of what fits, so that sums of totals cannot overflow.
    let extras = account.extras
    let ahead = extras.pending.reduce(account.granted.adding(amount)) { $0?.adding($1.amount) }
    let grants = extras.holds.reduce(account.grants.count) { $0 + $1.parts.count }
    guard let ahead, ahead.millionths < Int64.max / 4, grants < Entry.maximumGrants, account.lastGrant < .max / 2 else {
      return .limit
    }
    return nil
  }
}
