public import Credits

/// One thing that a scenario does. Its place in the scenario makes its request id, so that anybody can repeat it.
public enum Step: Sendable {
  case open
  case close
  case account(UInt64)
  case accounts(ClosedRange<UInt64>)
  case grant(UInt64, Int64, expiresIn: Int64? = nil)
  case debit(UInt64, Int64)
  case batch(accounts: UInt64, count: Int)
  case hold(UInt64, Int64)
  /// Ends the hold of the step so many places before.
  case capture(UInt64, Int64, stepsBack: Int)
  case release(UInt64, stepsBack: Int)
  case freeze(UInt64)
  case unfreeze(UInt64)
  case alerts(UInt64)
  case subscribe(UInt64)
  case method(UInt64)
  case refill(UInt64)
  case purchase(UInt64)
  case publish
  case usage(UInt64, UInt64)
  case correct(UInt64, stepsBack: Int)
  case consumer
  case acknowledge
  /// Moves the clock and lets time do its work.
  case time(seconds: Int64)
  /// Trims what is older than so many seconds.
  case trim(seconds: Int64)
  case backup(String)
  /// One round of the worker that charges cards.
  case work
}

/// What a step came to.
public struct Result: Hashable, Sendable {
  /// The outcome in words, the same for a repetition.
  public let text: String
  /// The last entry that the outcome vouches for; 0 for none.
  public let sequence: UInt64
  /// Whether it was said to be a repetition.
  public let isReplay: Bool

  init(_ text: String, _ sequence: UInt64 = 0, isReplay: Bool = false) {
    self.text = text
    self.sequence = sequence
    self.isReplay = isReplay
  }

  init(_ receipt: Receipt, _ more: String = "") {
    self.init(
      "done \(receipt.sequence) \(receipt.time.microseconds) \(receipt.amount) \(receipt.balance)\(more)",
      receipt.sequence.value, isReplay: receipt.isReplay)
  }

  init(_ denial: Denial) {
    let sequence = denial.sequence?.value ?? 0
    let time = sequence == 0 ? "" : "\(denial.time.microseconds)"
    self.init("denied \(denial.reason.code) \(sequence) \(time)", sequence, isReplay: denial.isReplay)
  }

  init(_ outcome: Outcome) {
    switch outcome {
    case .debited(let receipt): self.init(receipt)
    case .denied(let denial): self.init(denial)
    }
  }

  init(_ outcomes: [Outcome]) {
    let results = outcomes.map { Result($0) }
    self.init(
      results.map(\.text).joined(separator: ";"), results.map(\.sequence).max() ?? 0,
      isReplay: results.allSatisfy(\.isReplay))
  }
}

extension Step {
  /// Whether the step is a request that gives the same outcome when it is repeated.
  public var isRequest: Bool {
    switch self {
    case .account, .accounts, .grant, .debit, .batch, .hold, .capture, .release, .freeze, .unfreeze, .alerts,
      .subscribe, .method, .refill, .purchase, .usage, .correct:
      true
    case .open, .close, .publish, .consumer, .acknowledge, .time, .trim, .backup, .work: false
    }
  }

  /// The request id of a step, or of one of its debits.
  public static func request(_ index: Int, _ part: Int = 0) -> RequestID {
    RequestID(high: 0xFA17 << 32 | UInt64(index), low: UInt64(part) + 1)
  }

  private static let card = PaymentMethod(
    token: "tok_fault", brand: "visa", lastFour: "4242", expiryYear: 2040, expiryMonth: 1)

  /// Asks for the step's request; only for those that are requests. Of many openings a repetition takes some.
  public func ask(
    _ store: CreditStore, index: Int, isRepetition: Bool = false, known: (Int) -> Result?
  ) async throws(StoreError) -> Result {
    let request = Step.request(index)
    do throws(StoreError) {
      switch self {
      case .account(let account): return Result(try await store.open(AccountID(account), label: "account \(account)"))
      case .accounts(let range):
        var last = try await store.open(AccountID(range.lowerBound), acknowledge: .applied)
        for account in range.dropFirst() {
          if isRepetition, account % 64 != 0, account != range.upperBound { continue }
          last = try await store.open(AccountID(account), acknowledge: .applied)
        }
        try await store.sync(last)
        return Result(last)
      case .grant(let account, let credits, let seconds):
        let expires = seconds.map { Timestamp(microseconds: (Scenario.begin.microseconds + $0 * 1_000_000)) }
        return Result(
          try await store.grant(
            Amount(credits), to: AccountID(account), source: .promotion("fault"), expires: expires, request: request))
      case .debit(let account, let credits):
        return Result(try await store.debit(Amount(credits), from: AccountID(account), request: request))
      case .batch(let accounts, let count):
        let debits = (0..<count).map { part in
          Debit(
            Amount(millionths: Int64(part + 1) * 1_000), from: AccountID(UInt64(part) % accounts + 1),
            request: Step.request(index, part))
        }
        return Result(try await store.debit(debits))
      case .hold(let account, let credits):
        let hold = try await store.hold(
          Amount(credits), on: AccountID(account), for: .seconds(3_600), request: request)
        return Result("held \(hold.amount) \(hold.deadline.microseconds)")
      case .capture(let account, let credits, let back):
        let outcome = try await store.capture(
          Step.request(index - back), on: AccountID(account), amount: Amount(credits))
        return Result(outcome.receipt, outcome.excess.map { " and \(Result($0).text)" } ?? "")
      case .release(let account, let back):
        return Result(try await store.release(Step.request(index - back), on: AccountID(account)).receipt)
      case .freeze(let account): return Result(try await store.freeze(AccountID(account), request: request))
      case .unfreeze(let account): return Result(try await store.unfreeze(AccountID(account), request: request))
      case .alerts(let account):
        return Result(try await store.setAlerts([50, 20], for: AccountID(account), request: request))
      case .subscribe(let account):
        let plan = Plan("basic", allowance: 40, per: .day, rollover: 10)
        return Result(try await store.subscribe(AccountID(account), to: plan, request: request))
      case .method(let account):
        let saved = try await store.savePaymentMethod(Step.card, for: AccountID(account), request: request)
        return Result("method \(saved.number)")
      case .refill(let account):
        let method = try store.account(AccountID(account))?.methods.first ?? Step.card
        return Result(
          try await store.setAutoRefill(
            .on(below: 30, buy: .pack(500), atMost: Money(1_000_00, .usd), per: .month, with: method),
            for: AccountID(account), request: request))
      case .purchase(let account):
        let method = try store.account(AccountID(account))?.methods.first ?? Step.card
        let purchase = try await store.purchase(
          .pack(500), for: AccountID(account), with: method, request: request)
        return Result(purchase.receipt, " \(purchase.number) \(purchase.key)")
      case .usage(let account, let units):
        return Result(
          try await store.debit(for: Usage("chat", units: units), from: AccountID(account), request: request))
      case .correct(let account, let back):
        let debit = SequenceNumber(known(index - back)?.sequence ?? 0)
        return Result(
          try await store.correct(
            debit, of: AccountID(account), by: 1, reason: "too much", agent: "support", request: request))
      case .open, .close, .publish, .consumer, .acknowledge, .time, .trim, .backup, .work:
        preconditionFailure("this step is no request")
      }
    } catch {
      guard case .denied(let denial) = error else { throw error }
      return Result(denial)
    }
  }
}

extension Amount {
  init(_ credits: Int64) { self.init(millionths: credits * 1_000_000) }
}
