internal import CLMDB

// The unsafe calls of this file rely on this: the transaction that holds the handle has not ended, its environment is
// open, and LMDB keeps none of the addresses of keys and values that it is given.

/// The reading calls that both kinds of transaction share.
///
/// It owns nothing: the transaction that holds it decides when the pointer dies.
@safe struct TransactionHandle {
  /// Valid as long as the transaction that holds this handle has not ended.
  let pointer: OpaquePointer

  /// Starts a transaction in an environment that the caller has entered.
  init(in environment: OpaquePointer, flags: Int32) throws(LMDBError) {
    var pointer: OpaquePointer?
    try check(unsafe mdb_txn_begin(environment, nil, UInt32(flags), &pointer), "mdb_txn_begin")
    guard let pointer = unsafe pointer else { throw LMDBError(.badTransaction, in: "mdb_txn_begin") }
    unsafe self.pointer = pointer
  }

  /// The number of the commit that the transaction sees, or (for a writing one) is about to make.
  var number: UInt64 {
    UInt64(unsafe mdb_txn_id(pointer))
  }

  /// Looks up a key; `nil` if the table does not have it.
  @inline(__always)
  func get(
    _ key: UnsafeMutablePointer<MDB_val>, from table: Table
  ) throws(LMDBError) -> UnsafeRawBufferPointer? {
    var value = unsafe MDB_val()
    let code = unsafe mdb_get(pointer, table.identifier, key, &value)
    if code == MDB_NOTFOUND { return nil }
    try check(code, "mdb_get")
    return unsafe value.bytes
  }

  func statistics(of table: Table) throws(LMDBError) -> Table.Statistics {
    var answer = MDB_stat()
    try check(unsafe mdb_stat(pointer, table.identifier, &answer), "mdb_stat")
    return Table.Statistics(
      entries: answer.ms_entries, depth: Int(answer.ms_depth), branchPages: answer.ms_branch_pages,
      leafPages: answer.ms_leaf_pages, overflowPages: answer.ms_overflow_pages)
  }

  /// Counts the free pages: each entry of LMDB's own table 0 is a list of pages, its length first.
  func freePages() throws(LMDBError) -> Int {
    var cursor = try CursorHandle(in: self, table: Table(identifier: 0, keys: .integers))
    defer { cursor.close() }
    var count = 0
    while try cursor.move(MDB_NEXT) {
      count += unsafe cursor.value.bytes.loadUnaligned(as: Int.self)
    }
    return count
  }

  func abort() {
    unsafe mdb_txn_abort(pointer)
  }
}

extension Table {
  /// Traps if the caller's key is of the other kind: LMDB would compare garbage.
  @inline(__always)
  func require(_ keys: Keys) {
    precondition(self.keys == keys, "A table was used with the other kind of key.")
  }
}
