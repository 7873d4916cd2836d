// Auto-refill and purchases: one charge after the other, each with one number from the intent to the credits.

extension Draft {
  /// Lets a refill come due if there is less available than the threshold and nothing speaks against it.
  mutating func lookAtThreshold(at now: Timestamp) {
    guard account.status == .open, account.hasExtras else { return }
    let extras = account.extras
    let refill = extras.refill
    guard let terms = refill.terms, account.available < terms.threshold, refill.suspended == nil,
      refill.coolingUntil == nil, refill.cappedUntil == nil, !extras.charges.contains(where: { $0.kind == .refill }),
      extras.methods.contains(where: { $0.number == terms.method }), refusal(ofGiving: 0) == nil,
      extras.lastCharge < .max / 2, let period = refill.period(at: now, in: terms.cap.currency)
    else { return }
    let packs = terms.packs(available: account.available, money: terms.cap.minor - period.charged)
    guard packs > 0 else { return add(.capped, terms.threshold, [.moment(.until, period.end)], at: now) }
    let (credits, price) = terms.total(packs)
    add(
      .due, credits, [.money(.price, price), .number(.method, UInt64(terms.method))],
      detail: Charge.Kind.refill.rawValue, number: extras.lastCharge + 1, at: now)
  }

  /// Lets auto-refill go on after a decline's pause, or in a new period of the cap.
  mutating func rearm(at moment: Timestamp, _ now: Timestamp) {
    rearm(because: account.extras.refill.coolingUntil == moment ? .cooled : .period, at: now)
  }

  private mutating func rearm(because cause: Rearming, at now: Timestamp) {
    add(.rearmed, 0, detail: cause.rawValue, at: now)
    lookAtThreshold(at: now)
  }

  // MARK: Commands

  /// Why the rules decline a command about payment, if so.
  func refusal(ofRefill command: Command) -> Entry.DenialCode? {
    let extras = account.extras
    func has(_ method: UInt32) -> Bool { extras.methods.contains { $0.number == method } }
    switch command {
    case .setRefill(let terms?): return has(terms.method) ? nil : .noMethod
    case .resumeRefill: return extras.refill.terms == nil ? .noRefill : nil
    case .saveMethod:
      return extras.methods.count < Extras.maximumMethods && extras.lastMethod < .max / 2 ? nil : .limit
    case .removeMethod(let number): return has(number) ? nil : .noMethod
    case .order(let credits, _, let method):
      if account.status == .frozen { return .frozen }
      guard has(method) else { return .noMethod }
      guard extras.charges.count < Extras.maximumCharges, extras.lastCharge < .max / 2 else { return .limit }
      return refusal(ofGiving: credits)
    case .dispute(let number, _):
      // What is still open is settled, not disputed.
      let isEnded = number > 0 && number <= extras.lastCharge && !extras.charges.contains { $0.number == number }
      return isEnded ? nil : .noCharge
    default: return nil
    }
  }

  /// Performs a command about payment, or one that concerns what is being paid.
  mutating func performOnRefill(_ command: Command, _ request: RequestID, at now: Timestamp) {
    let extras = account.extras
    var number = command.number
    if case .saveMethod = command { number = extras.lastMethod + 1 }
    if case .order = command { number = extras.lastCharge + 1 }
    add(command.kind, command.amount, command.items, detail: command.detail, number: number, request: request, at: now)
    switch command {
    case .freeze: cancelDue(because: .frozen, at: now)
    case .setRefill(let terms):
      cancelDue(.refill, because: .changed, at: now)
      if let terms, terms.method != extras.refill.method { rearmWithNewMethod(at: now) }
      lookAtThreshold(at: now)
    case .resumeRefill: lookAtThreshold(at: now)
    case .saveMethod(_, true) where extras.refill.terms != nil:
      cancelDue(.refill, because: .changed, at: now)
      rearmWithNewMethod(at: now)
      lookAtThreshold(at: now)
    case .removeMethod:
      for charge in account.extras.charges where charge.status == .due && charge.method.number == number {
        cancel(charge, because: .changed, at: now)
      }
    case .dispute: cancelDue(.refill, because: .changed, at: now)
    default: break
    }
  }

