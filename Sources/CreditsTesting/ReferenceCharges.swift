internal import Credits

/// How auto-refill of an account of the reference ledger stands.
struct ReferenceRefill: Hashable, Sendable {
  var terms: RefillTerms?
  var suspended: RefillState.Suspension?
  var coolingUntil: Timestamp?
  var cappedUntil: Timestamp?
  /// The declines since the last success.
  var declines = 0
  /// The periods of the cap, and when they began; they outlast a switching off.
  var period: Period?
  var since = Timestamp.zero
  /// The payment method that was agreed to last.
  var method: UInt32 = 0
}

/// One charge of the reference ledger, open or not.
struct ReferenceCharge: Hashable, Sendable {
  let number: UInt32
  let kind: Charge.Kind
  var credits: Amount
  var price: Money
  let method: PaymentMethod
  let opened: Timestamp
  var status = Charge.Status.due
  var sent = Timestamp.never
  var retry: Timestamp
  var attempts = 0
  /// Whether it has not ended.
  var isOpen = true
  /// Whether it was paid.
  var isPaid = false
  /// The moment at which its money counts for the cap; nil where it does not.
  var counted: Timestamp?
}

extension ReferenceAccount {
  /// The pauses before a charge is asked for again, in seconds; the last one repeats.
  private static let pauses = [10, 60, 300, 1_800, 7_200, 21_600]
  /// The pauses after declines, in hours; then auto-refill waits for a person.
  private static let coolings = [1, 6, 24]

  var openCharges: [ReferenceCharge] { charges.filter(\.isOpen) }

  /// The money that counts in the cap's period at a time, all added up.
  func charged(at now: Timestamp, in currency: Currency) -> Int64 {
    guard let kind = refill.period else { return 0 }
    let (start, end) = ReferenceCalendar.period(kind, from: refill.since, at: now)
    return charges.reduce(0) { sum, charge in
      guard charge.kind == .refill, charge.price.currency == currency, let time = charge.counted, time >= start,
        time < end
      else { return sum }
      return sum + charge.price.minor
    }
  }

  /// The packs that a refill buys now: enough to reach the threshold, as far as the money goes.
  private func packs(_ terms: RefillTerms, at now: Timestamp) -> Int64 {
    var packs: Int64 = 0
    var reached = Int128(available.millionths)
    var left = terms.cap.minor - charged(at: now, in: terms.cap.currency)
    while reached < Int128(terms.threshold.millionths), left >= terms.pack.price.minor {
      packs += 1
      reached += Int128(terms.pack.credits.millionths)
      left -= terms.pack.price.minor
    }
    return packs
  }

  /// Lets a refill come due if less is available than the threshold and nothing speaks against it.
  mutating func lookAtThreshold(at now: Timestamp) {
    guard status == .open, let terms = refill.terms, available < terms.threshold, refill.suspended == nil,
      refill.coolingUntil == nil, refill.cappedUntil == nil, !openCharges.contains(where: { $0.kind == .refill }),
      let method = methods.first(where: { $0.number == terms.method }), hasRoom(for: 0)
    else { return }
    let packs = packs(terms, at: now)
    if packs == 0 {
      let end = ReferenceCalendar.period(terms.period, from: refill.since, at: now).end
      refill.cappedUntil = end
      return add(.capped, terms.threshold, at: now, .init(until: end))
    }
    let price = Money(terms.pack.price.minor * packs, terms.pack.price.currency)
    open(.refill, Amount(millionths: terms.pack.credits.millionths * packs), price, method, nil, at: now)
  }

  /// Notes that something is to be charged.
  mutating func open(
    _ kind: Charge.Kind, _ credits: Amount, _ price: Money, _ method: PaymentMethod, _ request: RequestID?,
    at now: Timestamp
  ) {
    let number = UInt32(charges.count + 1)
    charges.append(
      ReferenceCharge(
        number: number, kind: kind, credits: credits, price: price, method: method, opened: now, retry: now))
    add(
      kind == .refill ? .due : .ordered, credits, at: now,
      .init(request: request, charge: number, method: method.number, money: price))
  }

  // MARK: Auto-refill and payment methods

  /// Takes auto-refill up again after a pause that is over.
  mutating func rearm(_ cause: String, _ request: RequestID? = nil, _ reason: String? = nil, at now: Timestamp) {
    if let terms = refill.terms, refill.suspended == nil, !methods.contains(where: { $0.number == terms.method }) {
      refill.suspended = .noMethod
    }
    add(.rearmed, 0, at: now, .init(request: request, text: reason, cause: cause))
    lookAtThreshold(at: now)
  }

  /// Forgets declines; a dispute is forgotten by hand only.
  private mutating func forgive(byHand: Bool) {
    (refill.coolingUntil, refill.declines) = (nil, 0)
    if byHand || refill.suspended != .disputed { refill.suspended = nil }
  }

