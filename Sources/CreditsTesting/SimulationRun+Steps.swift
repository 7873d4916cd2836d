internal import Credits

/// What a step does.
extension SimulationRun {
  /// Performs a step; one that does not apply does nothing.
  func perform(_ step: SimulationStep) throws {
    beginStep()
    try look()
    switch step {
    case .ask(let caller, let requests, let acknowledge, let isBatch):
      if canAsk(requests) { _ = begin(caller, .requests(requests, acknowledge, isBatch: isBatch)) }
    case .run(let caller): try run(callers[caller])
    case .begin(let idles): try begin(idles: idles)
    case .write(let writing): try write(writing)
    case .acknowledge: try acknowledge()
    case .clock(let time): clock.now = time
    case .acceptClock: store.acceptClock()
    case .tick: try tick()
    case .crash: try crash()
    case .reopen: try reopen()
    case .take(let caller, let charge): try take(caller, charge)
    case .arrive(let charge, let act): try arrive(charge, act)
    case .answer(let caller, let charge): try answer(caller, charge)
    case .giveUp(let caller, let charge): try giveUp(caller, charge)
    case .lose(let charge): provider.lose(charge)
    case .end(let order, let charges): provider.end(order, charges: charges)
    case .notice(let caller, let number, let again): try notice(caller, number, again: again)
    case .report(let caller, let outcome, let charge): try report(caller, outcome, charge, key: nil)
    case .publish(let caller, let book):
      if !isPublishing, moved.failure == nil { isPublishing = begin(caller, .publish(book)) }
    case .quote(let usage): try quote(usage)
    case .look(let account): try checkAccount(account)
    case .explain(let caller, let account, let back):
      let asked = ledger.accounts[account]?.entries.suffix(60).filter { $0.details.request != nil } ?? []
      if back < asked.count { _ = begin(caller, .explain(asked[asked.count - 1 - back])) }
    case .trim(let caller, let time): _ = begin(caller, .trim(time))
    case .audit: try audit()
    case .verify: try verify()
    }
    try look()
  }

  /// Whether the reference ledger, which forgets nothing, can tell what the store will answer.
  private func canAsk(_ requests: [ReferenceRequest]) -> Bool {
    for request in requests {
      // Where steps are left out, the quote may be missing, or another one have its number.
      if case .quoted(let quote, let number) = request.verb,
        number >= quotes.count || ledger.quotes[number] != quote
      {
        return false
      }
      let forgotten = isAmnesiac ? 0 : moved.forgotten.value
      guard forgotten > 0 else { continue }
      if request.request.time != nil { return false }
      let isEnd: Bool
      switch request.verb {
      case .capture, .release: isEnd = true
      default: isEnd = false
      }
      let answer =
        isEnd
        ? ledger.accounts[request.account]?.ends[request.request]?.receipt.sequence
        : ledger.answer(to: request.request, of: request.account)
      if let answer, answer.value < forgotten + 300 { return false }
    }
    return !requests.isEmpty
  }

  private func tick() throws {
    guard moved.failure == nil else { return }
    guard !isAhead else {
      do throws(StoreError) { try moved.tick() } catch {
        guard case .clockJumped = error else { throw Failure(kind: "an error", reason: "a tick gave \(error)") }
        return
      }
      throw Failure(kind: "G4: jump", reason: "time passes though the clock jumped")
    }
    let due = ledger.due.sorted { $0.low < $1.low }
    try pausing {
      try trying("a tick") { () throws(StoreError) in try moved.tick() }
      // The store may settle the accounts in any order; their versions tell which.
      var order: [(version: SequenceNumber, account: AccountID)] = []
      for account in due {
        let balance = try trying("reading a balance") { () throws(StoreError) in try store.balance(of: account) }
        order.append((balance?.version ?? .none, account))
      }
      try look()
      change(.settle(order.sorted { $0.version < $1.version }.map(\.account)))
      try look()
    }
    try checkLength()
    for account in due { try checkAccount(account) }
  }

  private func quote(_ usage: Usage) throws {
    guard moved.failure == nil, !isAhead else { return }
    let expected = ledger.prices.price(usage, at: ledger.now)
    do throws(StoreError) {
      let quote = try store.quote(for: usage)
      guard case .success(let price) = expected, price.amount == quote.amount, price.version == quote.version,
        price.expires == quote.expires
      else { throw .stopped(reason: "\(usage) is quoted at \(quote), expected \(expected)") }
      quotes.append(quote)
      ledger.keep(price)
    } catch {
      if case .denied(let denial) = error, case .failure(let refusal) = expected, denial.reason == refusal.reason {
        return
      }
      throw Failure(kind: "a quote", reason: "\(error)")
    }
  }
}
