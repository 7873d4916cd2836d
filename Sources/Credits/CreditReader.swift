internal import LMDB

/// Reads a store that another process may have open for writing: balances, history, proofs.
///
/// Every call sees all that was durable when it began. Balances are brought up to date from the journal, so they are
/// exact though images lag behind.
///
/// ```swift
/// let reader = try CreditReader.open(at: "/var/lib/credits")
/// if let balance = try reader.balance(of: "user_alice") { print(balance.available) }
/// ```
public final class CreditReader: Sendable {
  private let database: Database
  private let view: JournalView
  private let prices: Prices
  private let key: HashKey
  private let clock: StoreClock
  private let limit: Int
  private let state: Locked<State>

  /// The accounts that the journal after a checkpoint touches, up to an entry.
  private struct State {
    var accounts: [AccountID: Account] = [:]
    var last = SequenceNumber.none
    var isReady = false
  }

  private init(path: String, settings: Settings) throws(StoreError) {
    if let complaint = settings.complaint { throw .invalidArgument(complaint) }
    let folder = StoreFolder(path)
    guard try folder.contents() == .store else { throw .notFound(path: path) }
    let database = try Database(
      path: path, mapSize: settings.mapSize, access: .readOnly, durability: settings.durability)
    do throws(StoreError) {
      let identity = try database.read { (transaction) throws(StoreError) -> Meta.Identity? in
        try Meta.identity(in: transaction, database)
      }
      guard let identity else { throw .notAStore(path: path, reason: "it has no identity record") }
      key = identity.key
      prices = try Prices(database)
    } catch {
      database.close()
      throw error
    }
    self.database = database
    let prices = self.prices
    // What cannot be read any more is shown without its price.
    view = JournalView(
      database: database,
      prices: {
        try? prices.refresh()
        return prices.table
      })
    clock = settings.clock
    limit = settings.residentAccounts
    state = Locked(State())
  }

  deinit { database.close() }

  /// Opens the store in a folder for reading.
  ///
  /// - Throws: `notFound`, `notAStore`, `unsupportedVersion`, `corrupt`, `permissionDenied`; `locked` if this very
  ///   process has the store open, since one process cannot open it twice.
  public static func open(at path: String, settings: Settings = Settings()) throws(StoreError) -> CreditReader {
    try CreditReader(path: path, settings: settings)
  }

  /// What an account has now; nil if it was never opened.
  public func balance(of account: AccountID) throws(StoreError) -> Balance? { try current(account)?.balance }

  /// An account as a whole: balance, status, totals and grants; nil if it was never opened.
  public func account(_ account: AccountID) throws(StoreError) -> AccountSummary? {
    guard let state = try current(account) else { return nil }
    return AccountSummary(state, label: try view.label(of: account), at: clock.now)
  }

  /// The latest entries of an account, latest first.
  public func history(of account: AccountID, limit: Int = 100) throws(StoreError) -> History {
    try view.history(from: try stored(account)?.last ?? .none, limit: limit)
  }

  /// Everything about one request of an account; nil if the account has no such request.
  public func explain(_ request: RequestID, of account: AccountID) throws(StoreError) -> Explanation? {
    try view.explain(request, from: try stored(account)?.last ?? .none)
  }

  /// All published price books, version 1 first.
  public func priceBooks() throws(StoreError) -> [PriceBook] {
    try prices.refresh()
    return prices.table.books
  }

  /// What is for sale.
  public func catalogue() throws(StoreError) -> Catalogue {
    try prices.refresh()
    return prices.catalogue
  }

  /// The consumers of events, and the last entry that each has seen.
  public func consumers() throws(StoreError) -> [String: SequenceNumber] { try Consumers.stored(in: database) }

  /// Whether charges are paused, as the store is a copy of another one.
  public func chargesArePaused() throws(StoreError) -> Bool {
    try database.read { (transaction) throws(StoreError) -> Bool in try Meta.isPaused(in: transaction, database) }
  }

  /// Calls a function with every entry of the journal from a sequence number on, in order, until it answers false.
  public func forEachEntry(
    from first: SequenceNumber = SequenceNumber(1), _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) { try view.forEach(from: first, body) }

