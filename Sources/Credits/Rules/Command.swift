/// A change that a caller asks for.
package enum Command: Hashable, Sendable {
  case open(label: String)
  case grant(Amount, Grant.Source, priority: UInt8, starts: Timestamp, expires: Timestamp)
  case debit(Amount, Debit.Extent, Tariff)
  case freeze(reason: String)
  case unfreeze(reason: String)
  case close(reason: String)
  case hold(Amount, lasting: Duration, Hold.End, Tariff)
  /// Captures an amount, or all that is held, of the hold that a request made.
  case capture(RequestID, Amount?)
  case release(RequestID)
  case subscribe(Plan, anchor: Timestamp?)
  case unsubscribe(atOnce: Bool)
  case setAlerts([Amount])
  case correct(SequenceNumber, of: Amount, Amount, reason: String, agent: String)
  /// Switches auto-refill on, or off where there are no terms.
  case setRefill(RefillTerms?)
  case resumeRefill(reason: String)
  case saveMethod(PaymentMethod, forRefill: Bool)
  case removeMethod(UInt32)
  case order(Amount, price: Money, method: UInt32)
  /// The worker is about to send a charge to the payment provider.
  case charge(UInt32)
  /// The payment provider has told something of a charge.
  case settle(UInt32, ChargeOutcome)
  /// A charge was disputed, or failed after it was credited.
  case dispute(UInt32, reason: String)

  /// The kind of entry that the command makes when it succeeds.
  package var kind: Entry.Kind {
    switch self {
    case .open: .opened
    case .grant, .correct: .granted
    case .debit: .debited
    case .freeze: .frozen
    case .unfreeze: .unfrozen
    case .close: .closed
    case .hold: .held
    case .capture: .captured
    case .release: .released
    case .subscribe: .subscribed
    case .unsubscribe(let atOnce): atOnce ? .ended : .unsubscribed
    case .setAlerts: .alertsSet
    case .setRefill: .refillSet
    case .resumeRefill: .rearmed
    case .saveMethod: .methodSaved
    case .removeMethod: .methodRemoved
    case .order: .ordered
    case .charge: .charging
    case .settle: .credited
    case .dispute: .disputed
    }
  }
}

/// What a usage was priced by.
package struct Tariff: Hashable, Sendable {
  /// The row of the store's table of prices; 0 for none.
  package var row: UInt32 = 0
  /// The counts of the usage's units, in the order of the feature's rates.
  package var counts = Counts()
  /// Why there is no price.
  package var refusal: Entry.DenialCode?
  /// The names of a usage that has no price.
  package var names: [Item] = []

  /// No price: the amount is the caller's.
  package static let none = Tariff()

  package init(
    row: UInt32 = 0, counts: Counts = Counts(), refusal: Entry.DenialCode? = nil, names: [Item] = []
  ) {
    self.row = row
    self.counts = counts
    self.refusal = refusal
    self.names = names
  }

  /// Whether a book was asked for the price.
  package var isPriced: Bool { row != 0 || refusal != nil }

  /// The count that has room in the fixed part of an entry.
  var units: UInt32 { UInt32(exactly: counts[0]) ?? 0 }

  /// The usage's other counts, and its names if it has no price.
  var items: [Item] {
    var items = names
    if counts[0] > UInt64(UInt32.max) { items.append(.number(.count0, counts[0])) }
    if counts[1] > 0 { items.append(.number(.count1, counts[1])) }
    if counts[2] > 0 { items.append(.number(.count2, counts[2])) }
    if counts[3] > 0 { items.append(.number(.count3, counts[3])) }
    return items
  }
}

extension Counts {
  /// The counts that a record's usage had.
  package init(_ record: borrowing Record) {
    self.init()
    self[0] = record.number(.count0) ?? UInt64(record.entry.units)
    self[1] = record.number(.count1) ?? 0
    self[2] = record.number(.count2) ?? 0
    self[3] = record.number(.count3) ?? 0
  }
}

// MARK: As records

