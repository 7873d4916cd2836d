internal import CLMDB

// The unsafe calls of this file rely on this: the handle is live as long as `self`, and LMDB copies keys and values but
// keeps none of their addresses.

extension WriteTransaction {
  /// Stores a value under a key, in place of what was there. O(log n), copies the value once, no allocation.
  public mutating func put(
    _ value: RawSpan, for key: UInt64, in table: Table
  ) throws(LMDBError) {
    table.require(.integers)
    try note(unsafe withCValue(of: key) { key in unsafe put(value, key, table, 0) }, "mdb_put")
  }

  /// Stores a value under a key, in place of what was there. O(log n), copies the value once, no allocation.
  public mutating func put(
    _ value: RawSpan, for key: RawSpan, in table: Table
  ) throws(LMDBError) {
    table.require(.bytes)
    try note(unsafe withCValue(of: key) { key in unsafe put(value, key, table, 0) }, "mdb_put")
  }

  /// Stores a value under a key above all others, without a search; fills pages to the brim.
  ///
  /// Throws ``LMDBError/Code/keyExists`` if the table has that key or a higher one.
  public mutating func append(
    _ value: RawSpan, for key: UInt64, to table: Table
  ) throws(LMDBError) {
    table.require(.integers)
    try note(unsafe withCValue(of: key) { key in unsafe put(value, key, table, MDB_APPEND) }, "mdb_put")
  }

  /// Stores a value under a key above all others, without a search; fills pages to the brim.
  ///
  /// Throws ``LMDBError/Code/keyExists`` if the table has that key or a higher one.
  public mutating func append(
    _ value: RawSpan, for key: RawSpan, to table: Table
  ) throws(LMDBError) {
    table.require(.bytes)
    try note(unsafe withCValue(of: key) { key in unsafe put(value, key, table, MDB_APPEND) }, "mdb_put")
  }

  /// Where a reserved value goes.
  public enum Placement: Sendable {
    /// Wherever its key belongs, in place of what was there.
    case anywhere
    /// After all others, as ``append(_:for:to:)-(_,UInt64,_)`` does.
    case atEnd
  }

  /// Stores a value of `size` bytes that `fill` writes straight into the page.
  ///
  /// The bytes hold anything at first, so `fill` must write every one. O(log n), no copy, no allocation.
  public mutating func reserve(
    _ size: Int, for key: UInt64, in table: Table, placed placement: Placement = .anywhere,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(LMDBError) {
    table.require(.integers)
    try note(
      unsafe withCValue(of: key) { key in unsafe reserve(size, key, table, placement, fill) }, "mdb_put")
  }

  /// Stores a value of `size` bytes that `fill` writes straight into the page.
  ///
  /// The bytes hold anything at first, so `fill` must write every one. O(log n), no copy, no allocation.
  public mutating func reserve(
    _ size: Int, for key: RawSpan, in table: Table, placed placement: Placement = .anywhere,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(LMDBError) {
    table.require(.bytes)
    try note(
      unsafe withCValue(of: key) { key in unsafe reserve(size, key, table, placement, fill) }, "mdb_put")
  }

  /// Deletes an entry; false if there was none. O(log n).
  @discardableResult
  public mutating func delete(_ key: UInt64, from table: Table) throws(LMDBError) -> Bool {
    table.require(.integers)
    return try noteDeletion(unsafe withCValue(of: key) { key in unsafe delete(key, table) })
  }

  /// Deletes an entry; false if there was none. O(log n).
  @discardableResult
  public mutating func delete(_ key: RawSpan, from table: Table) throws(LMDBError) -> Bool {
    table.require(.bytes)
    return try noteDeletion(unsafe withCValue(of: key) { key in unsafe delete(key, table) })
  }

  /// Deletes every entry of a table. O(pages).
  public mutating func removeAll(from table: Table) throws(LMDBError) {
    try note(unsafe mdb_drop(handle.pointer, table.identifier, 0), "mdb_drop")
  }
}

extension WriteTransaction {
  @inline(__always)
  private func put(
    _ value: RawSpan, _ key: UnsafeMutablePointer<MDB_val>, _ table: Table, _ flags: Int32
  ) -> Int32 {
    unsafe withCValue(of: value) { value in
      unsafe mdb_put(handle.pointer, table.identifier, key, value, UInt32(flags))
    }
  }

  @inline(__always)
  private func delete(_ key: UnsafeMutablePointer<MDB_val>, _ table: Table) -> Int32 {
    unsafe mdb_del(handle.pointer, table.identifier, key, nil)
  }

  @inline(__always)
  private func reserve(
    _ size: Int, _ key: UnsafeMutablePointer<MDB_val>, _ table: Table, _ placement: Placement,
    _ fill: (inout MutableRawSpan) -> Void
  ) -> Int32 {
    precondition(size >= 0, "A value of negative size was reserved.")
    let flags = placement == .atEnd ? MDB_RESERVE | MDB_APPEND : MDB_RESERVE
    var value = unsafe MDB_val(mv_size: size, mv_data: nil)
    let code = unsafe mdb_put(handle.pointer, table.identifier, key, &value, UInt32(flags))
    guard code == MDB_SUCCESS else { return code }
    // LMDB has set the address to `size` bytes of a page of this transaction, ours until the next call.
    var bytes = unsafe MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: value.mv_data, count: size))
    fill(&bytes)
    return code
  }

  /// Throws the error that a code stands for, and keeps it if it is the transaction's first.
  @inline(__always)
  private func note(_ code: Int32, _ operation: StaticString) throws(LMDBError) {
    guard code != MDB_SUCCESS else { return }
    let error = LMDBError(rawCode: code, in: operation)
    failures.note(error)
    throw error
  }

  @inline(__always)
  private func noteDeletion(_ code: Int32) throws(LMDBError) -> Bool {
    if code == MDB_NOTFOUND { return false }
    try note(code, "mdb_del")
    return true
  }
}
