/// Holds: credits set aside for work whose final cost is not known yet.
extension CreditStore {
  /// Sets credits aside until the hold is captured or released, or its deadline comes.
  ///
  /// Held credits count as gone: they are not available to other requests. They come from the grants in the order of
  /// use, and may be captured in full even where a grant expires meanwhile.
  ///
  /// - Parameters:
  ///   - amount: The most that the work will cost, above zero.
  ///   - account: The account.
  ///   - duration: The time after which the hold ends by itself; up to 366 days.
  ///   - end: What becomes of it then.
  ///   - request: The caller's idempotency key; the hold is captured or released by it, too.
  ///   - acknowledge: What to wait for.
  /// - Throws: `denied` with the reason `insufficient`, `frozen`, `closed`, `limit` (256 open holds), `unknownAccount`,
  ///   `invalid`, `conflict` or `tooOld`; store failures.
  public func hold(
    _ amount: Amount, on account: AccountID, for duration: Duration, atDeadline end: Hold.End = .release,
    request: RequestID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Hold {
    try await hold(amount, .none, on: account, for: duration, atDeadline: end, request, acknowledge)
  }

  /// Sets aside what a usage costs by the price book.
  ///
  /// - Throws: As above, and `denied` with the reason `noPrice`, `unknownFeature`, `unknownModel`, `unknownTier` or
  ///   `unknownUnit`.
  public func hold(
    for usage: Usage, on account: AccountID, lasting duration: Duration, atDeadline end: Hold.End = .release,
    request: RequestID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Hold {
    let (amount, tariff) = engine.prices.tariff(usage, at: try engine.keeper.now())
    return try await hold(amount, tariff, on: account, for: duration, atDeadline: end, request, acknowledge)
  }

  private func hold(
    _ amount: Amount, _ tariff: Tariff, on account: AccountID, for duration: Duration, atDeadline end: Hold.End,
    _ request: RequestID, _ acknowledge: Acknowledgement
  ) async throws(StoreError) -> Hold {
    let command = Command.hold(amount, lasting: duration, end, tariff)
    let receipt = try await engine.change(command, account, request, acknowledge)
    return Hold(
      account: account, request: request, number: 0, amount: receipt.amount, deadline: receipt.time + duration,
      end: end, parts: [])
  }

  /// Takes what a hold's work has cost: less than held, as much, or more.
  ///
  /// What is left of the hold goes back to the grants it came from; a part whose grant has expired meanwhile is booked
  /// as expired. What goes beyond the hold is a debit that may be denied; the held part is taken all the same, and the
  /// outcome says both. A hold ends once: a repetition, a release or a deadline that came first is what the outcome
  /// tells.
  ///
  /// - Parameters:
  ///   - hold: The hold.
  ///   - amount: The cost, zero or more; all that is held by default.
  ///   - acknowledge: What to wait for; a cost beyond the hold always waits until it is durable.
  /// - Throws: `denied` with the reason `noHold` if the hold was denied or has left the request window, `invalid` for a
  ///   negative amount; store failures.
  @discardableResult
  public func capture(
    _ hold: Hold, amount: Amount? = nil, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> HoldOutcome {
    try await capture(hold.request, on: hold.account, amount: amount, acknowledge: acknowledge)
  }

  /// Takes what a hold's work has cost, the hold being named by its request.
  @discardableResult
  public func capture(
    _ request: RequestID, on account: AccountID, amount: Amount? = nil, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> HoldOutcome {
    try await engine.endHold(.capture(request, amount), of: request, account, asking: amount, acknowledge)
  }

  /// Gives all of a hold back to the grants it came from, but for what has expired meanwhile.
  ///
  /// - Throws: As `capture`.
  @discardableResult
  public func release(_ hold: Hold, acknowledge: Acknowledgement = .durable) async throws(StoreError) -> HoldOutcome {
    try await release(hold.request, on: hold.account, acknowledge: acknowledge)
  }

  /// Gives all of a hold back, the hold being named by its request.
  @discardableResult
  public func release(
    _ request: RequestID, on account: AccountID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> HoldOutcome {
    try await engine.endHold(.release(request), of: request, account, asking: nil, acknowledge)
  }

  /// Holds credits, does the work, captures what it cost; releases the hold if the work throws or is cancelled.
  ///
  /// ```swift
  /// let (answer, outcome) = try await store.withHold(120, on: alice, for: .seconds(600), request: "chat-7") { _ in
  ///   let answer = try await complete("Why is the sky blue?")
  ///   return (answer, cost: Amount(answer.count))
  /// }
  /// print(answer, "cost", outcome.captured)
  /// ```
  ///
  /// - Returns: What the work returned, and what came of the hold.
  /// - Throws: What `hold` and `capture` throw, and what the work throws.
  public func withHold<Result>(
    _ amount: Amount, on account: AccountID, for duration: Duration, request: RequestID,
    work: (Hold) async throws -> (Result, cost: Amount)
  ) async throws -> (Result, HoldOutcome) {
    let hold = try await hold(amount, on: account, for: duration, request: request)
    let result: Result
    let cost: Amount
    do { (result, cost) = try await work(hold) } catch {
      // Where even this fails, the deadline releases the hold.
      _ = try? await release(hold)
      throw error
    }
    return (result, try await capture(hold, amount: cost))
  }
}

extension Engine {
  /// Ends a hold, or finds out how it ended.
  func endHold(
    _ command: Command, of request: RequestID, _ account: AccountID, asking amount: Amount?,
    _ acknowledge: Acknowledgement
  ) async throws(StoreError) -> HoldOutcome {
    let receipt = try await change(command, account, request.endOfHold, acknowledge)
    // The deadline may have come first, in the very draft that was to end the hold.
    let isByCaller = receipt.number == UInt32(HoldOutcome.Cause.caller.rawValue)
    guard receipt.isReplay || !isByCaller || (amount ?? 0) > receipt.amount else {
      return HoldOutcome(receipt: receipt, cause: .caller, excess: nil)
    }
    // How it ended, and what came of an excess, is in the journal: the excess is the entry that follows.
    try await queue.waitUntilDurable(receipt.sequence)
    let record = try view.record(receipt.sequence)
    let cause = HoldOutcome.Cause(rawValue: record.entry.detail) ?? .caller
    var excess: Outcome?
    for case .asked(let asked) in record.items where asked > record.entry.amount {
      let next = SequenceNumber(receipt.sequence.value + 1)
      excess = Outcome(Answer(try view.record(next), at: next, isReplay: receipt.isReplay))
    }
    return HoldOutcome(receipt: receipt, cause: cause, excess: excess)
  }
}
