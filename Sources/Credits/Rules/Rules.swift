/// A change that a caller asks for.
package enum Command: Hashable, Sendable {
  case open(label: String)
  case grant(Amount, Grant.Source, priority: UInt8, starts: Timestamp, expires: Timestamp)
  case debit(Amount, Debit.Extent)
  case freeze(reason: String)
  case unfreeze(reason: String)
  case close(reason: String)

  /// The kind of entry that the command makes when it succeeds.
  package var kind: Entry.Kind {
    switch self {
    case .open: .opened
    case .grant: .granted
    case .debit: .debited
    case .freeze: .frozen
    case .unfreeze: .unfrozen
    case .close: .closed
    }
  }

  /// The parts of the command that the entry keeps as items, so that a repetition can be told from a conflict.
  fileprivate var items: [Item] {
    switch self {
    case .open(let label): label.isEmpty ? [] : [.text(.label, label)]
    case .grant(_, let source, _, let starts, let expires):
      (source.reference.isEmpty ? [] : [.text(.reference, source.reference)])
        + (starts == .zero && expires == .never ? [] : [.times(starts: starts, expires: expires)])
    case .debit: []
    case .freeze(let reason), .unfreeze(let reason), .close(let reason):
      reason.isEmpty ? [] : [.text(.reason, reason)]
    }
  }

  private var amount: Amount {
    switch self {
    case .debit(let amount, _), .grant(let amount, _, _, _, _): amount
    default: 0
    }
  }

  /// What a denial notes of the command beside amount and items: its kind, and extent or source and priority.
  private var asked: UInt32 {
    let kind = UInt32(self.kind.rawValue)
    switch self {
    case .debit(_, let extent): return kind | UInt32(extent.rawValue) << 8
    case .grant(_, let source, let priority, _, _):
      return kind | UInt32(source.kind.rawValue) << 8 | UInt32(priority) << 16
    default: return kind
    }
  }

  /// Whether amounts, times and texts are in range.
  package var isValid: Bool {
    let texts = items.allSatisfy {
      if case .text(_, let text) = $0 { text.utf8.count <= Item.maximumText } else { true }
    }
    switch self {
    case .debit(let amount, _): return amount > 0
    case .grant(let amount, _, _, let starts, let expires):
      return amount > 0 && starts < expires && starts >= .zero && starts <= .latest && texts
        && (expires == .never || expires <= .latest)
    default: return texts
    }
  }

  /// Whether a record is the outcome of this very command.
  package func matches(_ record: borrowing Record) -> Bool {
    let entry = record.entry
    if entry.kind == .denied {
      return entry.grant == asked && entry.amount == amount && record.items == items
    }
    guard entry.kind == kind else { return false }
    switch self {
    case .debit(let amount, let extent):
      var wanted = entry.amount
      for case .asked(let amount) in record.items { wanted = amount }
      return wanted == amount && entry.detail == extent.rawValue
    case .grant(let amount, let source, let priority, _, _):
      return entry.amount == amount && entry.detail == source.kind.rawValue && entry.units == UInt32(priority)
        && record.items == items
    default: return record.items == items
    }
  }

  /// The denial of the command, as a record.
  fileprivate func denial(_ code: Entry.DenialCode, on account: Account, request: RequestID, at now: Timestamp)
    -> Record
  {
    var entry = Entry(
      .denied, account: account.id, request: request, amount: amount, available: account.available, time: now,
      previous: account.last)
    entry.detail = code.rawValue
    entry.grant = asked
    return Record(entry, items)
  }
}

