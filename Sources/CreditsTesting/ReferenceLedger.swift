public import Credits

/// The oracle: what a store must answer, worked out in the simplest way that can be right.
///
/// Written from the promises and the documentation, not from the store's code: one thread, arrays and dictionaries,
/// everything added up anew each time. It predicts each outcome and each account to the last millionth, and the journal
/// entry by entry. It has no request window: it forgets nothing, so compare it with stores whose window is large
/// enough.
public struct ReferenceLedger: Sendable {
  /// The accounts that were opened.
  public private(set) var accounts: [AccountID: ReferenceAccount] = [:]
  /// The last entry of the journal.
  public private(set) var last = SequenceNumber.none
  /// What the wall clock shows; it may go back.
  public private(set) var clock: Timestamp
  /// The store's latest time, which never goes back.
  public private(set) var latest: Timestamp
  /// The time of the latest entry.
  public private(set) var recorded = Timestamp.zero
  /// The published price books.
  private(set) var prices = ReferencePrices()
  /// The quotes that were asked for.
  private(set) var quotes: [ReferenceQuote] = []
  /// Whether nothing is sent to the payment provider, as the store is a copy.
  private(set) var isPaused = false

  private struct Key: Hashable {
    let account: AccountID
    let request: RequestID
  }

  private struct Answered {
    let contents: ReferenceRequest.Verb
    let answer: ReferenceAnswer
    let sequence: SequenceNumber
  }

  private var answered: [Key: Answered] = [:]
  /// When something next happens to an account by itself, and which have open charges: looking through them all takes
  /// too long.
  private var moments: [AccountID: Timestamp] = [:]
  private var charging: Set<AccountID> = []

  /// Makes an empty ledger at a moment.
  public init(at time: Timestamp) {
    clock = time
    latest = time
  }

  /// Whether the store's time rises only with its commits, of which the ledger is told.
  private var isTold = false

  /// The time that the next request is decided at, unless its account is ahead.
  public var now: Timestamp { max(clock, latest) }

  /// The time that the next request of an account is decided at.
  func now(of id: AccountID) -> Timestamp { max(now, accounts[id]?.entries.last?.time ?? .zero) }

  /// The store's clock and latest time are these, and change only when the ledger is told so.
  mutating func tell(clock: Timestamp, latest: Timestamp) { (self.clock, self.latest, isTold) = (clock, latest, true) }

  /// The entry that answered a request of an account; nil if there is none.
  func answer(to request: RequestID, of account: AccountID) -> SequenceNumber? {
    answered[Key(account: account, request: request)]?.sequence
  }

  /// Moves the wall clock.
  mutating func setClock(_ time: Timestamp) { clock = time }

  /// The store was opened anew: it takes the clock as it is, and knows the time of its entries.
  mutating func reopen(asCopy: Bool) {
    latest = max(recorded, clock)
    if asCopy { isPaused = true }
  }

  /// Charges may be sent again.
  mutating func resumeCharges() { isPaused = false }

  /// A price book becomes the next version.
  mutating func publish(_ book: PriceBook) { prices.books.append(book) }

  /// Notes a quote for later.
  mutating func keep(_ quote: ReferenceQuote) { quotes.append(quote) }

  /// The accounts to which something has happened by itself that is not recorded yet.
  var due: [AccountID] {
    let now = now
    return moments.filter { $0.value <= now }.map(\.key)
  }

  /// Changes an account, and keeps count of entries and time.
  private mutating func change<T>(
    _ id: AccountID, at time: Timestamp, _ body: (inout ReferenceAccount) -> T
  ) -> T? {
    // Taken out for the while, so that its arrays are not copied.
    guard var account = accounts.removeValue(forKey: id) else { return nil }
    account.journal = last
    let result = body(&account)
    if account.journal > last {
      if !isTold { latest = max(latest, time) }
      recorded = max(recorded, time)
    }
    last = account.journal
    moments[id] = account.nextMoment
    if account.openCharges.isEmpty { charging.remove(id) } else { charging.insert(id) }
    accounts[id] = account
    return result
  }