  private mutating func rearmWithNewMethod(at now: Timestamp) {
    if refill.suspended == .declined || refill.suspended == .noMethod || refill.coolingUntil != nil {
      forgive(byHand: false)
      rearm("new payment method", at: now)
    }
    lookAtThreshold(at: now)
  }

  mutating func resume(_ reason: String, _ request: RequestID, at now: Timestamp) {
    forgive(byHand: true)
    rearm("by hand", request, reason, at: now)
  }

  mutating func set(_ terms: RefillTerms?, _ request: RequestID, at now: Timestamp) {
    refill.terms = terms
    guard let terms else {
      add(.refillSet, 0, at: now, .init(request: request, cause: "off"))
      return cancelDue(.refill, "changed", at: now)
    }
    if refill.period != terms.period {
      // What counted in the present period, or is under way, counts in the new one; what was paid before does not.
      let old = refill.period.map { ReferenceCalendar.period($0, from: refill.since, at: now) }
      for index in charges.indices {
        guard let time = charges[index].counted else { continue }
        let isPresent = old.map { time >= $0.start && time < $0.end } ?? false
        charges[index].counted = isPresent || charges[index].isOpen ? now : nil
      }
      (refill.period, refill.since) = (terms.period, now)
    }
    let isNew = terms.method != refill.method
    (refill.method, refill.cappedUntil) = (terms.method, nil)
    add(
      .refillSet, terms.threshold, at: now,
      .init(
        request: request, text: terms.consent, method: terms.method, money: terms.pack.price, cause: "on"))
    cancelDue(.refill, "changed", at: now)
    if isNew { rearmWithNewMethod(at: now) } else { lookAtThreshold(at: now) }
  }

  mutating func save(_ method: PaymentMethod, forRefill: Bool, _ request: RequestID, at now: Timestamp) {
    var method = method
    lastMethod += 1
    method.number = lastMethod
    methods.append(method)
    let isForRefill = forRefill && refill.terms != nil
    if isForRefill {
      refill.terms?.method = lastMethod
      refill.method = lastMethod
    }
    add(.methodSaved, 0, at: now, .init(request: request, method: lastMethod))
    guard isForRefill else { return }
    cancelDue(.refill, "changed", at: now)
    rearmWithNewMethod(at: now)
  }

  mutating func removeMethod(_ number: UInt32, _ request: RequestID, at now: Timestamp) {
    methods.removeAll { $0.number == number }
    if refill.terms?.method == number, refill.suspended != .disputed { refill.suspended = .noMethod }
    add(.methodRemoved, 0, at: now, .init(request: request, method: number))
    for charge in openCharges where charge.status == .due && charge.method.number == number {
      cancel(charge.number, "changed", at: now)
    }
  }

  mutating func dispute(_ number: UInt32, _ reason: String, _ request: RequestID?, at now: Timestamp) {
    refill.suspended = .disputed
    add(.disputed, 0, at: now, .init(request: request, text: reason, charge: number))
    cancelDue(.refill, "changed", at: now)
  }

  /// Cancels what was not sent yet.
  mutating func cancelDue(_ kind: Charge.Kind?, _ cause: String, at now: Timestamp) {
    for charge in openCharges where charge.status == .due && (kind == nil || charge.kind == kind) {
      cancel(charge.number, cause, at: now)
    }
  }

  private mutating func cancel(_ number: UInt32, _ cause: String, at now: Timestamp) {
    let charge = charges[Int(number) - 1]
    endUnpaid(number)
    add(.cancelled, charge.credits, at: now, .init(charge: number, cause: cause))
  }

  /// Ends a charge that nothing was paid for; the latest eight that were sent are remembered.
  private mutating func endUnpaid(_ number: UInt32) {
    let wasSent = charges[Int(number) - 1].status != .due
    charges[Int(number) - 1].isOpen = false
    charges[Int(number) - 1].counted = nil
    if wasSent { unpaid = (unpaid + [number]).suffix(8) }
  }

  // MARK: What the worker and the payment provider do

  /// Looks at a due charge once more before it is sent; it may be needed no longer, or for less or more.
  mutating func send(_ number: UInt32, at now: Timestamp) {
    guard let charge = openCharges.first(where: { $0.number == number }), charge.status == .due else { return }
    var (credits, price) = (charge.credits, charge.price)
    if charge.kind == .refill {
      guard let terms = refill.terms else { return cancel(number, "changed", at: now) }
      if available >= terms.threshold { return cancel(number, "not needed", at: now) }
      let packs = packs(terms, at: now)
      if packs == 0 {
        cancel(number, "capped", at: now)
        return lookAtThreshold(at: now)
      }
      credits = Amount(millionths: terms.pack.credits.millionths * packs)
      price = Money(terms.pack.price.minor * packs, terms.pack.price.currency)
    }
    change(number) {
      ($0.credits, $0.price, $0.status) = (credits, price, .charging)
      ($0.sent, $0.retry, $0.counted) = (now, now, now)
    }
    add(.charging, credits, at: now, .init(charge: number, money: price))
  }

