internal import CLMDB

// The unsafe calls of this file rely on this: the cursor is open until `close()`, its owner calls that once and last,
// and LMDB keeps none of the addresses of keys and values that it is given.

/// A cursor of LMDB with the entry it is on.
///
/// It owns nothing; whoever makes it calls ``close()`` before the transaction ends.
@safe struct CursorHandle {
  private let pointer: OpaquePointer
  let keys: Table.Keys

  /// The current entry; its bytes lie in LMDB's map and are valid while ``isOnEntry`` holds.
  private(set) var key = unsafe MDB_val()
  private(set) var value = unsafe MDB_val()
  private(set) var isOnEntry = false

  init(in transaction: TransactionHandle, table: Table) throws(LMDBError) {
    var pointer: OpaquePointer?
    try check(
      unsafe mdb_cursor_open(transaction.pointer, table.identifier, &pointer), "mdb_cursor_open")
    guard let pointer = unsafe pointer else { throw LMDBError(.badTransaction, in: "mdb_cursor_open") }
    unsafe self.pointer = pointer
    keys = table.keys
  }

  func close() {
    unsafe mdb_cursor_close(pointer)
  }

  /// Moves as told; false, and on no entry, if there is none in that direction.
  @inline(__always)
  mutating func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
    let code = unsafe mdb_cursor_get(pointer, &key, &value, operation)
    isOnEntry = code == MDB_SUCCESS
    if code == MDB_NOTFOUND { return false }
    try check(code, "mdb_cursor_get")
    return true
  }

  mutating func seek(
    greaterOrEqual target: UnsafeMutablePointer<MDB_val>
  ) throws(LMDBError) -> Bool {
    unsafe key = target.pointee
    return try move(MDB_SET_RANGE)
  }

  mutating func seek(
    lessOrEqual target: UnsafeMutablePointer<MDB_val>
  ) throws(LMDBError) -> Bool {
    guard try unsafe seek(greaterOrEqual: target) else { return try move(MDB_LAST) }
    let isEqual =
      unsafe mdb_cmp(mdb_cursor_txn(pointer), mdb_cursor_dbi(pointer), target, &key) == 0
    return isEqual ? true : try move(MDB_PREV)
  }

  mutating func delete() throws(LMDBError) {
    precondition(isOnEntry, "A cursor that is on no entry was asked to delete it.")
    isOnEntry = false
    try check(unsafe mdb_cursor_del(pointer, 0), "mdb_cursor_del")
  }
}
