/// Plans with their allowances, alerts, and corrections.
extension CreditStore {
  /// Begins a plan, or changes the one that the account has.
  ///
  /// The first allowance comes at once, or at the anchor where that is still to come. At each end of a period what is
  /// left of the old allowance expires, or rolls over up to the plan's limit, and one new allowance comes; periods that
  /// nobody was there for are made up for one by one. A change of plan with the same period and anchor takes effect at
  /// once and gives what the new allowance has more; any other change takes effect at the end of the present period, so
  /// that no period has two allowances.
  ///
  /// - Parameters:
  ///   - account: The account.
  ///   - plan: The plan; its allowance is above zero.
  ///   - anchor: The moment from which periods are counted; by default now, or the anchor of the present plan.
  ///   - request: The caller's idempotency key.
  /// - Throws: `denied` with the reason `closed`, `limit`, `unknownAccount`, `invalid`, `conflict` or `tooOld`; store
  ///   failures.
  @discardableResult
  public func subscribe(
    _ account: AccountID, to plan: Plan, anchor: Timestamp? = nil, request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.subscribe(plan, anchor: anchor), account, request)
  }

  /// Ends a plan: with its period, or at once, and then what is left of its allowance expires.
  ///
  /// - Throws: `denied` with the reason `noPlan`, and as `subscribe`.
  @discardableResult
  public func unsubscribe(
    _ account: AccountID, atOnce: Bool = false, request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.unsubscribe(atOnce: atOnce), account, request)
  }

  /// Sets the levels of available credits that are told when they are crossed downwards, in place of those before.
  ///
  /// The entry `alerted` is in the same commit as the change that crossed a level. A level is told once, and again only
  /// after the balance has risen to it. A new level above the present balance is told at once. That nothing is left is
  /// told always, by the entry `exhausted`.
  ///
  /// - Parameters:
  ///   - levels: At most 16 amounts above zero; none to switch alerts off.
  ///   - account: The account.
  ///   - request: The caller's idempotency key.
  @discardableResult
  public func setAlerts(
    _ levels: [Amount], for account: AccountID, request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.setAlerts(Set(levels).sorted(by: >)), account, request)
  }

  /// Makes a wrong debit good: gives credits that name the debit, once, for at most its amount.
  ///
  /// A debit is never undone, and credits never move between accounts: this is the only way to put right what went
  /// wrong. ``explain(_:of:)`` shows both the debit and its correction.
  ///
  /// - Parameters:
  ///   - debit: The sequence number of the debit, or of a hold's capture.
  ///   - account: The account that was debited.
  ///   - amount: The credits to give; at most those that were taken.
  ///   - reason: Why, in your words; at most 255 bytes.
  ///   - agent: Who decided it; at most 255 bytes.
  ///   - request: The caller's idempotency key.
  /// - Throws: `denied` with the reason `noDebit`, `alreadyCorrected`, `invalid` (more than was taken, no reason or no
  ///   agent), `closed`, `limit`, `unknownAccount`, `conflict` or `tooOld`; `outsideRetention` if the debit has been
  ///   trimmed from the journal; store failures.
  @discardableResult
  public func correct(
    _ debit: SequenceNumber, of account: AccountID, by amount: Amount, reason: String, agent: String,
    request: RequestID
  ) async throws(StoreError) -> Receipt {
    func denied(_ reason: Denial.Reason) throws(StoreError) -> Never {
      throw .denied(Denial(reason: reason, sequence: nil, time: try engine.keeper.now(), isReplay: false))
    }
    guard debit > .none, debit <= engine.queue.last else { try denied(.noDebit) }
    try await engine.queue.waitUntilDurable(debit)
    let entry: Entry
    do throws(StoreError) { entry = try engine.view.record(debit).entry } catch {
      // A repetition is answered though the debit is outside retention by now.
      guard case .outsideRetention = error, let known = try await engine.record(of: request, account),
        known.number(.names) == debit.value, let of = known.amount(.named)
      else { throw error }
      let command = Command.correct(debit, of: of, amount, reason: reason, agent: agent)
      return try await engine.change(command, account, request)
    }
    guard entry.account == account, entry.kind == .debited || entry.kind == .captured, entry.amount > 0 else {
      try denied(.noDebit)
    }
    guard !reason.isEmpty, !agent.isEmpty else { try denied(.invalid) }
    let command = Command.correct(debit, of: entry.amount, amount, reason: reason, agent: agent)
    return try await engine.change(command, account, request)
  }
}
