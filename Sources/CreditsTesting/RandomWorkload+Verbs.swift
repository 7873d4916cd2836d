internal import Credits

extension RandomWorkload {
  // MARK: Holds

  mutating func duration() -> Duration {
    switch random.below(24) {
    case 0: .zero
    case 1: .microseconds(1)
    case 2: .seconds(366 * 86_400) + .microseconds(random.below(2))
    case 3..<8: .seconds(1 + random.below(100_000))
    default: .microseconds(1 + random.below(60_000_000))
    }
  }

  /// The end of a hold that is open, or has ended, or never was.
  mutating func endOfHold(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest {
    let state = ledger.accounts[account]
    let open = state?.holds ?? []
    guard !open.isEmpty, !random.once(in: 8) else {
      let ended = state?.entries.suffix(40).compactMap(\.details.hold) ?? []
      let request = ended.isEmpty || random.once(in: 4) ? id() : random.pick(ended)
      return ReferenceRequest(
        random.once(in: 2) ? .release : .capture(captured(10, state?.available ?? 0)), on: account, request: request)
    }
    let hold = random.pick(open)
    let verb: ReferenceRequest.Verb =
      random.once(in: 4) ? .release : .capture(captured(hold.amount, state?.available ?? 0))
    return ReferenceRequest(verb, on: account, request: hold.request)
  }

  private mutating func captured(_ held: Amount, _ available: Amount) -> Amount? {
    switch random.below(12) {
    case 0, 1: nil
    case 2: held
    case 3: 0
    case 4: Amount(millionths: held.millionths + 1)
    case 5: held.adding(available)
    case 6: held.adding(available)?.adding(Amount(millionths: 1))
    case 7: random.pick([Amount(millionths: -1), .max])
    case 8: held.adding(Amount(millionths: Int64(random.below(20_000_000))))
    default: Amount(millionths: Int64(random.below(Int(min(held.millionths, 1 << 40)) + 1)))
    }
  }

  // MARK: Plans, alerts, corrections

  mutating func plan() -> Plan {
    let period = random.pick([Period.day, .day, .week, .month, .month, .year])
    let allowance: Amount =
      random.once(in: 20)
      ? random.pick([0, -1, 0.000001, Amount(millionths: .max / 8), Amount(millionths: .max / 8 - 1)])
      : Amount(millionths: 1 + Int64(random.below(40_000_000)))
    let rollover: Amount =
      random.once(in: 2)
      ? 0 : random.once(in: 20) ? -0.000001 : Amount(millionths: Int64(random.below(30_000_000)))
    return Plan(
      random.pick(["free", "pro", "team", "", text()]), allowance: allowance, per: period, rollover: rollover,
      priority: random.once(in: 4) ? UInt8(random.below(40)) : 10)
  }

  mutating func anchor(_ ledger: ReferenceLedger, _ account: AccountID) -> Timestamp {
    let now = ledger.now
    switch random.below(12) {
    case 0: return now
    case 1: return ledger.accounts[account]?.plan?.next ?? now
    case 2, 3: return ledger.accounts[account]?.plan?.anchor ?? now
    // January 31 and February 29.
    case 4: return random.pick([Timestamp(seconds: 1_706_659_200), Timestamp(seconds: 1_709_164_800)])
    case 5: return random.pick([.zero, .latest, .never, .zero - .microseconds(1)])
    case 6: return now + .seconds(random.below(200_000_000))
    case 7: return now - .seconds(random.below(400_000_000))
    default: return now + .seconds(random.below(4_000_000) - 2_000_000)
    }
  }

  mutating func levels(_ ledger: ReferenceLedger, _ account: AccountID) -> [Amount] {
    var levels = ledger.accounts[account]?.levels.map(\.amount) ?? []
    if random.once(in: 3) { levels = [] }
    if random.once(in: 8) { return [] }
    for _ in 0..<1 + random.below(random.once(in: 10) ? 20 : 3) {
      levels.append(Amount(millionths: 1 + Int64(random.below(50_000_000))))
    }
    if random.once(in: 20) { levels.append(random.pick([0, -1, .max])) }
    if random.once(in: 4), let available = ledger.accounts[account]?.available { levels.append(available) }
    return levels.shuffled(using: &random)
  }

  mutating func correction(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest.Verb {
    let source = random.once(in: 20) ? self.account() : account
    let debits = (ledger.accounts[source]?.entries.suffix(60) ?? []).filter {
      $0.kind == .debited || $0.kind == .captured
    }
    var sequence = SequenceNumber(UInt64(random.below(Int(ledger.last.value) + 3)))
    var amount = Amount(millionths: 1 + Int64(random.below(1_000_000)))
    if !debits.isEmpty, !random.once(in: 20) {
      let debit = random.pick(debits)
      sequence = debit.sequence
      switch random.below(8) {
      case 0: amount = debit.amount
      case 1: amount = debit.amount + Amount(millionths: 1)
      case 2: amount = 0
      default: amount = Amount(millionths: Int64(random.below(Int(debit.amount.millionths) + 1)))
      }
    }
    return .correct(sequence, by: amount, reason: random.once(in: 8) ? text() : "wrong", agent: "ann")
  }

  // MARK: Payment

  mutating func payment(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest.Verb {
    let state = ledger.accounts[account]
    // Without a card nothing can be bought.
    if state?.methods.isEmpty ?? true, !random.once(in: 4) {
      return .saveMethod(newMethod(), forRefill: !random.once(in: 4))
    }
    switch random.below(100) {
    case 0..<12: return .saveMethod(newMethod(), forRefill: !random.once(in: 4))
    case 12..<18: return .removeMethod(method(state))
    case 18..<24: return .setRefill(.off)
    case 24..<60: return .setRefill(terms(ledger, state))
    case 60..<70: return .resumeRefill(reason: text())
    case 70..<96: return .purchase(offer(), method(state))
    default:
      return .dispute(UInt32(random.below((state?.charges.count ?? 0) + 2)), reason: text())
    }
  }

  private mutating func newMethod() -> PaymentMethod {
    names += 1
    let token = random.once(in: 30) ? random.pick(["", PaymentMethod.cardNumber]) : "tok-\(names)"
    let lastFour = random.once(in: 30) ? random.pick(["123", "12a4", ""]) : "4242"
    return PaymentMethod(
      token: token, brand: random.pick(["visa", ""]), lastFour: lastFour,
      expiryYear: random.once(in: 30) ? 1999 : 2030, expiryMonth: random.once(in: 30) ? 13 : 1 + random.below(12))
  }

  /// One of an account's payment methods, or one that it does not have.
  private mutating func method(_ state: ReferenceAccount?) -> PaymentMethod {
    if let methods = state?.methods, !methods.isEmpty, !random.once(in: 16) { return random.pick(methods) }
    var method = PaymentMethod(token: "tok", brand: "", lastFour: "0000", expiryYear: 2030, expiryMonth: 1)
    method.number = 1_000
    return method
  }

  private mutating func terms(_ ledger: ReferenceLedger, _ state: ReferenceAccount?) -> AutoRefill {
    var threshold = Amount(millionths: 1 + Int64(random.below(50_000_000)))
    if random.once(in: 4) { threshold = (state?.available ?? 0) + Amount(millionths: Int64(random.below(3)) - 1) }
    if random.once(in: 8) { threshold = Amount(millionths: Int64(random.below(2_000)) * 1_000_000) }
    if random.once(in: 40) { threshold = random.pick([0, -1, .max]) }
    var cap = Money(1_00 + Int64(random.below(20_00)), .usd)
    if random.once(in: 4) { cap = Money(Int64(random.below(200_00)), .usd) }
    if random.once(in: 30) { cap = Money(10_00, .eur) }
    return .on(
      below: threshold, buy: offer(), atMost: cap, per: random.pick([.day, .day, .week, .month, .year]),
      with: method(state), consent: random.pick(["", "terms of May", text()]))
  }

  private mutating func offer() -> Offer {
    switch random.below(30) {
    case 0: .pack(random.pick([500, 2_500, 12_500, 501]))
    case 1: .pack(500)
    case 2: .credits(random.pick([25, 24.75, 25.1, 250_000, 250_000.25, 0, -25]))
    case 3: .money(random.pick([Money(1_00, .usd), Money(99, .usd), Money(1_00, .eur), Money(10_000_01, .usd)]))
    case 4..<10: .money(Money(1_00 + Int64(random.below(3_00)), .usd))
    default: .credits(Amount(millionths: 25_000_000 + 250_000 * Int64(random.below(100))))
    }
  }

  /// What the payment provider does on the next call.
  mutating func act() -> ScriptedGateway.Act {
    switch random.below(24) {
    case 0..<9: .succeed
    case 9..<12: .chargeAndFail
    case 12..<14: .fail
    case 14..<17: .decline(random.pick(["too little money", "", String(repeating: "no ", count: 100)]))
    case 17, 18: .needAction(random.once(in: 2) ? "https://bank.example/3" : "")
    case 19, 20: .process
    case 21: .chargeOther(Money(1 + Int64(random.below(5_00)), random.once(in: 8) ? .eur : .usd))
    default: .mumble
    }
  }

  /// A report of a charge that need not be true, but for one of a payment as it was ordered.
  mutating func report(_ ledger: ReferenceLedger) -> WorkloadStep {
    let account = account()
    let charges = ledger.accounts[account]?.charges.suffix(6) ?? []
    guard let charge = charges.randomElement(using: &random), !random.once(in: 10) else {
      return .report(.processing, charge: UInt32(random.below(3)), of: account)
    }
    let other = Money(charge.price.minor + 1, charge.price.currency)
    let long = String(repeating: "told ", count: random.below(600))
    let outcome = random.pick([
      ChargeOutcome.declined(reason: "told"), .declined(reason: "told"), .needsAction(link: long), .processing,
      .processing, .unknown(reason: long), .neverCharged, .succeeded(reference: long, price: other),
    ])
    return .report(outcome, charge: charge.number, of: account)
  }
}
