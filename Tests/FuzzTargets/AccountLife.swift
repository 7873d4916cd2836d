internal import Credits
internal import CreditsTesting

/// An account that is brought from state to state by commands, as the ledger would, with numbers in a row.
struct AccountLife {
  static let id = AccountID(high: 7, low: 9)
  static let start = Timestamp(seconds: 1_700_000_000)

  private(set) var account = Account(AccountLife.id)
  /// All records so far, each at the place that its number says, from 1 on.
  private(set) var records: [Record] = []
  private(set) var now = AccountLife.start
  private var requests: UInt64 = 0

  /// Lets time do its work and runs a command; false if time has too much to do.
  mutating func run(_ command: Command, after time: Duration = .zero, isRequest: Bool = true) -> Bool {
    now = min(max(now + time, account.time), .latest)
    var draft = Draft(account)
    for _ in 0..<2 where !draft.settle(at: now) {
      keep(&draft)
      draft = Draft(account)
    }
    guard draft.settle(at: now) else { return false }
    requests += 1
    _ = draft.decide(command, request: isRequest ? RequestID(requests) : RequestID(high: 0, low: 0), at: now)
    keep(&draft)
    return true
  }

  private mutating func keep(_ draft: inout Draft) {
    guard !draft.records.isEmpty else { return }
    draft.number(from: SequenceNumber(UInt64(records.count) + 1))
    account = draft.account
    records += draft.records
  }
}

// MARK: Commands

extension AccountLife {
  /// The command that choices lead to, with a look at the state.
  func command(_ choices: inout Choices) -> (command: Command, isRequest: Bool) {
    switch choices.below(28) {
    case 0: (.open(label: text(&choices)), true)
    case 1..<4: (grant(&choices), true)
    case 4..<7: (.debit(amount(&choices), choices.once(in: 2) ? .upTo : .whole, tariff(&choices)), true)
    case 7, 8: (hold(&choices), true)
    case 9: (.capture(heldRequest(&choices), choices.once(in: 3) ? nil : amount(&choices), tariff(&choices)), true)
    case 10: (.release(heldRequest(&choices)), true)
    case 11: (.freeze(reason: text(&choices)), true)
    case 12: (.unfreeze(reason: text(&choices)), true)
    case 13: (choices.once(in: 4) ? .close(reason: text(&choices)) : .unsubscribe(atOnce: choices.once(in: 2)), true)
    case 14, 15: (.subscribe(plan(&choices), anchor: choices.once(in: 2) ? moment(&choices) : nil), true)
    case 16: (.setAlerts((0..<choices.below(18)).map { _ in amount(&choices) }), true)
    case 17: (correction(&choices), true)
    case 18, 19: (.setRefill(choices.once(in: 8) ? nil : terms(&choices)), true)
    case 20: (.resumeRefill(reason: text(&choices)), true)
    case 21: (.saveMethod(method(&choices), forRefill: choices.once(in: 2)), true)
    case 22: (.removeMethod(number(&choices)), true)
    case 23: (.order(amount(&choices), price: money(&choices), method: number(&choices)), true)
    case 24: (.charge(number(&choices)), false)
    case 25, 26: (.settle(number(&choices), outcome(&choices)), false)
    default: (.dispute(number(&choices), reason: text(&choices)), true)
    }
  }

  private func amount(_ choices: inout Choices) -> Amount {
    switch choices.below(16) {
    case 0: 0
    case 1: Amount(millionths: 1)
    case 2: .max
    case 3: Amount(millionths: .max / 4 - Int64(choices.below(3)))
    case 4: Amount(millionths: -1)
    case 5: Amount(millionths: .min)
    case 6: account.available
    case 7: Amount(millionths: account.available.millionths &+ 1)
    case 8: account.usable.first?.remaining ?? 1
    default: Amount(millionths: Int64(choices.below(1 << 16)) * 1_000)
    }
  }

  private func text(_ choices: inout Choices) -> String {
    choices.pick(["", "a", "größer", String(repeating: "x", count: 255), String(repeating: "y", count: 256)])
  }

