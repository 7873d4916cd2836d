extension Account {
  /// Applies an entry about auto-refill, payment methods or charges.
  mutating func applyCharge(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    if let until = record.moment(.until), until <= .zero || until < entry.time {
      throw Inconsistency("it lasts until \(until), before its own time")
    }
    switch entry.kind {
    case .refillSet: try applyRefillSet(record)
    case .rearmed: try applyRearmed(entry)
    case .capped: extras.refill.cappedUntil = record.moment(.until)
    case .methodSaved: try applyMethodSaved(record)
    case .methodRemoved:
      guard extras.methods.contains(where: { $0.number == entry.units }) else {
        throw Inconsistency("there is no payment method \(entry.units)")
      }
      extras.methods.removeAll { $0.number == entry.units }
      // What waits because of a dispute waits for a person, whatever becomes of the card.
      if extras.refill.terms?.method == entry.units, extras.refill.suspended != .disputed {
        extras.refill.suspended = .noMethod
      }
    case .disputed: extras.refill.suspended = .disputed
    case .due, .ordered: try applyOrder(record)
    default: try applyStep(record)
    }
  }

  private mutating func applyRefillSet(_ record: borrowing Record) throws(Inconsistency) {
    guard record.entry.detail == 1 else { return extras.refill.terms = nil }
    guard let terms = RefillTerms(record) else { throw Inconsistency("the terms of a refill are not whole") }
    if extras.refill.period != terms.period { changePeriod(terms.period, at: record.entry.time) }
    extras.refill.terms = terms
    extras.refill.method = terms.method
    extras.refill.cappedUntil = nil
  }

  /// Begins to count the cap's periods anew; what was charged in the present one, or is under way, counts in the first,
  /// so that no change of periods makes room.
  private mutating func changePeriod(_ period: Period, at now: Timestamp) {
    let refill = extras.refill
    var carried =
      refill.period.map { old in
        let start = old.boundary(old.index(at: now, from: refill.since), from: refill.since)
        return start == refill.periodStart ? refill.charged : nil
      } ?? nil
    if let charge = extras.charges.first(where: { $0.kind == .refill && $0.status != .due }), !counts(charge, carried) {
      carried = carried?.adding(charge.price) ?? charge.price
    }
    extras.refill.period = period
    extras.refill.since = now
    extras.refill.periodStart = now
    extras.refill.charged = carried
  }

  /// Whether an open refill is part of a sum that was charged in the present period.
  private func counts(_ charge: Charge, _ sum: Money?) -> Bool {
    sum != nil && max(charge.sent, extras.refill.since) >= extras.refill.periodStart
  }

  private mutating func applyRearmed(_ entry: Entry) throws(Inconsistency) {
    guard let cause = Rearming(rawValue: entry.detail) else { throw Inconsistency("a refill is re-armed by nothing") }
    switch cause {
    case .period: extras.refill.cappedUntil = nil
    case .cooled: extras.refill.coolingUntil = nil
    case .method, .purchase, .byHand:
      extras.refill.coolingUntil = nil
      extras.refill.declines = 0
      if extras.refill.suspended != .disputed || cause == .byHand { extras.refill.suspended = nil }
    }
    let hasMethod = extras.methods.contains { $0.number == extras.refill.terms?.method }
    if extras.refill.terms != nil, !hasMethod, extras.refill.suspended == nil { extras.refill.suspended = .noMethod }
  }

  private mutating func applyMethodSaved(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    guard let token = record.text(.token), let lastFour = record.text(.lastFour),
      let expiry = record.number(.cardExpiry).flatMap({ Int(exactly: $0) }), expiry < 1_000_000,
      entry.units == extras.lastMethod + 1
    else { throw Inconsistency("a payment method is not whole") }
    var method = PaymentMethod(
      token: token, brand: record.text(.brand) ?? "", lastFour: lastFour, expiryYear: expiry / 100,
      expiryMonth: expiry % 100)
    method.number = entry.units
    extras.lastMethod = entry.units
    extras.methods.append(method)
    if entry.detail == 1, extras.refill.terms != nil {
      extras.refill.terms?.method = entry.units
      extras.refill.method = entry.units
    }
  }

  private mutating func applyOrder(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    let kind: Charge.Kind = entry.kind == .due ? .refill : .purchase
    guard let price = record.money(.price), price.minor > 0, let number = record.number(.method),
      let method = extras.methods.first(where: { UInt64($0.number) == number }), entry.units == extras.lastCharge + 1
    else { throw Inconsistency("a charge is not whole") }
    guard kind == .purchase || !extras.charges.contains(where: { $0.kind == .refill }) else {
      throw Inconsistency("a second refill comes due")
    }
    extras.lastCharge = entry.units
    extras.charges.append(
      Charge(
        number: entry.units, kind: kind, credits: entry.amount, price: price, method: method, opened: entry.time))
  }

  /// Applies a step of an open charge, or of one that turns out to be paid after all.
  private mutating func applyStep(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    let isLate = !extras.charges.contains { $0.number == entry.units }
    let list = isLate ? extras.unpaid : extras.charges
    guard let index = list.firstIndex(where: { $0.number == entry.units }) else {
      throw Inconsistency("there is no charge \(entry.units)")
    }
    guard !isLate || entry.kind == .credited || entry.kind == .mismatched else {
      throw Inconsistency("charge \(entry.units) has ended")
    }
    var charge = list[index]
    switch entry.kind {
    case .charging:
      guard charge.status == .due, let price = record.money(.price), price.minor > 0 else {
        throw Inconsistency("charge \(entry.units) is sent twice, or for nothing")
      }
      (charge.credits, charge.price) = (entry.amount, price)
      (charge.status, charge.sent, charge.retry) = (.charging, entry.time, entry.time)
      count(charge, at: entry.time)
    case .needsAction:
      charge.status = .needsAction
      charge.retry = record.moment(.until) ?? .never
    case .unsettled:
      guard let status = Charge.Status(rawValue: entry.detail) else { throw Inconsistency("its status is unknown") }
      charge.status = status
      charge.attempts += 1
      charge.retry = record.moment(.until) ?? .never
    case .mismatched:
      if charge.status == .due {
        // It was paid all the same: the store that this one is a copy of has sent it.
        charge.sent = entry.time
        count(charge, at: entry.time)
      }
      charge.status = .mismatched
      charge.retry = .never
    case .credited: return try applyCredited(record, charge, isLate: isLate)
    case .declined, .cancelled:
      extras.charges.remove(at: index)
      if charge.status == .due { return }
      uncount(charge)
      extras.unpaid.append(charge)
      if extras.unpaid.count > Extras.maximumUnpaid { extras.unpaid.removeFirst() }
      if entry.kind == .declined, charge.kind == .refill {
        extras.refill.declines += 1
        extras.refill.coolingUntil = record.moment(.until)
        if record.moment(.until) == nil, extras.refill.suspended == nil { extras.refill.suspended = .declined }
      }
      return
    default: throw Inconsistency("the entry is no step of a charge")
    }
    if isLate { extras.unpaid[index] = charge } else { extras.charges[index] = charge }
  }

  private mutating func applyCredited(
    _ record: borrowing Record, _ charge: Charge, isLate: Bool
  ) throws(Inconsistency) {
    let entry = record.entry
    let kind = charge.kind.source
    guard entry.amount == charge.credits, record.money(.price) == charge.price, entry.detail == kind.rawValue else {
      throw Inconsistency("charge \(charge.number) is credited with something else")
    }
    extras.charges.removeAll { $0.number == charge.number }
    extras.unpaid.removeAll { $0.number == charge.number }
    // One that had ended, or was paid before it was sent, is not counted in its period yet.
    if isLate || charge.status == .due { count(charge, at: isLate ? charge.sent : entry.time) }
    if charge.kind == .refill { extras.refill.declines = 0 }
    try give(
      Grant(
        number: entry.grant, kind: kind, priority: kind.priority, amount: entry.amount, remaining: entry.amount,
        starts: .zero, expires: .never))
  }

  /// Counts a refill's money in the period in which it was sent, or in the first one if it was sent before; also while
  /// auto-refill is off, as it may be switched on again in the same period.
  private mutating func count(_ charge: Charge, at time: Timestamp) {
    let refill = extras.refill
    let currency = refill.terms?.cap.currency ?? refill.charged?.currency ?? charge.price.currency
    guard charge.kind == .refill, currency == charge.price.currency,
      let period = refill.period(at: max(time, refill.since), in: currency), period.start >= refill.periodStart
    else { return }
    extras.refill.periodStart = period.start
    let (sum, overflow) = period.charged.addingReportingOverflow(charge.price.minor)
    extras.refill.charged = Money(overflow ? .max : sum, charge.price.currency)
  }

  /// Takes a refill's money out of its period again: the card was not charged.
  private mutating func uncount(_ charge: Charge) {
    // What was under way when the periods changed counts in the first of the new ones, though it was sent before.
    guard charge.kind == .refill, max(charge.sent, extras.refill.since) >= extras.refill.periodStart,
      let charged = extras.refill.charged, charged.currency == charge.price.currency
    else { return }
    extras.refill.charged = Money(max(0, charged.minor - charge.price.minor), charged.currency)
  }
}
