import CreditsTesting

@testable import Credits

/// Accounts with all that few accounts have: one that is always the same, and random ones.
enum ExtrasFixture {
  static let time = Timestamp(seconds: 1_700_000_000)

  static let method: PaymentMethod = {
    var method = PaymentMethod(token: "pm_7", brand: "visa", lastFour: "4242", expiryYear: 2030, expiryMonth: 11)
    method.number = 2
    return method
  }()

  /// An account that has a row in each section.
  static func whole() throws(Inconsistency) -> Account {
    var extras = Extras()
    let grants = [
      ImageTests.grant(3, .allowance, remaining: 4, priority: 10),
      ImageTests.grant(5, .purchase, amount: 20, remaining: 2, priority: 30, expires: .never),
    ]
    extras.pending = [
      ImageTests.grant(6, .refill, amount: 9, remaining: 9, priority: 30, starts: ImageTests.begins, expires: .never)
    ]
    extras.holds = [
      Hold(
        account: EntryTests.account, request: EntryTests.request, number: 2, amount: 2,
        deadline: Timestamp(seconds: 1_700_000_600), end: .release,
        parts: [
          ImageTests.grant(3, .allowance, remaining: 1.5, priority: 10),
          ImageTests.grant(5, .purchase, amount: 20, remaining: 0.5, priority: 30, expires: .never),
        ]),
      Hold(
        account: EntryTests.account, request: RequestID(77), number: 4, amount: 0,
        deadline: Timestamp(seconds: 1_700_000_700), end: .capture, parts: []),
    ]
    var plan = Subscription(
      plan: Plan("basic", allowance: 10, per: .month, rollover: 2.5, priority: 10),
      anchor: Timestamp(seconds: 1_690_000_000), next: Timestamp(seconds: 1_800_000_000))
    plan.given = 10
    plan.grants = [3]
    plan.change = Subscription.Change(
      plan: Plan("größer", allowance: 40, per: .year, priority: 11), anchor: Timestamp(seconds: 1_800_000_001))
    extras.plan = plan
    extras.alerts = [50, 10]
    extras.refill = refill
    extras.methods = [method]
    var charge = Charge(
      number: 3, kind: .refill, credits: 500, price: Money(20_00, .usd), method: method,
      opened: Timestamp(seconds: 1_699_999_000))
    (charge.status, charge.sent) = (.unknown, Timestamp(seconds: 1_699_999_001))
    (charge.retry, charge.attempts) = (Timestamp(seconds: 1_700_000_060), 4)
    extras.charges = [charge]
    extras.unpaid = [
      Charge(
        number: 1, kind: .purchase, credits: 25, price: Money(1_00, .eur), method: method,
        opened: Timestamp(seconds: 1_699_000_000))
    ]
    extras.corrected = [SequenceNumber(51), SequenceNumber(43)]
    (extras.lastHold, extras.lastMethod, extras.lastCharge) = (4, 2, 3)
    return try Account(
      id: EntryTests.account, last: SequenceNumber(99), time: time,
      totals: Account.Totals(available: 6, held: 2, granted: 30, spent: 15, expired: 7), opened: SequenceNumber(42),
      lastGrant: 6, status: .open, usable: grants, extras: extras)
  }

  private static var refill: RefillState {
    var refill = RefillState()
    refill.terms = RefillTerms(
      threshold: 100, pack: Pack(credits: 500, price: Money(20_00, .usd)), cap: Money(100_00, .usd), period: .week,
      method: 2, consent: "terms 3")
    refill.suspended = .declined
    refill.coolingUntil = Timestamp(seconds: 1_700_000_800)
    refill.cappedUntil = Timestamp(seconds: 1_700_000_900)
    refill.declines = 3
    refill.since = Timestamp(seconds: 1_695_000_000)
    refill.periodStart = Timestamp(seconds: 1_699_233_600)
    refill.charged = Money(40_00, .usd)
    refill.period = .week
    refill.method = 2
    return refill
  }

  /// A random account, in order.
  static func random(_ random: inout SplitMix64) throws(Inconsistency) -> Account {
    var account = RandomAccount(random)
    defer { random = account.random }
    return try account.make()
  }
}

/// Makes an account of random parts that fit together.
private struct RandomAccount {
  var random: SplitMix64
  private var lastGrant: UInt32 = 0
  private var extras = Extras()

  init(_ random: SplitMix64) { self.random = random }

