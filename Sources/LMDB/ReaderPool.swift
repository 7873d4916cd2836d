internal import CLMDB

/// Read transactions kept ready, so that a read costs neither an allocation nor a search for a reader slot.
///
/// It grows on demand to half of the environment's reader slots and keeps some of them when they are not in use. It may
/// be used from any thread. Close it before its environment.
///
///     let reader = try pool.reader()
///     let image = try reader.get(key, from: accounts)
public final class ReaderPool: Sendable {
  private let environment: Environment
  private let limit: Int
  private let kept: Int
  private let state: Locked<State>

  private struct State: Sendable {
    var idle: [IdleReader] = []
    var inUse = 0
    var isClosed = false
  }

  /// A reset transaction that nobody uses; `Sendable` because with `MDB_NOTLS` it may move between threads.
  private struct IdleReader: @unchecked Sendable {
    let handle: TransactionHandle
  }

  /// Makes an empty pool that keeps up to `kept` transactions ready.
  public init(environment: Environment, keeping kept: Int = 8) {
    self.environment = environment
    self.limit = max(1, environment.information.maxReaders / 2)
    self.kept = min(kept, limit)
    state = Locked(State())
  }

  deinit {
    close()
  }

  /// Hands out a transaction that reads the latest commit; it comes back when it goes out of scope.
  ///
  /// Throws ``LMDBError/Code/readersFull`` if half of the environment's reader slots are in use through this pool.
  /// Traps after ``close()``.
  public func reader() throws(LMDBError) -> ReadTransaction {
    let idle = try state.withLock { (state) throws(LMDBError) -> IdleReader? in
      precondition(!state.isClosed, "A ReaderPool was used after it was closed.")
      guard state.inUse < limit else { throw LMDBError(.readersFull, in: "ReaderPool.reader") }
      state.inUse += 1
      return state.idle.popLast()
    }
    do throws(LMDBError) {
      guard let idle else {
        return ReadTransaction(try environment.begin(MDB_RDONLY), in: environment, pool: self)
      }
      return ReadTransaction(try renewed(idle), in: environment, pool: self)
    } catch {
      state.withLock { $0.inUse -= 1 }
      throw error
    }
  }

  /// Calls `body` with a transaction that reads the latest commit.
  public func withReader<Result: ~Copyable>(
    _ body: (borrowing ReadTransaction) throws(LMDBError) -> Result
  ) throws(LMDBError) -> Result {
    try body(try reader())
  }

  /// Calls `body`, which throws errors of its own, with a transaction that reads the latest commit; a failure of the
  /// pool is thrown as what `failure` makes of it.
  public func withReader<Result: ~Copyable, Failure: Error>(
    orThrow failure: (LMDBError) -> Failure,
    _ body: (borrowing ReadTransaction) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let transaction: ReadTransaction
    do throws(LMDBError) { transaction = try reader() } catch { throw failure(error) }
    return try body(transaction)
  }

  /// Gives the kept transactions back; those in use end as usual. Does nothing the second time.
  public func close() {
    let idle = state.withLock { state in
      state.isClosed = true
      defer { state.idle = [] }
      return state.idle
    }
    for reader in idle { discard(reader) }
  }

  /// Takes back a transaction that has been reset.
  func takeBack(_ handle: TransactionHandle) {
    let reader = IdleReader(handle: handle)
    environment.gate.park()
    let isKept = state.withLock { state in
      state.inUse -= 1
      guard !state.isClosed, state.idle.count < kept else { return false }
      state.idle.append(reader)
      return true
    }
    if !isKept { discard(reader) }
  }

  private func discard(_ reader: IdleReader) {
    reader.handle.abort()
    environment.gate.unpark()
  }

  private func renewed(_ idle: IdleReader) throws(LMDBError) -> TransactionHandle {
    environment.gate.enter()
    do throws(LMDBError) {
      // An idle reader is live, and we took it off the list: nobody else has it.
      try check(unsafe mdb_txn_renew(idle.handle.pointer), "mdb_txn_renew")
    } catch {
      environment.gate.leave()
      discard(idle)
      throw error
    }
    environment.gate.unpark()
    return idle.handle
  }
}
