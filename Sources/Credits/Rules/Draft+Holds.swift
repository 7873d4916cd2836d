extension Draft {
  /// Captures a hold for less, as much, or more than it holds; what goes beyond it is a debit of its own.
  ///
  /// Nothing is recorded, and the reason answered, where there is no such hold, or no price: then the hold stays.
  mutating func capture(
    _ request: RequestID, _ amount: Amount?, _ tariff: Tariff, at now: Timestamp
  ) -> Denial.Reason? {
    guard let hold = account.hold(of: request) else { return .noHold }
    let wanted = amount ?? hold.amount
    if let code = tariff.refusal { return Denial.Reason(code, available: account.available, needed: wanted) }
    end(hold, capturing: min(wanted, hold.amount), asked: wanted == hold.amount ? nil : wanted, tariff, at: now)
    guard wanted > hold.amount else { return nil }
    let excess = Command.debit(wanted - hold.amount, .whole, .none)
    return decide(excess, request: request.excessOfHold, at: now)
  }

  /// Releases a hold.
  mutating func release(_ request: RequestID, at now: Timestamp) -> Denial.Reason? {
    guard let hold = account.hold(of: request) else { return .noHold }
    end(hold, capturing: nil, at: now)
    return nil
  }

  /// Ends a hold: captures part of it in the order of use, and returns the rest to its grants but what has expired.
  mutating func end(
    _ hold: Hold, capturing amount: Amount?, asked: Amount? = nil, _ tariff: Tariff = .none,
    cause: HoldOutcome.Cause = .caller, at now: Timestamp
  ) {
    var items: [Item] = [.request(hold.request)] + tariff.items
    if let asked { items.append(.asked(asked)) }
    var left = amount ?? 0
    var returned = Amount.zero
    for grant in hold.parts {
      let part = min(left, grant.remaining)
      let rest = grant.remaining - part
      left -= part
      if part > 0 { items.append(.part(grant: grant.number, amount: part)) }
      guard rest > 0 else { continue }
      if grant.expires > now {
        items.append(.returned(grant: grant.number, amount: rest))
        returned += rest
      } else {
        items.append(.lapsed(grant: grant.number, amount: rest))
      }
    }
    var entry = entry(
      amount == nil ? .released : .captured, amount ?? 0, leaving: account.available + returned,
      request: hold.request.endOfHold, at: now)
    entry.detail = cause.rawValue
    entry.grant = hold.number
    entry.price = tariff.row
    entry.units = tariff.units
    add(Record(entry, items))
  }
}