  /// Records what time has done by itself to some accounts, in this order, which is the store's to choose.
  mutating func settle(_ order: [AccountID]) {
    latest = now
    for account in order {
      let time = now(of: account)
      _ = change(account, at: time) { $0.settle(at: time) }
    }
  }

  // MARK: Charges

  /// The charges that are to be taken a step further, by account and number.
  var readyCharges: [(account: AccountID, number: UInt32)] {
    let now = now
    return charging.compactMap { accounts[$0] }.flatMap { account in
      account.openCharges.filter { $0.retry <= now && !(isPaused && $0.status == .due) }
        .map { (account.id, $0.number) }
    }.sorted { ($0.0.low, $0.1) < ($1.0.low, $1.1) }
  }

  /// How the payment provider is called.
  enum Call: Hashable, Sendable {
    case charge(Money, token: String)
    case lookUp
  }

  /// The worker takes up a charge: the call that it makes, if it makes one.
  mutating func advance(_ number: UInt32, of id: AccountID) -> Call? {
    let time = now(of: id)
    guard let charge = accounts[id]?.charges[Int(number) - 1], charge.isOpen else { return nil }
    if charge.status == .due {
      if isPaused { return nil }
      return change(id, at: time) { account -> Call? in
        account.settle(at: time)
        account.send(number, at: time)
        let sent = account.charges[Int(number) - 1]
        return sent.isOpen && sent.status == .charging ? .charge(sent.price, token: sent.method.token) : nil
      } ?? nil
    }
    // Sent again only while the provider surely knows the key: a day, less a tenth.
    let isFresh = now < charge.sent + .seconds(77_760)
    let isUncertain = charge.status == .charging || charge.status == .unknown
    return isFresh && isUncertain && !isPaused ? .charge(charge.price, token: charge.method.token) : .lookUp
  }

  /// Books what the payment provider says.
  mutating func settle(_ number: UInt32, of id: AccountID, _ outcome: ChargeOutcome) {
    let time = now(of: id)
    _ = change(id, at: time) {
      $0.settle(at: time)
      $0.settle(number, outcome, at: time)
    }
  }

  /// Books a notice; answers the denial that its reporter gets, if there is one.
  mutating func report(_ outcome: ChargeOutcome, _ number: UInt32, of id: AccountID) -> Denial? {
    let denial = Denial(reason: .noCharge, sequence: nil, time: now, isReplay: false)
    guard number > 0, let account = accounts[id], number <= account.shown(at: now).charges.count else { return denial }
    settle(number, of: id, outcome)
    guard let charge = accounts[id]?.charges[Int(number) - 1], !charge.isOpen else { return nil }
    switch outcome {
    case .succeeded where !charge.isPaid: return denial
    case .succeeded(_, let price) where price != charge.price: dispute(charge, "paid once more, with \(price)", of: id)
    default: break
    }
    return nil
  }

  /// What is wrong with a charge that was credited is told once, until somebody resumes auto-refill.
  private mutating func dispute(_ charge: ReferenceCharge, _ reason: String, of id: AccountID) {
    let time = now(of: id)
    _ = change(id, at: time) { account in
      if account.refill.suspended != .disputed, account.status != .closed {
        account.dispute(charge.number, String(reason.unicodeScalars.prefix(63)), nil, at: time)
      }
    }
  }

  // MARK: Requests

