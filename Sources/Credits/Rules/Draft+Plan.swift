extension Draft {
  /// Begins a plan, or changes the one that there is: at once where its periods stay as they are, and then with what
  /// the new allowance has more than the old one; else at the end of the present period.
  mutating func subscribe(
    _ plan: Plan, _ asked: Timestamp?, _ command: Command, _ request: RequestID, at now: Timestamp
  ) {
    var entry = entry(.subscribed, 0, leaving: account.available, request: request, at: now)
    var items = command.items
    let old = account.extras.plan
    let hasBegun = old.map { $0.given > 0 || $0.anchor <= now } ?? false
    if let old, hasBegun, plan.period != old.plan.period || asked.map({ $0 != old.anchor }) ?? false {
      add(Record(entry, items))
      return
    }
    let anchor: Timestamp
    let next: Timestamp
    if let old, hasBegun {
      (anchor, next) = (old.anchor, old.next)
      entry.amount = plan.allowance > old.given ? plan.allowance - old.given : 0
    } else {
      anchor = asked ?? old?.anchor ?? now
      if anchor > now {
        next = anchor
      } else {
        let end = plan.period.boundary(plan.period.index(at: now, from: anchor) + 1, from: anchor)
        next = end < .latest ? end : .never
        entry.amount = plan.allowance
      }
    }
    if entry.amount > 0 { entry.grant = account.lastGrant + 1 }
    entry.available = account.available + entry.amount
    items += [.moment(.anchor, anchor), .moment(.next, next)]
    add(Record(entry, items))
  }

  /// Ends a period of the plan and begins the next: the old allowance goes, or rolls over up to the limit, and one new
  /// one comes, all in one entry.
  mutating func renew(_ subscription: Subscription, at now: Timestamp) {
    let renewal = subscription.renewal
    var items: [Item] = [.moment(.boundary, subscription.next), .moment(.next, renewal.next)]
    var room = renewal.plan.rollover
    var lapsed = Amount.zero
    for grant in account.usable where subscription.grants.contains(grant.number) {
      let rolled = min(room, grant.remaining)
      room -= rolled
      if rolled > 0 { items.append(.rolled(grant: grant.number, amount: rolled)) }
      guard rolled < grant.remaining else { continue }
      items.append(.lapsed(grant: grant.number, amount: grant.remaining - rolled))
      lapsed += grant.remaining - rolled
    }
    // An account at the limit of its totals gets no more; its plan goes on.
    let amount = refusal(ofGiving: renewal.allowance) == nil ? renewal.allowance : 0
    var entry = entry(.renewed, amount, leaving: account.available - lapsed + amount, at: now)
    if amount > 0 || room < renewal.plan.rollover { entry.grant = account.lastGrant + 1 }
    add(Record(entry, items))
  }

  /// Ends the plan: what is left of its allowance goes with it.
  mutating func endPlan(_ subscription: Subscription, _ request: RequestID = .none, at now: Timestamp) {
    var items: [Item] = []
    var lapsed = Amount.zero
    for grant in account.usable where subscription.grants.contains(grant.number) {
      items.append(.lapsed(grant: grant.number, amount: grant.remaining))
      lapsed += grant.remaining
    }
    var entry = entry(.ended, lapsed, leaving: account.available - lapsed, request: request, at: now)
    entry.detail = request == .none ? 0 : 1
    add(Record(entry, items))
  }
}