  mutating func make() throws(Inconsistency) -> Account {
    let usable = grants(upTo: 4).sorted { $0.isUsed(before: $1) }
    extras.pending = grants(upTo: 3).map { grant in
      Grant(
        number: grant.number, kind: grant.kind, priority: grant.priority, amount: grant.amount,
        remaining: grant.amount, starts: time(), expires: grant.expires)
    }.sorted { $0.starts < $1.starts }
    for _ in 0..<random.below(3) { addHold() }
    if random.once(in: 2) { extras.plan = subscription() }
    extras.alerts = Array(Set((0..<random.below(4)).map { _ in amount() })).sorted(by: >)
    for _ in 0..<random.below(3) { addMethod() }
    extras.refill = refill()
    for index in 0..<random.below(3) { extras.charges.append(charge(index == 0 ? .refill : .purchase)) }
    for _ in 0..<random.below(3) { extras.unpaid.append(charge(.purchase)) }
    extras.corrected = Array(Set((0..<random.below(5)).map { _ in random.next() })).map { SequenceNumber($0) }
    let available = usable.reduce(Amount.zero) { $0 + $1.remaining }
    let held = extras.holds.reduce(Amount.zero) { $0 + $1.amount }
    let (spent, expired) = (amount(), amount())
    return try Account(
      id: AccountID(high: random.next(), low: random.next()),
      last: SequenceNumber(SequenceNumber.highest.value - random.next() % 1_000),
      time: time(),
      totals: Account.Totals(
        available: available, held: held, granted: available + held + spent + expired, spent: spent, expired: expired),
      opened: SequenceNumber(1 + random.next() % 1_000), lastGrant: lastGrant, status: random.pick([.open, .frozen]),
      usable: usable, extras: extras)
  }

  private mutating func amount() -> Amount {
    Amount(millionths: 1 + Int64(random.next() >> (12 + random.next() % 50)) % 1_000_000_000_000_000)
  }

  private mutating func time() -> Timestamp {
    random.once(in: 8) ? .never : Timestamp(microseconds: 1 + Int64(random.next() >> 14))
  }

  private mutating func text() -> String {
    String((0..<random.below(random.once(in: 9) ? 100 : 9)).map { _ in random.pick(Array("az09 é\u{0}\u{1F4B3}")) })
  }

  private mutating func money() -> Money {
    Money(1 + Int64(random.next() >> 30), random.pick([.usd, .eur, .gbp]))
  }

  private mutating func grant() -> Grant {
    lastGrant += UInt32(1 + random.below(3))
    let whole = amount()
    return Grant(
      number: lastGrant, kind: random.pick(Grant.Source.Kind.allCases), priority: UInt8(random.below(256)),
      amount: whole, remaining: Amount(millionths: 1 + Int64(random.next() % UInt64(whole.millionths))),
      starts: random.once(in: 2) ? .zero : time(), expires: time())
  }

  private mutating func grants(upTo count: Int) -> [Grant] { (0..<random.below(count + 1)).map { _ in grant() } }

  private mutating func addHold() {
    extras.lastHold += UInt32(1 + random.below(3))
    let parts = grants(upTo: 3)
    extras.holds.append(
      Hold(
        account: AccountID(0), request: RequestID(high: random.next(), low: random.next()), number: extras.lastHold,
        amount: parts.reduce(0) { $0 + $1.remaining }, deadline: time(), end: random.pick(Hold.End.allCases),
        parts: parts))
  }

  private mutating func plan() -> Plan {
    Plan(
      text(), allowance: amount(), per: random.pick(Period.allCases), rollover: random.once(in: 2) ? 0 : amount(),
      priority: UInt8(random.below(256)))
  }

  private mutating func subscription() -> Subscription {
    var subscription = Subscription(plan: plan(), anchor: time(), next: time())
    subscription.given = random.once(in: 2) ? 0 : amount()
    subscription.ends = random.once(in: 2)
    subscription.grants = (0..<random.below(5)).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    if random.once(in: 2) {
      subscription.change = Subscription.Change(plan: plan(), anchor: random.once(in: 2) ? nil : time())
    }
    return subscription
  }

  private mutating func method() -> PaymentMethod {
    var method = PaymentMethod(
      token: text(), brand: text(), lastFour: "0042", expiryYear: 2000 + random.below(8_000),
      expiryMonth: 1 + random.below(12))
    method.number = extras.lastMethod
    return method
  }

  private mutating func addMethod() {
    extras.lastMethod += UInt32(1 + random.below(3))
    extras.methods.append(method())
  }

  private mutating func charge(_ kind: Charge.Kind) -> Charge {
    extras.lastCharge += UInt32(1 + random.below(3))
    var charge = Charge(
      number: extras.lastCharge, kind: kind, credits: amount(), price: money(), method: method(), opened: time())
    charge.status = random.pick(Charge.Status.allCases)
    (charge.sent, charge.retry) = (time(), time())
    charge.attempts = UInt32(random.below(1_000_000))
    return charge
  }

  private mutating func refill() -> RefillState {
    var refill = RefillState()
    if random.once(in: 3) { return refill }
    if random.once(in: 2) {
      let price = money()
      refill.terms = RefillTerms(
        threshold: 100, pack: Pack(credits: 500, price: price), cap: Money(money().minor, price.currency),
        period: random.pick(Period.allCases), method: UInt32(random.below(9)), consent: text())
    }
    refill.suspended = random.pick([nil] + RefillState.Suspension.allCases)
    refill.period = random.pick([nil] + Period.allCases)
    refill.coolingUntil = random.once(in: 2) ? nil : time()
    refill.cappedUntil = random.once(in: 2) ? nil : time()
    refill.declines = UInt32(random.below(1_000_000))
    (refill.since, refill.periodStart) = (time(), time())
    refill.charged = random.once(in: 2) ? nil : money()
    refill.method = UInt32(random.below(9))
    return refill
  }
}