  private mutating func rearmWithNewMethod(at now: Timestamp) {
    let refill = account.extras.refill
    guard refill.suspended == .declined || refill.suspended == .noMethod || refill.coolingUntil != nil else { return }
    add(.rearmed, 0, detail: Rearming.method.rawValue, at: now)
  }

  /// Cancels the charges, of a kind or all, of which nothing was sent yet.
  mutating func cancelDue(_ kind: Charge.Kind? = nil, because cause: Cancellation, at now: Timestamp) {
    guard account.hasExtras else { return }
    for charge in account.extras.charges where charge.status == .due && (kind == nil || charge.kind == kind) {
      cancel(charge, because: cause, at: now)
    }
  }

  private mutating func cancel(_ charge: Charge, because cause: Cancellation, at now: Timestamp) {
    add(.cancelled, charge.credits, detail: cause.rawValue, number: charge.number, at: now)
  }

  // MARK: What the worker does

  /// Looks at a due charge once more, just before it is sent: it may be needed no longer, or for less or more.
  mutating func send(_ number: UInt32, at now: Timestamp) {
    let refill = account.extras.refill
    guard let charge = account.extras.charges.first(where: { $0.number == number }), charge.status == .due else {
      return
    }
    var (credits, price) = (charge.credits, charge.price)
    if charge.kind == .refill {
      guard let terms = refill.terms, let period = refill.period(at: now, in: terms.cap.currency) else {
        return cancel(charge, because: .changed, at: now)
      }
      guard account.available < terms.threshold else { return cancel(charge, because: .notNeeded, at: now) }
      let left = terms.cap.minor - period.charged
      let packs = terms.packs(available: account.available, money: left)
      guard packs > 0 else {
        cancel(charge, because: .capped, at: now)
        return lookAtThreshold(at: now)
      }
      (credits, price) = terms.total(packs)
    }
    add(.charging, credits, [.money(.price, price)], detail: charge.kind.rawValue, number: number, at: now)
  }

  /// Books what the payment provider says of a charge; what is known already, or concerns nothing, changes nothing.
  mutating func settle(_ number: UInt32, _ outcome: ChargeOutcome, at now: Timestamp) {
    if case .succeeded(let reference, let price) = outcome { return settle(number, paid: price, reference, at: now) }
    guard let charge = account.extras.charges.first(where: { $0.number == number }), charge.status != .due else {
      return
    }
    switch outcome {
    case .succeeded: break
    case .declined(let reason): decline(charge, reason, at: now)
    case .neverCharged:
      cancel(charge, because: .neverCharged, at: now)
      lookAtThreshold(at: now)
    case .needsAction(let link) where charge.status != .needsAction && charge.status != .mismatched:
      // Half an address leads nowhere: one that is too long is left out.
      let fitting = link.utf8.count <= Item.Text.link.maximum ? link : ""
      let items: [Item] = Item.texts((.link, fitting)) + [.moment(.until, now + Charge.pauses[0])]
      add(.needsAction, charge.credits, items, detail: charge.kind.rawValue, number: number, at: now)
    case .needsAction, .processing, .unknown: postpone(charge, outcome, at: now)
    }
  }

  private mutating func settle(_ number: UInt32, paid: Money, _ reference: String, at now: Timestamp) {
    let extras = account.extras
    guard let charge = (extras.charges + extras.unpaid).first(where: { $0.number == number }) else { return }
    guard paid == charge.price else {
      if charge.status == .mismatched { return }
      let items: [Item] = [.money(.told, paid)] + Item.texts((.reference, Draft.cut(reference)))
      add(.mismatched, charge.credits, items, detail: charge.kind.rawValue, number: number, at: now)
      return
    }
    let items: [Item] = [.money(.price, charge.price)] + Item.texts((.reference, Draft.cut(reference)))
    var entry = entry(.credited, charge.credits, leaving: account.available + charge.credits, at: now)
    entry.detail = charge.kind.source.rawValue
    entry.grant = account.lastGrant + 1
    entry.units = number
    add(Record(entry, items))
    let refill = account.extras.refill
    if charge.kind == .purchase, refill.suspended == .declined || refill.coolingUntil != nil {
      rearm(because: .purchase, at: now)
    } else {
      lookAtThreshold(at: now)
    }
  }

