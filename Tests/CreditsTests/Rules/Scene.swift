import Testing

@testable import Credits

/// A row of a table of the rules: what happens to an account, and the records that its last step makes.
struct Scene: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let records: [String]
  let play: @Sendable (inout Fixture) -> [Record]

  /// Describes a row; the function plays all of it and answers the records that are compared.
  init(_ name: String, _ records: [String], _ play: @escaping @Sendable (inout Fixture) -> [Record]) {
    testDescription = name
    self.records = records
    self.play = play
  }

  /// Plays the row and compares; also, that its records make the same account once more, as they do in recovery.
  @discardableResult
  func check() -> Fixture {
    var fixture = Fixture()
    let made = play(&fixture)
    #expect(made.map(\.told) == records)
    #expect(fixture.account.isConserved)
    var again = Account(fixture.account.id)
    for (index, record) in fixture.records.enumerated() {
      do throws(Inconsistency) { try again.apply(record, at: SequenceNumber(UInt64(index) + 1)) } catch {
        Issue.record("record \(index + 1) does not fit: \(error.reason)")
      }
    }
    #expect(again == fixture.account)
    return fixture
  }
}

extension Record {
  /// The record in a line: kind, amount, charge, money, cause, what it lasts until, and what is left.
  var told: String {
    let told = JournalEntry(self, at: SequenceNumber(1))
    var words = [told.kind.rawValue, told.amount.description]
    if told.kind == .denied { words.append(told.denial?.code ?? "") }
    if let charge = told.charge { words.append("#\(charge)") }
    if let money = told.money { words.append(money.description) }
    if let cause = told.cause { words.append(cause) }
    words += told.parts.map { "\($0.grant):\($0.amount)" }
    words += told.returned.map { "back \($0.grant):\($0.amount)" }
    words += told.lapsed.map { "gone \($0.grant):\($0.amount)" }
    words += told.rolled.map { "over \($0.grant):\($0.amount)" }
    if let until = told.until { words.append("until \(until.duration(since: Fixture.start).components.seconds)") }
    return words.joined(separator: " ") + ", \(told.available) left"
  }
}

extension Fixture {
  static let card = PaymentMethod(token: "tok_1", brand: "visa", lastFour: "4242", expiryYear: 2030, expiryMonth: 6)

  /// What a customer agrees to: below 100 buy 500 for $20, for at most so much a month.
  static func terms(
    below threshold: Amount = 100, pack: Amount = 500, price: Int64 = 20_00, cap: Int64 = 100_00,
    per period: Period = .month, method: UInt32 = 1
  ) -> RefillTerms {
    RefillTerms(
      threshold: threshold, pack: Pack(credits: pack, price: Money(price, .usd)), cap: Money(cap, .usd),
      period: period, method: method, consent: "terms of 2026")
  }

  /// An account with credits, a card, and auto-refill.
  mutating func refilled(
    _ credits: Amount = 150, _ terms: RefillTerms = Fixture.terms(), at now: Timestamp = Fixture.start
  ) {
    give(credits, at: now)
    run(.saveMethod(Fixture.card, forRefill: true), at: now)
    run(.setRefill(terms), at: now)
  }

  /// Spends credits.
  @discardableResult
  mutating func spend(_ amount: Amount, at now: Timestamp = Fixture.start) -> [Record] {
    run(.debit(amount, .whole), at: now).records
  }

  /// The worker sends a charge.
  @discardableResult
  mutating func send(_ number: UInt32 = 1, at now: Timestamp = Fixture.start) -> [Record] {
    act(.charge(number), at: now)
  }

  /// The payment provider tells something of a charge.
  @discardableResult
  mutating func tell(_ outcome: ChargeOutcome, of number: UInt32 = 1, at now: Timestamp = Fixture.start) -> [Record] {
    act(.settle(number, outcome), at: now)
  }

  /// A success of a charge.
  static func paid(_ minor: Int64 = 20_00) -> ChargeOutcome { .succeeded(reference: "ch_1", price: Money(minor, .usd)) }

  /// The worker sends a charge, and the card is declined.
  @discardableResult
  mutating func fail(_ number: UInt32, at now: Timestamp) -> [Record] {
    send(number, at: now)
    return tell(.declined(reason: "no funds"), of: number, at: now)
  }

  var refill: RefillSummary { RefillSummary(account, at: account.time) }
  var refillState: String { refill.state.description }
}