  private mutating func change(_ number: UInt32, _ body: (inout ReferenceCharge) -> Void) {
    body(&charges[Int(number) - 1])
  }

  /// Books what the payment provider says of a charge.
  mutating func settle(_ number: UInt32, _ outcome: ChargeOutcome, at now: Timestamp) {
    let charge = charges[Int(number) - 1]
    if case .succeeded(let reference, let price) = outcome {
      if charge.isOpen || unpaid.contains(number) { settle(charge, paid: price, reference, at: now) }
      return
    }
    guard charge.isOpen, charge.status != .due else { return }
    switch outcome {
    case .succeeded: break
    case .declined(let reason): decline(charge, reason, at: now)
    case .neverCharged:
      cancel(number, "never charged", at: now)
      lookAtThreshold(at: now)
    case .needsAction(let link) where charge.status != .needsAction && charge.status != .mismatched:
      let until = now + .seconds(ReferenceAccount.pauses[0])
      change(number) { ($0.status, $0.retry) = (.needsAction, until) }
      // Half an address would lead nowhere.
      let kept = link.utf8.count <= 2_048 ? link : nil
      add(.needsAction, charge.credits, at: now, .init(link: kept, charge: number, until: until))
    case .needsAction, .processing, .unknown:
      // Before its time comes, an answer that is no answer tells nothing new.
      guard now >= charge.retry || charge.status == .charging else { return }
      let keeps = charge.status == .needsAction || charge.status == .mismatched
      let status: Charge.Status = keeps ? charge.status : outcome == .processing ? .processing : .unknown
      let pause = charge.attempts < 6 ? ReferenceAccount.pauses[charge.attempts] : 21_600
      change(number) { ($0.status, $0.retry, $0.attempts) = (status, now + .seconds(pause), $0.attempts + 1) }
      var reason: String?
      if case .unknown(let text) = outcome { reason = String(text.prefix(60)) }
      add(
        .unsettled, charge.credits, at: now,
        .init(text: reason, charge: number, until: now + .seconds(pause), cause: status.description))
    }
  }

  private mutating func settle(_ charge: ReferenceCharge, paid price: Money, _ reference: String, at now: Timestamp) {
    // Whoever pays a charge that this store never sent was sent there by the store that this one is a copy of.
    let wasSent = charge.status != .due
    if price != charge.price {
      if charge.status == .mismatched { return }
      change(charge.number) {
        if !wasSent { ($0.sent, $0.counted) = (now, now) }
        ($0.status, $0.retry) = (.mismatched, .never)
      }
      return add(.mismatched, charge.credits, at: now, .init(charge: charge.number, money: price))
    }
    let since = refill.since
    unpaid.removeAll { $0 == charge.number }
    change(charge.number) {
      ($0.isOpen, $0.isPaid) = (false, true)
      $0.counted = $0.counted ?? (wasSent ? max($0.sent, since) : now)
    }
    if charge.kind == .refill { refill.declines = 0 }
    let source: Credits.Grant.Source.Kind = charge.kind == .refill ? .refill : .purchase
    let grant = give(charge.credits, source, 30, at: now)
    add(
      .credited, charge.credits, at: now,
      .init(
        parts: [ReferenceEntry.Part(grant: grant, amount: charge.credits)],
        source: Credits.Grant.Source(source, cut(reference)),
        charge: charge.number, money: price))
    guard charge.kind == .purchase, refill.suspended == .declined || refill.coolingUntil != nil else {
      return lookAtThreshold(at: now)
    }
    forgive(byHand: false)
    rearm("purchase paid", at: now)
  }

  /// What is kept of a long text of the payment provider.
  private func cut(_ text: String) -> String { text.utf8.count <= 255 ? text : String(text.prefix(60)) }

  private mutating func decline(_ charge: ReferenceCharge, _ reason: String, at now: Timestamp) {
    endUnpaid(charge.number)
    var until: Timestamp?
    if charge.kind == .refill {
      if refill.declines < 3 { until = now + .seconds(3_600 * ReferenceAccount.coolings[refill.declines]) }
      refill.declines += 1
      refill.coolingUntil = until
      if until == nil, refill.suspended == nil { refill.suspended = .declined }
    }
    add(.declined, charge.credits, at: now, .init(text: cut(reason), charge: charge.number, until: until))
  }
}