  /// Replays the journal and compares: checksums, chain, every entry's balance, images, conservation.
  public func verify(progress: @escaping @Sendable (Double) -> Void = { _ in }) async throws(StoreError) -> Verification
  {
    try await Worker.run { [database, key] () throws(StoreError) in
      try Verifier(database: database, key: key).run(progress: progress)
    }
  }

  /// Copies the store to a new folder, also while another process writes to it: a consistent state that opens as a
  /// store of its own.
  ///
  /// The folder must not exist. The copy is complete and synced, or absent.
  public func backup(to path: String) async throws(StoreError) {
    try await Worker.run { [database] () throws(StoreError) in try database.backup(to: path) }
  }

  /// What the store holds.
  public func statistics() throws(StoreError) -> Statistics {
    let last = try state.withLock { (state) throws(StoreError) -> SequenceNumber in
      try refresh(&state)
      return state.last
    }
    return try database.statistics(
      last: last, resident: 0, windowBytes: 0, counters: Counters(), replayed: 0)
  }

  /// The account's state with what time has done by itself.
  private func current(_ account: AccountID) throws(StoreError) -> Account? {
    guard let stored = try stored(account) else { return nil }
    var draft = Draft(stored)
    while !draft.settle(at: max(clock.now, stored.time)) { draft = Draft(draft.account) }
    var state = draft.account
    state.last = stored.last
    return state
  }

  /// The account's state after its last entry.
  private func stored(_ account: AccountID) throws(StoreError) -> Account? {
    try state.withLock { (state) throws(StoreError) -> Account? in
      try refresh(&state)
      if let found = state.accounts[account] { return found }
      // No entry after the checkpoint touches it, or the image is even newer: either way the image is all of it.
      return try database.image(of: account, hash: key.hash(account))?.account
    }
  }

  /// Applies the entries that have come since the last call.
  private func refresh(_ state: inout State) throws(StoreError) {
    // Half of a block may have been applied when an error is thrown: the next call then begins anew.
    let wasReady = state.isReady
    state.isReady = false
    try database.read { (transaction) throws(StoreError) in
      let checkpoint = try Meta.checkpoint(in: transaction, database)
      // Begin anew where there is too much in memory, or the journal that comes next has been trimmed.
      let isBehind = try Meta.trim(in: transaction, database).first.value > state.last.value + 1
      if !wasReady || state.accounts.count > limit || isBehind {
        state = State(last: checkpoint.cursor)
      }
      do {
        var cursor = try transaction.cursor(on: database.journal)
        var isMore = try cursor.seek(lessOrEqual: state.last.value + 1)
        if !isMore { isMore = try cursor.first() }
        while isMore {
          let (header, _) = try Block.verify(cursor.value)
          guard header.first.value <= state.last.value + 1 else { throw DecodingError("a block after it is missing") }
          if header.last > state.last {
            var offset = Block.Header.size
            for index in 0..<UInt64(header.count) {
              let sequence = SequenceNumber(header.first.value + index)
              let record = try Record(from: cursor.value, at: offset)
              offset += record.size
              if sequence > state.last { try apply(record, at: sequence, to: &state, in: transaction) }
            }
            state.last = header.last
          }
          isMore = try cursor.next()
        }
      } catch { throw database.storeError(error, reading: "the journal", at: state.last) }
    }
    state.isReady = true
  }

  private func apply(
    _ record: borrowing Record, at sequence: SequenceNumber, to state: inout State,
    in transaction: borrowing ReadTransaction
  ) throws(StoreError) {
    let id = record.entry.account
    if state.accounts[id] == nil {
      let image = try database.image(of: id, hash: key.hash(id), in: transaction)
      state.accounts[id] = image?.account ?? Account(id)
    }
    guard let last = state.accounts[id]?.last, sequence > last else { return }
    do throws(Inconsistency) { try state.accounts[id]?.apply(record, at: sequence) } catch {
      throw .corrupt(what: "the entry of account \(id)", at: sequence, reason: error.reason)
    }
  }
}