  private func number(_ choices: inout Choices) -> UInt32 {
    choices.once(in: 16) ? choices.pick([0, .max]) : UInt32(1 + choices.below(6))
  }

  private func moment(_ choices: inout Choices) -> Timestamp {
    switch choices.below(8) {
    case 0: .zero
    case 1: .latest
    case 2: .never
    case 3: now
    case 4: now - .seconds(Int64(choices.below(1 << 16)) * 10_000)
    case 5: now + .seconds(Int64(choices.below(1 << 16)) * 1_000)
    default: now + .microseconds(choices.below(1 << 16))
    }
  }

  private func grant(_ choices: inout Choices) -> Command {
    let source = Grant.Source(choices.pick(Grant.Source.Kind.allCases), text(&choices))
    return .grant(
      amount(&choices), source, priority: UInt8(choices.below(256)),
      starts: choices.once(in: 4) ? moment(&choices) : .zero, expires: choices.once(in: 2) ? moment(&choices) : .never)
  }

  private func tariff(_ choices: inout Choices) -> Tariff {
    switch choices.below(8) {
    case 0:
      var counts = Counts()
      for index in 0..<Counts.capacity { counts[index] = choices.once(in: 2) ? choices.next() : 0 }
      return Tariff(row: UInt32(1 + choices.below(1 << 16)), counts: counts)
    case 1:
      let refusal = choices.pick(Entry.DenialCode.allCases)
      return Tariff(refusal: refusal, names: [.text(.feature, "f"), .text(.model, "m"), .number(.names, 3)])
    default: return .none
    }
  }

  private func hold(_ choices: inout Choices) -> Command {
    let duration: Duration =
      choices.once(in: 4) ? .seconds(choices.below(1 << 26)) : .microseconds(choices.below(1 << 16))
    return .hold(amount(&choices), lasting: duration, choices.pick(Hold.End.allCases), tariff(&choices))
  }

  private func heldRequest(_ choices: inout Choices) -> RequestID {
    let holds = account.extras.holds
    return holds.isEmpty || choices.once(in: 8) ? RequestID(UInt64(choices.below(32))) : choices.pick(holds).request
  }

  private func plan(_ choices: inout Choices) -> Plan {
    Plan(
      text(&choices), allowance: amount(&choices), per: choices.pick(Period.allCases), rollover: amount(&choices),
      priority: UInt8(choices.below(256)))
  }

  private func correction(_ choices: inout Choices) -> Command {
    .correct(
      SequenceNumber(1 + UInt64(choices.below(256)) % max(1, account.last.value)), of: amount(&choices),
      amount(&choices), reason: text(&choices), agent: text(&choices))
  }

  private func money(_ choices: inout Choices) -> Money {
    let currency = choices.once(in: 8) ? Currency.eur : .usd
    return choices.once(in: 8)
      ? Money(choices.pick([0, -1, .max, .min]), currency) : Money(Int64(choices.below(1 << 16)), currency)
  }

  private func terms(_ choices: inout Choices) -> RefillTerms {
    RefillTerms(
      threshold: amount(&choices), pack: Pack(credits: amount(&choices), price: money(&choices)), cap: money(&choices),
      period: choices.pick(Period.allCases), method: number(&choices), consent: text(&choices))
  }

  private func method(_ choices: inout Choices) -> PaymentMethod {
    PaymentMethod(
      token: text(&choices), brand: text(&choices), lastFour: choices.once(in: 8) ? text(&choices) : "4242",
      expiryYear: choices.once(in: 8) ? choices.below(1 << 16) : 2_040, expiryMonth: choices.below(14))
  }

  private func outcome(_ choices: inout Choices) -> ChargeOutcome {
    switch choices.below(8) {
    case 0..<3:
      let charge = account.extras.charges.first
      let price = choices.once(in: 4) ? money(&choices) : charge?.price ?? money(&choices)
      return .succeeded(reference: text(&choices), price: price)
    case 3: return .declined(reason: text(&choices))
    case 4:
      return .needsAction(link: choices.once(in: 2) ? String(repeating: "l", count: choices.below(4_096)) : "")
    case 5: return .processing
    case 6: return .unknown(reason: text(&choices))
    default: return .neverCharged
    }
  }
}
