internal import LMDB
internal import Synchronization

/// Lets time do its work: grants that start and expire, for accounts in memory and for those on disk only.
///
/// With the system's clock it is a thread that sleeps until the next moment that matters; with a manual clock, `tick`
/// does the same when it is called.
final class Clockwork: Sendable {
  private let database: Database
  private let ledger: Ledger
  private let queue: FrameQueue
  private let keeper: TimeKeeper
  /// What stands in for the store's threads, if anything does.
  let simulation: Simulation?
  private let isStopping = Atomic<Bool>(false)
  /// The rows of the table of due times up to here have been seen to since the store was opened.
  private let seen: Locked<Timestamp> = Locked(.zero)

  init(database: Database, ledger: Ledger, queue: FrameQueue, keeper: TimeKeeper, settings: Settings) {
    self.database = database
    self.ledger = ledger
    self.queue = queue
    self.keeper = keeper
    simulation = settings.simulation
  }

  /// Works until the store is closed or has stopped.
  func run() {
    while !isStopping.load(ordering: .acquiring), queue.state == .running {
      // A clock that jumped too far ahead, or a failure, which the committer reports: time stands still.
      do throws(StoreError) { try tick() } catch {}
      let wait = ledger.nextTimer.duration(since: keeper.last)
      ledger.timerBell.wait(atMost: min(max(wait, .milliseconds(1)), .milliseconds(250)))
    }
  }

  /// Ends `run`.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    ledger.timerBell.ring()
  }

  /// Applies all that is due by now.
  func tick() throws(StoreError) {
    let now = try keeper.now()
    keeper.advance(to: now)
    try seen.withLock { (seen) throws(StoreError) in
      guard seen < now else { return }
      var place = Key.due(Timestamp(microseconds: seen.microseconds + 1), AccountID(0), hash: 0)
      while let accounts = try dueAccounts(from: &place, upTo: now) {
        for account in accounts { try bring(account, at: now) }
      }
      seen = now
    }
    while !ledger.tick(at: now) {
      try pause()
    }
  }

  /// Waits a moment for the committer; in a simulation, lets it work.
  private func pause() throws(StoreError) {
    try queue.check()
    if let simulation { simulation.commit() } else { ledger.timerBell.wait(atMost: .milliseconds(1)) }
  }

  /// Brings an account into memory, where its timer is then seen to.
  private func bring(_ account: AccountID, at now: Timestamp) throws(StoreError) {
    while try ledger.load(account, at: now) == .crowded {
      queue.wake()
      _ = ledger.tick(at: now)
      try pause()
    }
  }

  /// The next few accounts with a row in the table of due times up to a time; nil if there are no more.
  private func dueAccounts(from place: inout Key, upTo end: Timestamp) throws(StoreError) -> [AccountID]? {
    var accounts: [AccountID] = []
    try database.read { (transaction) throws(StoreError) in
      do throws(LMDBError) {
        var cursor = try transaction.cursor(on: database.due)
        var isMore = try cursor.seek(greaterOrEqual: place.bytes)
        while isMore, accounts.count < 1_024, cursor.key.byteCount == 32 {
          let (time, hash) = (cursor.key.keyWord(0), cursor.key.keyWord(1))
          let account = AccountID(high: cursor.key.keyWord(2), low: cursor.key.keyWord(3))
          guard time <= UInt64(end.microseconds) else { return }
          accounts.append(account)
          place = Key.due(Timestamp(microseconds: Int64(time)), account, hash: hash).next
          isMore = try cursor.next()
        }
      } catch { throw database.storeError(error) }
    }
    return accounts.isEmpty ? nil : accounts
  }
}