/// A change in the making: the state as it will be, and the records that make it so.
///
/// Nothing of it counts until the records are in the journal's frame: refusing is throwing the draft away.
package struct Draft {
  /// The state with the records applied. Its last sequence number is provisional.
  package private(set) var account: Account
  /// The records, in order; `previous` of all but the first is to be set when they get their numbers.
  package private(set) var records: [Record] = []

  package init(_ account: Account) { self.account = account }

  /// Gives the records their sequence numbers, in a row from the first.
  package mutating func number(from first: SequenceNumber) {
    for index in records.indices.dropFirst() {
      records[index].entry.previous = SequenceNumber(first.value + UInt64(index) - 1)
    }
    account.renumber(last: SequenceNumber(first.value + UInt64(records.count) - 1), first: first, draft: records)
  }

  /// The answer to the request, once the records have their numbers: that of the one record that carries it.
  package func answer(from first: SequenceNumber) -> Answer? {
    guard let index = records.firstIndex(where: { $0.entry.request != .none }) else { return nil }
    return Answer(records[index], at: SequenceNumber(first.value + UInt64(index)), isReplay: false)
  }

  private mutating func add(_ record: Record) {
    do throws(Inconsistency) {
      try account.apply(record, at: SequenceNumber(account.last.value + 1))
    } catch {
      preconditionFailure("a rule made an entry that does not fit: \(error.reason)")
    }
    records.append(record)
  }

  private func entry(
    _ kind: Entry.Kind, _ amount: Amount, leaving available: Amount, request: RequestID = .none, at now: Timestamp
  ) -> Entry {
    Entry(
      kind, account: account.id, request: request, amount: amount, available: available, time: now,
      previous: account.last)
  }

  /// Applies what time has done by itself: grants that started and grants that expired, in the order it happened.
  package mutating func settle(at now: Timestamp) {
    while account.tripTime <= now {
      if let grant = account.pending.first, grant.starts == account.tripTime {
        var begun = entry(.begun, grant.amount, leaving: account.available + grant.amount, at: now)
        begun.grant = grant.number
        add(Record(begun))
      } else if let grant = account.grants.first(where: { $0.expires == account.tripTime }) {
        var gone = entry(.expired, grant.remaining, leaving: account.available - grant.remaining, at: now)
        gone.grant = grant.number
        add(Record(gone))
      } else {
        preconditionFailure("the trip wire of account \(account.id) is set to a time at which nothing happens")
      }
    }
  }

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
    if let code = refusal(of: command) {
      add(command.denial(code, on: account, request: request, at: now))
      return nil
    }
    switch command {
    case .open: break
    case .grant(let amount, let source, let priority, let starts, _):
      let begins = starts <= now
      let after = begins ? account.available + amount : account.available
      var entry = entry(.granted, amount, leaving: after, request: request, at: now)
      entry.detail = source.kind.rawValue
      entry.grant = account.lastGrant + 1
      entry.units = UInt32(priority)
      add(Record(entry, command.items))
      settle(at: now)
    case .debit(let amount, let extent):
      let taken = min(amount, account.available)
      var entry = entry(.debited, taken, leaving: account.available - taken, request: request, at: now)
      entry.detail = extent.rawValue
      var items: [Item] = taken == amount ? [] : [.asked(amount)]
      var left = taken
      for grant in account.grants where left > 0 {
        let part = min(left, grant.remaining)
        if entry.grant == 0 {
          entry.grant = grant.number
        } else {
          items.append(.part(grant: grant.number, amount: part))
        }
        left -= part
      }
      add(Record(entry, items))
    case .freeze, .unfreeze:
      add(Record(entry(command.kind, 0, leaving: account.available, request: request, at: now), command.items))
    case .close:
      add(Record(entry(.closed, account.available, leaving: 0, request: request, at: now), command.items))
    }
    return nil
  }

  /// The first reason for which the rules decline a command, in the order of precedence.
  private func refusal(of command: Command) -> Entry.DenialCode? {
    if account.status == .closed { return .closed }
    switch command {
    case .debit(let amount, let extent):
      if account.status == .frozen { return .frozen }
      if extent == .whole ? amount > account.available : account.available == 0 { return .insufficient }
      if account.spent.adding(min(amount, account.available)) == nil { return .limit }
    case .grant(let amount, _, _, _, _):
      // The limit is a quarter of what fits, so that sums of totals cannot overflow.
      let ahead = account.pending.reduce(account.granted.adding(amount)) { $0?.adding($1.amount) }
      guard let ahead, ahead.millionths < Int64.max / 4, account.grants.count < Entry.maximumGrants,
        account.lastGrant < .max
      else { return .limit }
    default: break
    }
    return nil
  }
}

/// The answer to a command.
package enum Answer: Hashable, Sendable {
  case done(Receipt)
  case denied(Denial)

  /// The answer that a record gives to its request.
  package init(_ record: borrowing Record, at sequence: SequenceNumber, isReplay: Bool) {
    let entry = record.entry
    guard entry.kind == .denied else {
      self = .done(
        Receipt(
          sequence: sequence, time: entry.time, amount: entry.amount, balance: entry.available, isReplay: isReplay))
      return
    }
    let reason: Denial.Reason =
      switch Entry.DenialCode(rawValue: entry.detail) {
      case .insufficient: .insufficient(available: entry.available, needed: entry.amount)
      case .frozen: .frozen
      case .closed: .closed
      case .limit, nil: .limit
      }
    self = .denied(Denial(reason: reason, sequence: sequence, time: entry.time, isReplay: isReplay))
  }
}

extension Answer {
  /// The answer to a request of which nothing is recorded.
  package static func notRecorded(_ reason: Denial.Reason, at time: Timestamp) -> Answer {
    .denied(Denial(reason: reason, sequence: nil, time: time, isReplay: false))
  }

  /// The entry that records the answer.
  package var sequence: SequenceNumber? {
    switch self {
    case .done(let receipt): receipt.sequence
    case .denied(let denial): denial.sequence
    }
  }
}
