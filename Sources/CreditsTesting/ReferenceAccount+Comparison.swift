internal import Credits

extension ReferenceAccount {
  /// The account with what time has done by itself, but under the version of the last record: as the store shows it.
  func shown(at now: Timestamp) -> ReferenceAccount {
    guard let moment = nextMoment, moment <= now else { return self }
    var state = self
    // Only what follows is of interest, and the entries are not to be copied.
    state.entries = []
    state.settle(at: now)
    state.last = last
    return state
  }

  /// What is different in what a store says of the account, in words; nil if nothing is.
  func difference(from summary: AccountSummary, at now: Timestamp, isDurable: Bool = true) -> String? {
    let state = shown(at: now)
    var comparison = Comparison(of: "account \(id.low)")
    comparison.check("the id", id, summary.id)
    comparison.check("the available amount", state.available, summary.balance.available)
    comparison.check("the held amount", state.held, summary.balance.held)
    comparison.check("the version", last, summary.balance.version)
    // The label is read from the disk.
    if isDurable { comparison.check("the label", label.isEmpty ? nil : label, summary.label) }
    comparison.check("the status", state.status, summary.status)
    comparison.check("the granted total", state.granted, Int128(summary.granted.millionths))
    comparison.check("the spent total", state.spent, Int128(summary.spent.millionths))
    comparison.check("the expired total", state.expired, Int128(summary.expired.millionths))
    comparison.check("the list of grants", (state.usable + state.waiting).map(\.shown), summary.grants)
    comparison.check("the list of holds", state.shownHolds, summary.holds)
    comparison.check("the plan", state.plan?.shown, summary.plan)
    comparison.check("the list of alerts", state.levels.map(\.amount), summary.alerts)
    comparison.check("the list of methods", state.methods, summary.methods)
    comparison.check("the list of charges", state.openCharges.map(\.shown), summary.charges)
    comparison.check("the terms", state.refill.terms, summary.refill.terms)
    comparison.check("the state of auto-refill", state.shownRefill, summary.refill.state)
    comparison.check("the declines", state.refill.declines, Int(summary.refill.declines))
    let charged = summary.refill.charged
    let expected = state.charged(at: now, in: charged?.currency ?? .usd)
    comparison.check("what was charged in the period", expected, charged?.minor ?? 0)
    return comparison.difference
  }

  private var shownHolds: [Credits.Hold] {
    holds.map {
      Credits.Hold(
        account: id, request: $0.request, number: $0.number, amount: $0.amount, deadline: $0.deadline, end: $0.end,
        parts: $0.parts.map(\.shown))
    }
  }

  private var shownRefill: RefillSummary.State {
    if let charge = openCharges.first(where: { $0.kind == .refill })?.shown {
      return charge.status == .due
        ? .due(charge) : charge.status == .needsAction ? .needsAction(charge) : .charging(charge)
    }
    if refill.terms == nil { return .off }
    if let reason = refill.suspended { return .suspended(reason) }
    if let until = refill.coolingUntil { return .coolingDown(until: until) }
    return refill.cappedUntil.map { .capped(until: $0) } ?? .armed
  }
}

extension ReferenceAccount.Grant {
  fileprivate var shown: Credits.Grant {
    Credits.Grant(
      number: number, kind: kind, priority: priority, amount: amount, remaining: remaining, starts: starts,
      expires: expires)
  }
}

extension ReferencePlan {
  fileprivate var shown: Subscription {
    var subscription = Subscription(plan: plan, anchor: anchor, next: next)
    (subscription.change, subscription.ends) = (change, ends)
    (subscription.grants, subscription.given) = (grants, given)
    return subscription
  }
}

extension ReferenceCharge {
  fileprivate var shown: Charge {
    var charge = Charge(
      number: number, kind: kind, credits: credits, price: price, method: method, opened: opened)
    (charge.status, charge.sent, charge.retry, charge.attempts) = (status, sent, retry, UInt32(attempts))
    return charge
  }
}
