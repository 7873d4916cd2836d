internal import CLMDB

// The unsafe calls of this file rely on this: the handle is live from `init` to `deinit`, and a value that cannot be
// copied has one owner, so nobody else ends it.

/// A view of the store at one moment, which later commits do not change.
///
/// Get one from ``Environment/beginRead()`` or, faster, from ``ReaderPool/reader()``; it ends when the value goes out
/// of scope. Keep it short: as long as it is open, LMDB cannot write the pages again that it sees, and the
/// file grows. It may move between threads but must not be used by two at once.
@safe public struct ReadTransaction: Transaction, ~Copyable {
  private let environment: Environment
  private let handle: TransactionHandle
  /// The pool that takes the handle back.
  private let pool: ReaderPool?
  private var isReset = false

  /// Takes a transaction that has begun, or been renewed, inside the environment's gate.
  init(_ handle: TransactionHandle, in environment: Environment, pool: ReaderPool? = nil) {
    self.environment = environment
    self.handle = handle
    self.pool = pool
  }

  deinit {
    if let pool {
      if !isReset { unsafe mdb_txn_reset(handle.pointer) }
      pool.takeBack(handle)
    } else {
      handle.abort()
    }
    if isReset { environment.gate.unpark() } else { environment.gate.leave() }
  }

  /// Lets go of the view but keeps the reader slot; until ``renew()``, every reading call traps.
  public mutating func reset() {
    guard !isReset else { return }
    unsafe mdb_txn_reset(handle.pointer)
    isReset = true
    environment.gate.park()
    environment.gate.leave()
  }

  /// Takes a view of the latest commit; if it had one, lets go of that first.
  public mutating func renew() throws(LMDBError) {
    reset()
    environment.gate.enter()
    do throws(LMDBError) {
      try check(unsafe mdb_txn_renew(handle.pointer), "mdb_txn_renew")
    } catch {
      environment.gate.leave()
      throw error
    }
    environment.gate.unpark()
    isReset = false
  }

  /// The number of the commit that the transaction sees.
  public var number: UInt64 { handle.number }

  /// The value of a key in a table of integers; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  public func get(_ key: UInt64, from table: Table) throws(LMDBError) -> RawSpan? {
    requireView()
    table.require(.integers)
    let found = try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.get(key, from: table)
    }
    guard let found = unsafe found else { return nil }
    // The map's bytes stay as they are until the transaction is reset or ends.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: found), borrowing: self)
  }

  /// The value of a key in a table of bytes; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  public func get(_ key: RawSpan, from table: Table) throws(LMDBError) -> RawSpan? {
    requireView()
    table.require(.bytes)
    let found = try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.get(key, from: table)
    }
    guard let found = unsafe found else { return nil }
    // As above.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: found), borrowing: self)
  }

  /// A cursor that reads the table, on no entry yet.
  @_lifetime(borrow self)
  public func cursor(on table: Table) throws(LMDBError) -> Cursor<Reading> {
    requireView()
    let cursor = Cursor<Reading>(try CursorHandle(in: handle, table: table))
    // A cursor is valid as long as its transaction.
    return unsafe _overrideLifetime(cursor, borrowing: self)
  }

  /// How large a table is. O(1).
  public func statistics(of table: Table) throws(LMDBError) -> Table.Statistics {
    requireView()
    return try handle.statistics(of: table)
  }

  /// The number of pages in the file that are free to be written again. O(free pages / 500).
  public func freePages() throws(LMDBError) -> Int {
    requireView()
    return try handle.freePages()
  }

  private func requireView() {
    precondition(!isReset, "A ReadTransaction was used while it was reset.")
  }
}