extension Command {
  /// The parts of the command that the entry keeps as items, first, so that a repetition can be told from a conflict.
  var items: [Item] {
    switch self {
    case .open(let label): Item.texts((.label, label))
    case .grant(_, let source, _, let starts, let expires):
      Item.texts((.reference, source.reference))
        + (starts == .zero && expires == .never ? [] : [.times(starts: starts, expires: expires)])
    case .debit(_, _, let tariff): tariff.items
    case .freeze(let reason), .unfreeze(let reason), .close(let reason): Item.texts((.reason, reason))
    case .hold(_, let duration, _, let tariff):
      [.number(.duration, UInt64(clamping: duration.wholeMicroseconds))] + tariff.items
    case .capture(let hold, let amount): [.request(hold)] + (amount.map { [.asked($0)] } ?? [])
    case .release(let hold): [.request(hold)]
    case .subscribe(let plan, let anchor):
      [
        .text(.plan, plan.name), .amount(.allowance, plan.allowance), .amount(.rollover, plan.rollover),
        .number(.period, UInt64(plan.period.rawValue)), .number(.priority, UInt64(plan.priority)),
      ] + (anchor.map { [.moment(.askedAnchor, $0)] } ?? [])
    case .unsubscribe: []
    case .setAlerts(let levels): levels.map { .amount(.level, $0) }
    case .correct(let debit, let of, _, let reason, let agent):
      [.number(.names, debit.value), .amount(.named, of)] + Item.texts((.reason, reason), (.agent, agent))
    case .setRefill(let terms): terms.map { $0.items } ?? []
    case .resumeRefill(let reason): Item.texts((.reason, reason))
    case .saveMethod(let method, _):
      [
        .text(.token, method.token), .text(.brand, method.brand), .text(.lastFour, method.lastFour),
        .number(.cardExpiry, UInt64(clamping: method.expiryYear * 100 + method.expiryMonth)),
      ]
    case .removeMethod: []
    case .order(_, let price, let method): [.money(.price, price), .number(.method, UInt64(method))]
    case .charge, .settle: []
    case .dispute(_, let reason): Item.texts((.reason, reason))
    }
  }

  /// The number of the charge or payment method that the command names.
  var number: UInt32 {
    switch self {
    case .removeMethod(let number), .charge(let number), .settle(let number, _), .dispute(let number, _): number
    default: 0
    }
  }

  /// The amount that the entry notes.
  var amount: Amount {
    switch self {
    case .debit(let amount, _, _), .grant(let amount, _, _, _, _), .hold(let amount, _, _, _),
      .correct(_, _, let amount, _, _), .order(let amount, _, _):
      amount
    case .capture(_, let amount): amount ?? 0
    case .setRefill(let terms): terms?.threshold ?? 0
    default: 0
    }
  }

  /// What the entry notes in its detail.
  var detail: UInt8 {
    switch self {
    case .debit(_, let extent, _): extent.rawValue
    case .grant(_, let source, _, _, _): source.kind.rawValue
    case .correct: Grant.Source.Kind.correction.rawValue
    case .hold(_, _, let end, _): end.rawValue
    case .saveMethod(_, let forRefill): forRefill ? 1 : 0
    case .setRefill(let terms): terms == nil ? 0 : 1
    case .resumeRefill: Rearming.byHand.rawValue
    case .unsubscribe(let atOnce): atOnce ? 1 : 0
    default: 0
    }
  }

  /// What a denial notes of the command beside amount and items: its kind, detail, and priority.
  var asked: UInt32 {
    var priority: UInt8 = 0
    if case .grant(_, _, let given, _, _) = self { priority = given }
    // The number of a method or charge follows in `units`.
    return UInt32(kind.rawValue) | UInt32(detail) << 8 | UInt32(priority) << 16
  }

  /// What was priced.
  package var tariff: Tariff {
    switch self {
    case .debit(_, _, let tariff), .hold(_, _, _, let tariff): tariff
    default: .none
    }
  }

  /// The command at another price.
  package func priced(_ amount: Amount, by tariff: Tariff) -> Command {
    switch self {
    case .debit(_, let extent, _): .debit(amount, extent, tariff)
    case .hold(_, let duration, let end, _): .hold(amount, lasting: duration, end, tariff)
    default: self
    }
  }

