internal import LMDB
internal import Logging

/// A store of prepaid credits in a folder: atomic, durable, exactly-once debits.
///
/// ```swift
/// let store = try CreditStore.open(at: "/var/lib/credits")
/// let alice = try await store.open("user_alice")
/// try await store.grant(500, to: alice, source: .purchase("order-17"), request: "order-17")
/// switch try await store.debit(3.5, from: alice, request: "req-1") {
/// case .debited(let receipt): print("left:", receipt.balance)
/// case .denied(let denial): print(denial.reason)
/// }
/// try await store.close()
/// ```
///
/// All verbs may be called from any number of tasks and threads. One process opens a store for writing; others read it
/// with ``CreditReader``.
public final class CreditStore: Sendable {
  let engine: Engine

  /// The request id of every opening: ids are of one space per account, and an account is opened once.
  private static let opening: RequestID = "credits: open the account"

  private init(_ engine: Engine) { self.engine = engine }

  deinit { engine.close() }

  /// Opens the store in a folder, or makes one there, and brings it up to the end of its journal.
  ///
  /// After a clean close this takes some milliseconds however large the store is, and the time to read the request
  /// window; after a crash up to twice `Settings.checkpointEntries` entries are replayed.
  ///
  /// - Throws: `locked` if another process has the store open, `notFound`, `notAStore`, `unsupportedVersion`,
  ///   `corrupt`, `permissionDenied`, `diskFull`, `invalidArgument` for a setting out of range.
  public static func open(at path: String, settings: Settings = Settings()) throws(StoreError) -> CreditStore {
    CreditStore(try Engine(path: path, settings: settings))
  }

  /// Makes everything durable, writes what a quick reopening needs, and closes the store.
  ///
  /// Later calls get `StoreError.closed`. Throws the error that stopped the store, if one did.
  public func close() async throws(StoreError) {
    try await engine.runApart { [engine] () throws(StoreError) in
      engine.close()
      if case .failed(let error) = engine.queue.state, error != .closed { throw error }
    }
  }

  // MARK: Accounts

  /// Opens an account under a text, such as a user's id in your system, and answers its id.
  ///
  /// The text, at most 255 bytes, is kept as the account's label. Opening
  /// again is a replay and changes nothing.
  @discardableResult
  public func open(_ label: String) async throws(StoreError) -> AccountID {
    let account = AccountID(label)
    try await open(account, label: label)
    return account
  }

