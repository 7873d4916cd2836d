extension Account {
  /// Begins, or changes, a plan; gives the allowance of the present period, or what is missing of it.
  mutating func applySubscribed(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    guard let name = record.text(.plan), let allowance = record.amount(.allowance),
      let rollover = record.amount(.rollover), let code = record.number(.period).flatMap({ UInt8(exactly: $0) }),
      let period = Period(rawValue: code), let priority = record.number(.priority).flatMap({ UInt8(exactly: $0) }),
      allowance >= 0, rollover >= 0
    else { throw Inconsistency("a plan is not whole") }
    let plan = Plan(name, allowance: allowance, per: period, rollover: rollover, priority: priority)
    if let next = record.moment(.next), let anchor = record.moment(.anchor) {
      guard next > entry.time else { throw Inconsistency("a plan begins with a period that is over") }
      var subscription = Subscription(plan: plan, anchor: anchor, next: next)
      if let old = extras.plan, old.anchor == anchor, old.next == next {
        subscription.grants = old.grants
        subscription.given = old.given
      }
      extras.plan = subscription
      try giveAllowance(entry, lasting: next)
    } else {
      guard extras.plan != nil, entry.amount == 0 else { throw Inconsistency("there is no plan to change") }
      extras.plan?.change = Subscription.Change(plan: plan, anchor: record.moment(.askedAnchor))
      extras.plan?.ends = false
    }
  }

  /// Ends one period and begins the next.
  mutating func applyRenewed(_ record: borrowing Record) throws(Inconsistency) {
    guard var subscription = extras.plan else { throw Inconsistency("there is no plan to renew") }
    let renewal = subscription.renewal
    guard record.moment(.boundary) == subscription.next, record.moment(.next) == renewal.next else {
      throw Inconsistency("the plan renews at \(subscription.next), for the time until \(renewal.next)")
    }
    let rolled = try lapse(record, of: subscription)
    subscription = Subscription(plan: renewal.plan, anchor: renewal.anchor, next: renewal.next)
    extras.plan = subscription
    try giveAllowance(record.entry, lasting: renewal.next, rolled: rolled)
  }

  /// Lets a plan end with its period, or at once.
  mutating func applyUnsubscribed(_ record: borrowing Record) throws(Inconsistency) {
    guard let subscription = extras.plan else { throw Inconsistency("there is no plan to end") }
    if record.entry.kind == .unsubscribed {
      extras.plan?.ends = true
      extras.plan?.change = nil
      return
    }
    guard try lapse(record, of: subscription) == 0 else { throw Inconsistency("the plan ends and leaves credits") }
    extras.plan = nil
    // What is held of the allowance can still be captured, and does not come back.
    for index in extras.holds.indices {
      extras.holds[index].expire(subscription.grants, at: record.entry.time)
    }
  }

  /// Takes what is left of a period's allowance, and answers how much of it goes over into the next one.
  private mutating func lapse(
    _ record: borrowing Record, of subscription: Subscription
  ) throws(Inconsistency) -> Amount {
    var rolled = Amount.zero
    for item in record.items {
      switch item {
      case .lapsed(let grant, let amount) where subscription.grants.contains(grant):
        _ = try take(amount, from: grant)
        try expire(amount)
      case .rolled(let grant, let amount) where subscription.grants.contains(grant):
        _ = try take(amount, from: grant)
        available -= amount
        rolled += amount
      case .lapsed, .rolled: throw Inconsistency("another grant than the plan's lapses")
      default: break
      }
    }
    guard !usable.contains(where: { subscription.grants.contains($0.number) }) else {
      throw Inconsistency("some of the old allowance is left")
    }
    return rolled
  }

  /// Gives the allowance of a period, with what was left of the one before.
  private mutating func giveAllowance(
    _ entry: Entry, lasting end: Timestamp, rolled: Amount = 0
  ) throws(Inconsistency) {
    guard let plan = extras.plan?.plan, let sum = entry.amount.adding(rolled),
      let given = extras.plan?.given.adding(entry.amount)
    else {
      throw Inconsistency("an allowance is out of range")
    }
    extras.plan?.given = given
    guard sum > 0 else { return }
    // What is rolled over was granted before: it is no new credit.
    granted -= rolled
    try give(
      Grant(
        number: entry.grant, kind: .allowance, priority: plan.priority, amount: sum, remaining: sum, starts: .zero,
        expires: end))
    extras.plan?.grants.append(entry.grant)
  }
}
