internal import CLMDB

// The unsafe calls of this file rely on this: the handle is live from `init` to `commit()` or `deinit`, and a value
// that cannot be copied has one owner, so nobody else ends it.

/// A set of changes that become durable and visible together, or not at all.
///
/// ``commit()`` ends it; otherwise its end of scope undoes it. There is one at a time: a second one waits, also in
/// other processes, so a thread that begins a second one before ending its first waits for ever. It must end on the
/// thread that began it, so do not `await` while one is open.
///
/// After a change has failed, ``commit()`` undoes everything and throws that first error.
@safe public struct WriteTransaction: Transaction, ~Copyable {
  let environment: Environment
  let handle: TransactionHandle
  let failures = FirstFailure()
  private var isEnded = false

  /// Takes a transaction that has begun inside the environment's gate.
  init(_ handle: TransactionHandle, in environment: Environment) {
    self.environment = environment
    self.handle = handle
  }

  deinit {
    if !isEnded { handle.abort() }
    environment.gate.leave()
  }

  /// Makes the changes durable (as the environment's ``Environment/Settings/Sync`` says) and visible.
  ///
  /// If it throws, nothing has changed; after ``LMDBError/Code/panic``, or a failed sync, close the environment and
  /// open it again.
  public consuming func commit() throws(LMDBError) {
    if let error = failures.error { throw error }
    isEnded = true
    try check(unsafe mdb_txn_commit(handle.pointer), "mdb_txn_commit")
  }

  /// Undoes the changes; the same as leaving the scope, said aloud.
  public consuming func abort() {}

  /// The number that the commit will have.
  public var number: UInt64 { handle.number }

  /// The value of a key in a table of integers; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  public func get(_ key: UInt64, from table: Table) throws(LMDBError) -> RawSpan? {
    table.require(.integers)
    let found = try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.get(key, from: table)
    }
    guard let found = unsafe found else { return nil }
    // The bytes stay until the next change, and changes need exclusive access to the transaction.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: found), borrowing: self)
  }

  /// The value of a key in a table of bytes; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  public func get(_ key: RawSpan, from table: Table) throws(LMDBError) -> RawSpan? {
    table.require(.bytes)
    let found = try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.get(key, from: table)
    }
    guard let found = unsafe found else { return nil }
    // As above.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: found), borrowing: self)
  }

  /// A cursor that reads the table, on no entry yet; while it lives, nothing can be changed.
  @_lifetime(borrow self)
  public func cursor(on table: Table) throws(LMDBError) -> Cursor<Reading> {
    let cursor = Cursor<Reading>(try CursorHandle(in: handle, table: table))
    // A cursor is valid as long as its transaction.
    return unsafe _overrideLifetime(cursor, borrowing: self)
  }

  /// A cursor that can delete, on no entry yet; while it lives, nothing can be changed but through it.
  @_lifetime(&self)
  public mutating func writingCursor(on table: Table) throws(LMDBError) -> Cursor<Writing> {
    let cursor = Cursor<Writing>(try CursorHandle(in: handle, table: table), failures: failures)
    // As above.
    return unsafe _overrideLifetime(cursor, mutating: &self)
  }

  /// How large a table is, with this transaction's changes. O(1).
  public func statistics(of table: Table) throws(LMDBError) -> Table.Statistics {
    try handle.statistics(of: table)
  }
}