  /// Opens an account under an id, with an optional label of at most 255 bytes.
  ///
  /// Opening again with the same label is a replay and changes nothing; with another label it is denied as a conflict.
  @discardableResult
  public func open(
    _ account: AccountID, label: String = "", acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.open(label: label), account, CreditStore.opening, acknowledge)
  }

  /// Gives credits to an account.
  ///
  /// - Parameters:
  ///   - amount: The credits to give, above zero.
  ///   - account: The account to give them to.
  ///   - source: Where they come from.
  ///   - priority: The order of use, lower first; by default that of the source's kind.
  ///   - starts: The moment from which they can be used; at once by default.
  ///   - expires: The moment at which they can no longer be used; never by default.
  ///   - request: The caller's idempotency key.
  ///   - acknowledge: What to wait for.
  /// - Throws: `denied` with the reason `unknownAccount`, `closed`, `limit`, `invalid`, `conflict` or `tooOld`; store
  ///   failures.
  @discardableResult
  public func grant(
    _ amount: Amount, to account: AccountID, source: Grant.Source, priority: UInt8? = nil, starts: Timestamp? = nil,
    expires: Timestamp? = nil, request: RequestID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Receipt {
    let command = Command.grant(
      amount, source, priority: priority ?? source.kind.priority, starts: starts ?? .zero, expires: expires ?? .never)
    return try await engine.change(command, account, request, acknowledge)
  }

  /// Denies all spending of an account until it is unfrozen; credits still arrive and expire.
  @discardableResult
  public func freeze(_ account: AccountID, reason: String = "", request: RequestID) async throws(StoreError) -> Receipt
  {
    try await engine.change(.freeze(reason: reason), account, request, .durable)
  }

  /// Allows the spending of an account again.
  @discardableResult
  public func unfreeze(_ account: AccountID, reason: String = "", request: RequestID) async throws(StoreError)
    -> Receipt
  {
    try await engine.change(.unfreeze(reason: reason), account, request, .durable)
  }

  /// Closes an account for good; credits it still has are booked as expired.
  @discardableResult
  public func close(_ account: AccountID, reason: String = "", request: RequestID) async throws(StoreError) -> Receipt {
    try await engine.change(.close(reason: reason), account, request, .durable)
  }

  // MARK: Debits

  /// Takes credits from an account: all of the amount or nothing, unless the extent says otherwise.
  ///
  /// - Parameters:
  ///   - amount: The credits to take, above zero.
  ///   - account: The account to take them from.
  ///   - request: The caller's idempotency key: the same id gives the same outcome and takes nothing twice.
  ///   - extent: `whole`, or `upTo` to take what there is.
  ///   - acknowledge: What to wait for. With `applied`, ``sync(_:)`` waits for durability later.
  /// - Returns: The receipt, or the denial with its reason.
  /// - Throws: `overloaded` if too many callers wait, `clockJumped`, or the failure that stopped the store.
  ///
  /// Decided in constant time on the calling thread, in well under a microsecond for an account in memory.
  @inline(__always)
  public func debit(
    _ amount: Amount, from account: AccountID, request: RequestID, extent: Debit.Extent = .whole,
    acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Outcome {
    try await debit(Debit(amount, from: account, request: request, extent: extent), acknowledge: acknowledge)
  }

  /// Takes credits from an account, as a value describes it.
  public func debit(_ debit: Debit, acknowledge: Acknowledgement = .durable) async throws(StoreError) -> Outcome {
    // The walk of a debit starts here: decide and apply in memory, then wait for the commit.
    let answer: Answer
    if let short = try engine.shortDebit(debit) { answer = short } else { answer = try await engine.debit(debit) }
    if acknowledge == .durable, let sequence = answer.sequence { try await engine.queue.waitUntilDurable(sequence) }
    return Outcome(answer)
  }

  /// Takes credits from many accounts: one suspension, one commit or a few, outcomes in the order of the debits.
  ///
  /// Each debit succeeds or is denied by itself. Far faster than single calls.
  public func debit(_ debits: [Debit], acknowledge: Acknowledgement = .durable) async throws(StoreError) -> [Outcome] {
    var outcomes: [Outcome] = []
    outcomes.reserveCapacity(debits.count)
    var last = SequenceNumber.none
    var index = 0
    while index < debits.count {
      index += engine.ledger.debit(debits[index...], at: try engine.keeper.now(), into: &outcomes, last: &last)
      guard index < debits.count else { break }
      let answer = try await engine.debit(debits[index])
      last = max(last, answer.sequence ?? .none)
      outcomes.append(Outcome(answer))
      index += 1
    }
    if acknowledge == .durable, last != .none { try await engine.queue.waitUntilDurable(last) }
    return outcomes
  }

  /// Waits until a change that was acknowledged as applied is durable.
  ///
  /// - Throws: `invalidArgument` if the store has no such change: the receipt is of another store, or the change was
  ///   lost in a crash; store failures.
  public func sync(_ receipt: Receipt) async throws(StoreError) {
    let last = engine.queue.last
    guard receipt.sequence <= last else {
      throw .invalidArgument(
        "there is no entry \(receipt.sequence), the journal ends at \(last): the receipt is of another store, or of a "
          + "change that was lost in a crash before it was durable")
    }
    try await engine.queue.waitUntilDurable(receipt.sequence)
  }

  /// Waits until all changes so far are durable.
  public func sync() async throws(StoreError) { try await engine.queue.waitUntilDurable(engine.queue.last) }

  // MARK: Balances

  /// What an account has now; nil if it was never opened.
  ///
  /// Takes some tens of nanoseconds and allocates nothing for an account in memory; another one is read from disk
  /// first.
  public func balance(of account: AccountID) throws(StoreError) -> Balance? {
    try engine.balance(of: account)
  }

  /// Whether an account could pay an amount now: a gate for features, not a promise, since others may spend meanwhile.
  ///
  /// Fails closed: false for an unknown, frozen or closed account, and if the store has stopped.
  public func canAfford(_ amount: Amount, _ account: AccountID) -> Bool {
    guard amount >= .zero, engine.isRunning,
      let state = engine.ledger.spendable(of: account, at: engine.keeper.approximate)
        ?? (try? engine.coldSpendable(account))
    else { return false }
    return state >= amount && state > .zero
  }

  /// An account as a whole: balance, status, totals and grants; nil if it was never opened.
  public func account(_ account: AccountID) throws(StoreError) -> AccountSummary? { try engine.summary(of: account) }

  /// The balance of an account whenever it changes: the newest wins, versions only rise, all of them are durable.
  ///
  /// Begins with the present balance, then follows debits, grants, expiry and everything else. Ends when the store is
  /// closed. Every change of a followed account takes the full rules (about a microsecond); follow accounts that
  /// somebody looks at.
  public func balances(of account: AccountID) -> BalanceUpdates { BalanceUpdates(account: account, engine: engine) }

  // MARK: Records

  /// The latest entries of an account, latest first; durable ones only, so it waits for those before.
  public func history(of account: AccountID, limit: Int = 100) async throws(StoreError) -> History {
    guard let last = try balance(of: account)?.version else { return History(entries: [], end: .complete) }
    try await engine.queue.waitUntilDurable(last)
    return try engine.view.history(from: last, limit: limit)
  }

  /// Everything about one request of an account: what was asked, what was taken from which grants, the balance before
  /// and after; nil if the account has no such request.
  ///
  /// - Throws: `outsideRetention` if it is not found in what is kept of the journal.
  public func explain(_ request: RequestID, of account: AccountID) async throws(StoreError) -> Explanation? {
    guard let last = try balance(of: account)?.version else { return nil }
    try await engine.queue.waitUntilDurable(last)
    return try engine.view.explain(request, from: last)
  }

  /// Calls a function with every durable entry of the journal from a sequence number on, in order, until it answers
  /// false.
  ///
  /// Reads one snapshot; entries that are appended meanwhile are not seen, and pages that are freed meanwhile are not
  /// used again.
  public func forEachEntry(
    from first: SequenceNumber = SequenceNumber(1), _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) {
    try engine.checkOpen()
    try engine.view.forEach(from: first, body)
  }

  // MARK: Operations

  /// Replays the journal and compares: checksums, chain, every entry's balance, images, conservation.
  ///
  /// Reads one snapshot on a thread of its own while the store goes on. Time: about a microsecond an entry.
  ///
  /// - Parameter progress: Called now and then with the part that is done, from 0 to 1.
  public func verify(progress: @escaping @Sendable (Double) -> Void = { _ in }) async throws(StoreError) -> Verification
  {
    try await sync()
    return try await engine.runApart { [engine] () throws(StoreError) in
      try Verifier(database: engine.database, key: engine.key).run(progress: progress)
    }
  }

  /// Copies the running store to a new folder: a consistent state that opens as a store of its own.
  ///
  /// The folder must not exist. The copy is complete and synced, or absent.
  public func backup(to path: String) async throws(StoreError) {
    try await sync()
    try await engine.runApart { [engine] () throws(StoreError) in try engine.database.backup(to: path) }
  }

  /// Deletes the journal's entries before a moment, as far as neither the request window nor the checkpoint needs them.
  ///
  /// Balances are unaffected; history and explanations of what is deleted then say "outside retention". Export first.
  public func trim(before time: Timestamp) async throws(StoreError) -> Trimmed {
    try await engine.trim(before: time)
  }

  /// Applies what time has done by itself to all accounts: expiry, and grants that start.
  ///
  /// A store with the system's clock does this by itself, on time. Call it after moving a manual clock.
  public func tick() async throws(StoreError) {
    try await engine.runApart { [engine] () throws(StoreError) in try engine.clockwork.tick() }
    try await sync()
  }

  /// Accepts the wall clock as it is, after `StoreError.clockJumped`: what expires by the new time expires for good.
  public func acceptClock() { engine.keeper.accept() }

  /// What the store has done and what it holds.
  public func statistics() throws(StoreError) -> Statistics { try engine.statistics() }
}

extension Outcome {
  init(_ answer: Answer) {
    switch answer {
    case .done(let receipt): self = .debited(receipt)
    case .denied(let denial): self = .denied(denial)
    }
  }
}