  /// Whether a record is the outcome of this very command.
  package func matches(_ record: borrowing Record) -> Bool {
    // The end of a hold is the answer to every further attempt to end it.
    switch self {
    case .capture, .release: return record.entry.kind == .captured || record.entry.kind == .released
    default: break
    }
    let entry = record.entry
    guard entry.price == tariff.row, tariff.row == 0 || Counts(record) == tariff.counts else { return false }
    guard number == 0 || entry.units == number else { return false }
    if entry.kind == .denied { return entry.grant == asked && entry.amount == amount && record.items == items }
    guard entry.kind == kind, entry.detail == detail else { return false }
    if case .order = self {} else if !record.items.starts(with: items) { return false }
    switch self {
    case .debit(let amount, _, _):
      var wanted = entry.amount
      for case .asked(let amount) in record.items { wanted = amount }
      return wanted == amount
    case .grant(let amount, _, let priority, _, _):
      return entry.amount == amount && entry.units == UInt32(priority) && record.items == items
    case .hold: return entry.amount == amount
    // The price is the catalogue's, which may have changed since.
    case .order(let credits, _, let method):
      return entry.amount == credits && record.number(.method) == UInt64(method)
    case .subscribe(_, let anchor): return record.moment(.askedAnchor) == anchor
    // What expires with the plan follows.
    case .unsubscribe: return true
    // So does what was held.
    case .close: return items == record.items.filter { if case .amount(.held, _) = $0 { false } else { true } }
    case .correct, .setRefill: return entry.amount == amount && record.items == items
    default: return record.items == items
    }
  }

  /// The denial of the command, as a record.
  func denial(_ code: Entry.DenialCode, on account: Account, request: RequestID, at now: Timestamp) -> Record {
    var entry = Entry(
      .denied, account: account.id, request: request, amount: amount, available: account.available, time: now,
      previous: account.last)
    entry.detail = code.rawValue
    entry.grant = asked
    entry.price = tariff.row
    entry.units = number == 0 ? tariff.units : number
    return Record(entry, items)
  }

  /// Whether amounts, times and texts are in range.
  package var isValid: Bool {
    for case .text(_, let text) in items where text.utf8.count > Item.maximumText { return false }
    switch self {
    case .debit(let amount, _, let tariff): return amount > 0 || tariff.isPriced && amount == 0
    case .grant(let amount, _, _, let starts, let expires):
      return amount > 0 && starts < expires && starts >= .zero && starts <= .latest
        && (expires == .never || expires <= .latest)
    case .hold(let amount, let duration, _, let tariff):
      return (amount > 0 || tariff.isPriced && amount == 0) && duration > .zero && duration <= .seconds(366 * 86_400)
    case .capture(_, let amount): return amount.map { $0 >= 0 } ?? true
    case .subscribe(let plan, let anchor):
      return plan.allowance > 0 && plan.rollover >= 0 && plan.allowance.millionths < .max / 8
        && plan.rollover.millionths < .max / 8 && !plan.name.isEmpty
        && anchor.map { $0 >= .zero && $0 <= .latest } ?? true
    case .setAlerts(let levels):
      return levels.count <= Extras.maximumAlerts && levels.allSatisfy { $0 > 0 }
        && zip(levels, levels.dropFirst()).allSatisfy { $0 > $1 }
    case .correct(_, let of, let amount, _, _): return amount > 0 && amount <= of
    case .setRefill(let terms): return terms?.isValid ?? true
    case .saveMethod(let method, _): return method.isValid
    case .order(let credits, let price, _): return credits > 0 && price.minor > 0
    default: return true
    }
  }
}

extension Item {
  /// Texts as items, without the empty ones.
  static func texts(_ texts: (Item.Text, String)...) -> [Item] {
    texts.compactMap { $0.1.isEmpty ? nil : .text($0.0, $0.1) }
  }
}

/// What re-armed an account's auto-refill, with the codes that the journal uses.
package enum Rearming: UInt8, Sendable, CaseIterable {
  /// The time after a decline is over.
  case cooled = 1
  /// A new period of the cap has begun.
  case period = 2
  /// A new payment method was saved.
  case method = 3
  /// A purchase was paid.
  case purchase = 4
  /// Somebody did it by hand.
  case byHand = 5

  /// The cause in words.
  var description: String {
    switch self {
    case .cooled: "pause over"
    case .period: "new period"
    case .method: "new payment method"
    case .purchase: "purchase paid"
    case .byHand: "by hand"
    }
  }
}