  private mutating func decline(_ charge: Charge, _ reason: String, at now: Timestamp) {
    var items = Item.texts((.reason, Draft.cut(reason)))
    let declines = account.extras.refill.declines
    if charge.kind == .refill, declines < Charge.coolings.count {
      items.append(.moment(.until, now + Charge.coolings[Int(declines)]))
    }
    add(.declined, charge.credits, items, detail: charge.kind.rawValue, number: charge.number, at: now)
  }

  /// What an entry keeps of a payment provider's words, which may have any length.
  private static func cut(_ text: String) -> String {
    text.utf8.count <= Item.maximumText ? text : String(text.unicodeScalars.prefix(60))
  }

  /// Notes that a charge has no final answer yet, and when to ask again.
  private mutating func postpone(_ charge: Charge, _ outcome: ChargeOutcome, at now: Timestamp) {
    // A notice that comes before its time tells nothing new.
    guard now >= charge.retry || charge.status == .charging else { return }
    var status = charge.status
    if status != .mismatched, status != .needsAction { status = outcome == .processing ? .processing : .unknown }
    let pause = Charge.pauses[min(Int(charge.attempts), Charge.pauses.count - 1)]
    var items: [Item] = [.moment(.until, now + pause)]
    if case .unknown(let reason) = outcome { items += Item.texts((.reason, String(reason.unicodeScalars.prefix(60)))) }
    add(.unsettled, charge.credits, items, detail: status.rawValue, number: charge.number, at: now)
  }
}

/// Why a charge was cancelled, with the codes that the journal uses.
package enum Cancellation: UInt8, Sendable, CaseIterable {
  /// Credits came from elsewhere.
  case notNeeded = 1
  /// The cap was reached meanwhile.
  case capped = 2
  /// Auto-refill was switched off or changed, or the payment method was removed.
  case changed = 3
  /// The account was frozen.
  case frozen = 4
  /// The account was closed.
  case closed = 5
  /// The payment provider never had the charge.
  case neverCharged = 6

  /// The cause in words.
  var description: String {
    switch self {
    case .notNeeded: "not needed"
    case .capped: "capped"
    case .changed: "changed"
    case .frozen: "frozen"
    case .closed: "closed"
    case .neverCharged: "never charged"
    }
  }
}

extension Charge {
  /// How long auto-refill pauses after each decline in a row; after the next one it waits for a person.
  static let coolings: [Duration] = [.seconds(3_600), .seconds(6 * 3_600), .seconds(24 * 3_600)]
  /// How long to wait before a charge without a final answer is asked for again; the last one repeats.
  static let pauses: [Duration] = [
    .seconds(10), .seconds(60), .seconds(300), .seconds(1_800), .seconds(7_200), .seconds(21_600),
  ]
}

extension Charge.Kind {
  /// Where the credits that are bought come from.
  var source: Grant.Source.Kind {
    switch self {
    case .refill: .refill
    case .purchase: .purchase
    }
  }
}

extension RefillTerms {
  /// The credits of so many packs, and their price.
  func total(_ packs: Int64) -> (Amount, Money) {
    (Amount(millionths: pack.credits.millionths * packs), Money(pack.price.minor * packs, pack.price.currency))
  }

  /// The parts that the entry keeps as items.
  var items: [Item] {
    [
      .amount(.pack, pack.credits), .money(.price, pack.price), .money(.cap, cap),
      .number(.period, UInt64(period.rawValue)), .number(.method, UInt64(method)),
    ] + Item.texts((.consent, consent))
  }

  /// The terms that an entry keeps.
  init?(_ record: borrowing Record) {
    guard let credits = record.amount(.pack), let price = record.money(.price), let cap = record.money(.cap),
      let period = record.number(.period).flatMap({ UInt8(exactly: $0) }).flatMap({ Period(rawValue: $0) }),
      let method = record.number(.method).flatMap({ UInt32(exactly: $0) })
    else { return nil }
    self.init(
      threshold: record.entry.amount, pack: Pack(credits: credits, price: price), cap: cap, period: period,
      method: method, consent: record.text(.consent) ?? "")
    guard isValid else { return nil }
  }
}