  /// Answers a request, of usage at the price that it had when the caller asked, where that is told.
  mutating func perform(_ request: ReferenceRequest, at price: ReferencePrice? = nil) -> ReferenceAnswer {
    let time = now(of: request.account)
    if case .purchase(let offer, _) = request.verb, Pack(offer) == nil { return .notSold }
    if case .setRefill(.on(_, let offer, _, _, _, _)) = request.verb, Pack(offer) == nil { return .notSold }
    if case .correct(let debit, _, let reason, let agent) = request.verb {
      if taken(by: debit, of: request.account) == nil { return denied(.noDebit, at: time) }
      if reason.isEmpty || agent.isEmpty { return denied(.invalid, at: time) }
    }
    switch request.verb {
    case .capture(let amount): return end(request, capturing: amount, at: time)
    case .release: return end(request, capturing: nil, at: time)
    default: break
    }
    // No id at all.
    if request.request == RequestID(0) { return denied(.invalid, at: time) }
    let key = Key(account: request.account, request: request.request)
    if let earlier = answered[key] {
      if earlier.contents == request.contents { return earlier.answer.replayed }
      return denied(.conflict(with: earlier.sequence), at: time)
    }
    if accounts[request.account] == nil {
      guard request.isWellFormed else { return denied(.invalid, at: time) }
      guard case .open(let label) = request.verb else { return denied(.unknownAccount, at: time) }
      accounts[request.account] = ReferenceAccount(id: request.account, label: label)
      return decide(request, key, price, at: time)
    }
    _ = change(request.account, at: time) { $0.settle(at: time) }
    var isWellFormed = request.isWellFormed
    if case .correct(let debit, let amount, _, _) = request.verb {
      isWellFormed = isWellFormed && amount <= taken(by: debit, of: request.account) ?? 0
    }
    return isWellFormed ? decide(request, key, price, at: time) : denied(.invalid, at: time)
  }

  /// What a debit, or the capture of a hold, took.
  private func taken(by debit: SequenceNumber, of account: AccountID) -> Amount? {
    let entry = accounts[account]?.entries.first {
      $0.sequence == debit && ($0.kind == .debited || $0.kind == .captured) && $0.amount > 0
    }
    return entry?.amount
  }

  private func denied(_ reason: Denial.Reason, at time: Timestamp) -> ReferenceAnswer {
    .outcome(.denied(Denial(reason: reason, sequence: nil, time: time, isReplay: false)))
  }

  private mutating func decide(
    _ request: ReferenceRequest, _ key: Key, _ asked: ReferencePrice?, at time: Timestamp
  ) -> ReferenceAnswer {
    let price = asked ?? price(of: request)
    let answer = change(request.account, at: time) { account -> ReferenceAnswer in
      if let reason = account.refusal(of: request, at: price) {
        return .outcome(account.deny(request, reason, price, at: time))
      }
      return account.perform(request, price, at: time)
    }
    guard let answer else { preconditionFailure("there is an account to decide on") }
    // The entry that answers is the one with the request's id.
    let entry = accounts[request.account]?.entries.last { $0.details.request == request.request }
    answered[key] = Answered(contents: request.contents, answer: answer, sequence: entry?.sequence ?? .none)
    return answer
  }

  /// What the request's usage costs, if it is about any.
  func price(of request: ReferenceRequest) -> ReferencePrice? {
    if case .quoted(let quote, _) = request.verb {
      let isChanged = now >= quote.expires && prices.version(at: now) != quote.version
      return ReferencePrice(amount: quote.amount, version: quote.version, refusal: isChanged ? .priceChanged : nil)
    }
    guard let usage = request.usage else { return nil }
    switch prices.price(usage, at: now) {
    case .success(let quote): return ReferencePrice(amount: quote.amount, version: quote.version, refusal: nil)
    case .failure(let refusal): return ReferencePrice(amount: 0, version: nil, refusal: refusal.reason)
    }
  }

  /// Ends a hold, or finds out how it ended.
  private mutating func end(
    _ request: ReferenceRequest, capturing amount: Amount?, at time: Timestamp
  ) -> ReferenceAnswer {
    if let end = accounts[request.account]?.ends[request.request] { return ReferenceAnswer.ended(end.outcome).replayed }
    let answer = change(request.account, at: time) { account -> ReferenceAnswer? in
      account.settle(at: time)
      // The deadline may have been first.
      if let end = account.ends[request.request] { return ReferenceAnswer.ended(end.outcome).replayed }
      guard request.isWellFormed, let hold = account.holds.first(where: { $0.request == request.request }) else {
        return nil
      }
      guard case .capture = request.verb else {
        _ = account.end(hold, capturing: nil, because: .caller, at: time)
        return account.ends[request.request].map { .ended($0.outcome) }
      }
      return .ended(account.capture(hold, amount ?? hold.amount, at: time))
    }
    guard let answer else {
      return denied(request.isWellFormed ? .unknownAccount : .invalid, at: time)
    }
    return answer ?? denied(request.isWellFormed ? .noHold : .invalid, at: time)
  }
}
