internal import Credits

/// A plan of the reference ledger, and where in its periods it is.
struct ReferencePlan: Hashable, Sendable {
  var plan: Plan
  var anchor: Timestamp
  /// The end of the present period, or the beginning of the first one.
  var next: Timestamp
  /// The plan that takes over at the end of the period.
  var change: Subscription.Change?
  /// Whether the plan ends with its period.
  var ends = false
  /// The allowance of the present period.
  var given: Amount = 0
  /// The grants that it was given by.
  var grants: [UInt32] = []

  /// Whether its first period has begun.
  func hasBegun(by now: Timestamp) -> Bool { given > 0 || anchor <= now }
}

extension ReferenceAccount {
  /// Begins a plan, or changes the one that there is.
  mutating func subscribe(_ new: Plan, _ asked: Timestamp?, _ request: RequestID, at now: Timestamp) {
    var details = ReferenceEntry.Details(request: request, text: new.name)
    if let old = plan, old.hasBegun(by: now) {
      if new.period != old.plan.period || asked ?? old.anchor != old.anchor {
        // Other periods: they begin when the present one ends.
        plan?.change = Subscription.Change(plan: new, anchor: asked)
        plan?.ends = false
        return add(.subscribed, 0, at: now, details)
      }
      // The same periods: at once, and the difference of the allowances comes.
      plan?.plan = new
      plan?.change = nil
      plan?.ends = false
      details.until = old.next
      let more = new.allowance > old.given ? new.allowance - old.given : 0
      return giveAllowance(more, at: now, .subscribed, details)
    }
    let anchor = asked ?? plan?.anchor ?? now
    let end = anchor > now ? anchor : ReferenceCalendar.period(new.period, from: anchor, at: now).end
    plan = ReferencePlan(plan: new, anchor: anchor, next: end)
    details.until = end
    giveAllowance(anchor > now ? 0 : new.allowance, at: now, .subscribed, details)
  }

  /// Gives an allowance to the end of the present period, with what was rolled over.
  private mutating func giveAllowance(
    _ amount: Amount, rolled: Amount = 0, at now: Timestamp, _ kind: JournalEntry.Kind,
    _ details: ReferenceEntry.Details
  ) {
    var details = details
    if let current = plan, amount + rolled > 0 {
      let number = give(amount + rolled, .allowance, current.plan.priority, expires: current.next, at: now)
      // What was rolled over is no new credit.
      granted -= Int128(rolled.millionths)
      details.parts = [ReferenceEntry.Part(grant: number, amount: amount)]
      plan?.grants.append(number)
    }
    plan?.given += amount
    add(kind, amount, at: now, details)
  }

  /// Ends the present period; the next one begins, unless the plan ends.
  mutating func endPeriod(at now: Timestamp) {
    guard let old = plan else { return }
    if old.ends { return endPlan(nil, at: now) }
    let new = old.change?.plan ?? old.plan
    let anchor = old.change == nil ? old.anchor : old.change?.anchor ?? old.next
    let (start, end) = ReferenceCalendar.period(new.period, from: anchor, at: old.next)
    var allowance = new.allowance
    if start < old.next, end != .never {
      // A shorter period has its part of the allowance.
      let part = Int128(end.microseconds - old.next.microseconds)
      let whole = Int128(end.microseconds - start.microseconds)
      allowance = Amount(millionths: Int64(Int128(allowance.millionths) * part / whole))
    }
    var details = ReferenceEntry.Details(until: end)
    var room = new.rollover
    for grant in usable where old.grants.contains(grant.number) {
      let rolls = min(room, grant.remaining)
      room -= rolls
      if rolls > 0 { details.rolled.append(ReferenceEntry.Part(grant: grant.number, amount: rolls)) }
      let lapses = grant.remaining - rolls
      if lapses > 0 { details.lapsed.append(ReferenceEntry.Part(grant: grant.number, amount: lapses)) }
    }
    // An account at its limit gets no more, and keeps its plan.
    if !hasRoom(for: allowance) { allowance = 0 }
    grants.removeAll { old.grants.contains($0.number) }
    expired += details.lapsed.reduce(0) { $0 + Int128($1.amount.millionths) }
    plan = ReferencePlan(plan: new, anchor: anchor, next: end)
    giveAllowance(allowance, rolled: new.rollover - room, at: now, .renewed, details)
  }

  /// Ends the plan, and what is left of its allowance with it.
  mutating func endPlan(_ request: RequestID?, at now: Timestamp) {
    guard let old = plan else { return }
    let left = usable.filter { old.grants.contains($0.number) }
    let sum = left.reduce(0) { $0 + $1.remaining }
    grants.removeAll { old.grants.contains($0.number) }
    expired += Int128(sum.millionths)
    plan = nil
    // What is held of it can still be captured, and does not come back.
    for hold in holds.indices {
      for part in holds[hold].parts.indices where old.grants.contains(holds[hold].parts[part].number) {
        holds[hold].parts[part].expires = min(holds[hold].parts[part].expires, now)
      }
    }
    let details = ReferenceEntry.Details(
      request: request, lapsed: left.map(\.part), cause: request == nil ? "period over" : "at once")
    add(.ended, sum, at: now, details)
  }
}
