/// The sections of an image for what few accounts have.
///
/// Each has a head of 8 bytes: its kind, its number of rows, its length. Rows are made of whole words.
enum ImageSection: UInt16, CaseIterable {
  case usable = 1
  case pending = 2
  case holds = 3
  case plan = 4
  case alerts = 5
  case refill = 6
  case methods = 7
  case charges = 8
  case unpaid = 9
  case corrected = 10
  case counters = 11
}

/// Bytes that grow as integers are added to them, little-endian.
struct ByteList {
  private(set) var bytes: [UInt8] = []

  mutating func add<T: FixedWidthInteger>(_ value: T) {
    for shift in 0..<MemoryLayout<T>.size { bytes.append(UInt8(truncatingIfNeeded: value >> T(shift * 8))) }
  }

  mutating func add(_ amount: Amount) { add(amount.millionths) }
  mutating func add(_ time: Timestamp) { add(time.microseconds) }
  mutating func add(_ flag: Bool) { add(flag ? 1 : 0 as UInt8) }

  mutating func add(_ money: Money) {
    add(money.minor)
    add(UInt64(money.currency.code))
  }

  /// Adds a text with its length, filled up to whole words.
  mutating func add(_ text: String) {
    add(UInt16(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
    fill()
  }

  /// Adds zeros up to the end of a word.
  mutating func fill() { while bytes.count % 8 != 0 { bytes.append(0) } }

  mutating func add(_ grant: Grant) {
    add(grant.number)
    add(grant.kind.rawValue)
    add(grant.priority)
    add(0 as UInt16)
    add(grant.amount)
    add(grant.remaining)
    add(grant.starts)
    add(grant.expires)
  }

  mutating func add(_ hold: Hold) {
    add(hold.request.high)
    add(hold.request.low)
    add(hold.amount)
    add(hold.deadline)
    add(hold.number)
    add(hold.end.rawValue)
    add(0 as UInt8)
    add(UInt16(hold.parts.count))
    for part in hold.parts { add(part) }
  }

  mutating func add(_ plan: Plan) {
    add(plan.allowance)
    add(plan.rollover)
    add(plan.period.rawValue)
    add(plan.priority)
    add(plan.name)
  }

  mutating func add(_ subscription: Subscription) {
    add(subscription.anchor)
    add(subscription.next)
    add(subscription.given)
    add(subscription.ends)
    add(subscription.change != nil)
    add(subscription.change?.anchor != nil)
    add(0 as UInt8)
    add(UInt32(subscription.grants.count))
    for grant in subscription.grants { add(grant) }
    fill()
    add(subscription.plan)
    guard let change = subscription.change else { return }
    if let anchor = change.anchor { add(anchor) }
    add(change.plan)
  }

  mutating func add(_ method: PaymentMethod) {
    add(method.number)
    add(UInt16(method.expiryYear))
    add(UInt16(method.expiryMonth))
    add(method.token)
    add(method.brand)
    add(method.lastFour)
  }

  mutating func add(_ charge: Charge) {
    add(charge.number)
    add(charge.kind.rawValue)
    add(charge.status.rawValue)
    add(0 as UInt16)
    add(charge.credits)
    add(charge.price)
    add(charge.opened)
    add(charge.sent)
    add(charge.retry)
    add(UInt64(charge.attempts))
    add(charge.method)
  }

  mutating func add(_ refill: RefillState) {
    add(refill.terms != nil)
    add(refill.charged != nil)
    add(refill.suspended?.rawValue ?? 0)
    add(refill.period?.rawValue ?? 0)
    add(refill.declines)
    add(UInt64(refill.method))
    add(refill.since)
    add(refill.periodStart)
    add(refill.coolingUntil ?? .zero)
    add(refill.cappedUntil ?? .zero)
    if let charged = refill.charged { add(charged) }
    guard let terms = refill.terms else { return }
    add(terms.threshold)
    add(terms.pack.credits)
    add(terms.pack.price)
    add(terms.cap)
    add(UInt32(terms.period.rawValue))
    add(terms.method)
    add(terms.consent)
  }
}

extension Extras {
  /// The sections of an image in their stored form; those that are empty are left out.
  func sections() -> [UInt8] {
    var list = ByteList()
    func add<T>(_ section: ImageSection, _ rows: [T], _ write: (inout ByteList, T) -> Void) {
      guard !rows.isEmpty else { return }
      var body = ByteList()
      for row in rows { write(&body, row) }
      list.add(section.rawValue)
      list.add(UInt16(rows.count))
      list.add(UInt32(body.bytes.count))
      list.append(body)
    }
    add(.pending, pending) { $0.add($1) }
    add(.holds, holds) { $0.add($1) }
    add(.plan, plan.map { [$0] } ?? []) { $0.add($1) }
    add(.alerts, alerts) { $0.add($1) }
    add(.refill, refill == RefillState() ? [] : [refill]) { $0.add($1) }
    add(.methods, methods) { $0.add($1) }
    add(.charges, charges) { $0.add($1) }
    add(.unpaid, unpaid) { $0.add($1) }
    add(.corrected, corrected) { $0.add($1.value) }
    let counters = [lastHold, lastMethod, lastCharge, 0]
    add(.counters, counters == [0, 0, 0, 0] ? [] : [counters]) { for counter in $1 { $0.add(counter) } }
    return list.bytes
  }

  /// Reads the rows of a section.
  @_lifetime(reader: copy reader)
  mutating func read(
    _ section: ImageSection, rows: Int, of account: AccountID, from reader: inout ByteReader
  ) throws(DecodingError) {
    let isSingle = section == .plan || section == .refill || section == .counters
    guard rows == 1 || !isSingle else { throw DecodingError("an image has \(rows) rows of \(section)") }
    switch section {
    case .usable: break
    case .pending: for _ in 0..<rows { pending.append(try reader.readGrant()) }
    case .holds: for _ in 0..<rows { holds.append(try reader.readHold(of: account)) }
    case .plan: plan = try reader.readSubscription()
    case .alerts: for _ in 0..<rows { alerts.append(try reader.readAmount()) }
    case .refill:
      refill = try reader.readRefill()
      if refill == RefillState() { throw DecodingError("an image has an empty section") }
    case .methods: for _ in 0..<rows { methods.append(try reader.readMethod()) }
    case .charges: for _ in 0..<rows { charges.append(try reader.readCharge()) }
    case .unpaid: for _ in 0..<rows { unpaid.append(try reader.readCharge()) }
    case .corrected: for _ in 0..<rows { corrected.append(SequenceNumber(try reader.read())) }
    case .counters:
      lastHold = try reader.read()
      lastMethod = try reader.read()
      lastCharge = try reader.read()
      try reader.readZeros(4)
      if lastHold == 0, lastMethod == 0, lastCharge == 0 { throw DecodingError("an image has an empty section") }
    }
  }
}

extension ByteList {
  fileprivate mutating func append(_ other: ByteList) { bytes += other.bytes }
}

extension ByteReader {
  @_lifetime(self: copy self)
  fileprivate mutating func readAmount() throws(DecodingError) -> Amount { Amount(millionths: try read()) }

  @_lifetime(self: copy self)
  fileprivate mutating func readTime() throws(DecodingError) -> Timestamp { Timestamp(microseconds: try read()) }

  @_lifetime(self: copy self)
  fileprivate mutating func readFlag() throws(DecodingError) -> Bool {
    let byte: UInt8 = try read()
    guard byte <= 1 else { throw DecodingError("an image has a flag of \(byte)") }
    return byte == 1
  }

  /// Reads a code that an enumeration knows.
  @_lifetime(self: copy self)
  fileprivate mutating func readCode<T: RawRepresentable>(_: T.Type = T.self) throws(DecodingError) -> T
  where T.RawValue == UInt8 {
    let byte: UInt8 = try read()
    guard let value = T(rawValue: byte) else { throw DecodingError("an image has the unknown code \(byte)") }
    return value
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readMoney() throws(DecodingError) -> Money {
    let minor: Int64 = try read()
    let code: UInt64 = try read()
    guard let currency = UInt32(exactly: code).flatMap(Currency.init(code:)) else {
      throw DecodingError("an image has an unknown currency")
    }
    return Money(minor, currency)
  }

  /// Reads a text with its length, and the zeros up to the end of its last word.
  @_lifetime(self: copy self)
  fileprivate mutating func readLabel() throws(DecodingError) -> String {
    let start = offset
    let count = Int(try read(UInt16.self))
    guard count <= Item.maximumText else { throw DecodingError("a text has \(count) bytes") }
    var text: [UInt8] = []
    for _ in 0..<count { text.append(try read()) }
    try readZeros(-(offset - start) & 7)
    guard let string = String(validating: text, as: UTF8.self) else { throw DecodingError("a text is not UTF-8") }
    return string
  }

  /// Reads a grant.
  @_lifetime(self: copy self)
  mutating func readGrant() throws(DecodingError) -> Grant {
    let number: UInt32 = try read()
    let kind: Grant.Source.Kind = try readCode()
    let priority: UInt8 = try read()
    try readZeros(2)
    let amount = try readAmount()
    let remaining = try readAmount()
    let starts = try readTime()
    return Grant(
      number: number, kind: kind, priority: priority, amount: amount, remaining: remaining, starts: starts,
      expires: try readTime())
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readHold(of account: AccountID) throws(DecodingError) -> Hold {
    let high: UInt64 = try read()
    let request = RequestID(high: high, low: try read())
    let amount = try readAmount()
    let deadline = try readTime()
    let number: UInt32 = try read()
    let end: Hold.End = try readCode()
    try readZeros(1)
    var parts: [Grant] = []
    for _ in 0..<(try read(UInt16.self)) { parts.append(try readGrant()) }
    return Hold(
      account: account, request: request, number: number, amount: amount, deadline: deadline, end: end,
      parts: parts)
  }

  /// Reads a plan, whose name begins within a word.
  @_lifetime(self: copy self)
  fileprivate mutating func readPlan() throws(DecodingError) -> Plan {
    let allowance = try readAmount()
    let rollover = try readAmount()
    let period: Period = try readCode()
    let priority: UInt8 = try read()
    let count = Int(try read(UInt16.self))
    guard count <= Item.maximumText else { throw DecodingError("a text has \(count) bytes") }
    var text: [UInt8] = []
    for _ in 0..<count { text.append(try read()) }
    try readZeros(-(4 + count) & 7)
    guard let name = String(validating: text, as: UTF8.self) else { throw DecodingError("a text is not UTF-8") }
    return Plan(name, allowance: allowance, per: period, rollover: rollover, priority: priority)
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readSubscription() throws(DecodingError) -> Subscription {
    let anchor = try readTime()
    let next = try readTime()
    let given = try readAmount()
    let ends = try readFlag()
    let hasChange = try readFlag()
    let hasAnchor = try readFlag()
    guard hasChange || !hasAnchor else { throw DecodingError("an image has an anchor without a change of plan") }
    try readZeros(1)
    let count = Int(try read(UInt32.self))
    guard count <= Entry.maximumGrants else { throw DecodingError("a plan has \(count) grants") }
    var grants: [UInt32] = []
    for _ in 0..<count { grants.append(try read()) }
    if count % 2 == 1 { try readZeros(4) }
    var subscription = Subscription(plan: try readPlan(), anchor: anchor, next: next)
    subscription.given = given
    subscription.ends = ends
    subscription.grants = grants
    guard hasChange else { return subscription }
    let changed = hasAnchor ? try readTime() : nil
    subscription.change = Subscription.Change(plan: try readPlan(), anchor: changed)
    return subscription
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readMethod() throws(DecodingError) -> PaymentMethod {
    let number: UInt32 = try read()
    let year = Int(try read(UInt16.self))
    let month = Int(try read(UInt16.self))
    let token = try readLabel()
    let brand = try readLabel()
    var method = PaymentMethod(
      token: token, brand: brand, lastFour: try readLabel(), expiryYear: year, expiryMonth: month)
    method.number = number
    return method
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readCharge() throws(DecodingError) -> Charge {
    let number: UInt32 = try read()
    let kind: Charge.Kind = try readCode()
    let status: Charge.Status = try readCode()
    try readZeros(2)
    let credits = try readAmount()
    let price = try readMoney()
    let opened = try readTime()
    let sent = try readTime()
    let retry = try readTime()
    let attempts: UInt64 = try read()
    guard let attempts = UInt32(exactly: attempts) else { throw DecodingError("an image counts too many attempts") }
    var charge = Charge(
      number: number, kind: kind, credits: credits, price: price, method: try readMethod(), opened: opened)
    (charge.status, charge.sent, charge.retry, charge.attempts) = (status, sent, retry, attempts)
    return charge
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readRefill() throws(DecodingError) -> RefillState {
    var refill = RefillState()
    let hasTerms = try readFlag()
    let hasCharged = try readFlag()
    let suspended: UInt8 = try read()
    let period: UInt8 = try read()
    refill.suspended = RefillState.Suspension(rawValue: suspended)
    refill.period = Period(rawValue: period)
    guard suspended == 0 || refill.suspended != nil, period == 0 || refill.period != nil else {
      throw DecodingError("an image has a refill in an unknown state")
    }
    refill.declines = try read()
    guard let method = UInt32(exactly: try read(UInt64.self)) else { throw DecodingError("a method is out of range") }
    refill.method = method
    refill.since = try readTime()
    refill.periodStart = try readTime()
    let cooling = try readTime()
    let capped = try readTime()
    refill.coolingUntil = cooling == .zero ? nil : cooling
    refill.cappedUntil = capped == .zero ? nil : capped
    if hasCharged { refill.charged = try readMoney() }
    guard hasTerms else { return refill }
    let threshold = try readAmount()
    let credits = try readAmount()
    let pack = Pack(credits: credits, price: try readMoney())
    let cap = try readMoney()
    guard let kind = UInt8(exactly: try read(UInt32.self)).flatMap(Period.init(rawValue:)) else {
      throw DecodingError("an image has an unknown period")
    }
    let number: UInt32 = try read()
    refill.terms = RefillTerms(
      threshold: threshold, pack: pack, cap: cap, period: kind, method: number, consent: try readLabel())
    return refill
  }
}
