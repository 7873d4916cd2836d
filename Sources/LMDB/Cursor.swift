internal import CLMDB

// The unsafe calls of this file rely on this: the compiler ends a cursor before its transaction, so the handle is live
// from `init` to `deinit`.

/// The access of a cursor that only reads.
public enum Reading {}

/// The access of a cursor that can also delete.
public enum Writing {}

/// A place in a table, from which to step to the neighbours.
///
/// A new cursor is on no entry; ``next()`` then goes to the first and ``previous()`` to the last. A movement that
/// finds nothing returns false and leaves the cursor on no entry. Each movement costs O(1) on average, each seek
/// O(log n). The compiler ends a cursor before its transaction.
///
///     var cursor = try transaction.cursor(on: journal)
///     while try cursor.next() {
///       print(cursor.integerKey, cursor.value.byteCount)
///     }
@safe public struct Cursor<Access>: ~Copyable, ~Escapable {
  private var handle: CursorHandle
  /// Where a failed deletion is noted, so that the transaction cannot commit.
  private let failures: FirstFailure?

  @_lifetime(immortal)
  init(_ handle: CursorHandle, failures: FirstFailure? = nil) {
    self.handle = handle
    self.failures = failures
  }

  deinit {
    handle.close()
  }

  /// Goes to the first entry; false if the table is empty.
  public mutating func first() throws(LMDBError) -> Bool { try handle.move(MDB_FIRST) }

  /// Goes to the last entry; false if the table is empty.
  public mutating func last() throws(LMDBError) -> Bool { try handle.move(MDB_LAST) }

  /// Goes to the entry after this one; false at the end.
  public mutating func next() throws(LMDBError) -> Bool { try handle.move(MDB_NEXT) }

  /// Goes to the entry before this one; false at the start.
  public mutating func previous() throws(LMDBError) -> Bool { try handle.move(MDB_PREV) }

  /// Goes to the first entry whose key is `key` or above; false if there is none.
  public mutating func seek(greaterOrEqual key: UInt64) throws(LMDBError) -> Bool {
    require(.integers)
    return try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.seek(greaterOrEqual: key)
    }
  }

  /// Goes to the first entry whose key is `key` or above; false if there is none.
  public mutating func seek(greaterOrEqual key: RawSpan) throws(LMDBError) -> Bool {
    require(.bytes)
    return try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.seek(greaterOrEqual: key)
    }
  }

  /// Goes to the last entry whose key is `key` or below; false if there is none.
  public mutating func seek(lessOrEqual key: UInt64) throws(LMDBError) -> Bool {
    require(.integers)
    return try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.seek(lessOrEqual: key)
    }
  }

  /// Goes to the last entry whose key is `key` or below; false if there is none.
  public mutating func seek(lessOrEqual key: RawSpan) throws(LMDBError) -> Bool {
    require(.bytes)
    return try unsafe withCValue(of: key) { key throws(LMDBError) in
      try unsafe handle.seek(lessOrEqual: key)
    }
  }

  /// Whether the cursor is on an entry.
  public var isOnEntry: Bool { handle.isOnEntry }

  /// The current entry's key as a number; traps if the cursor is on no entry or the keys are bytes.
  public var integerKey: UInt64 {
    require(.integers)
    // A key lies in the map at an even address only, hence unaligned.
    return unsafe entry(handle.key).loadUnaligned(as: UInt64.self)
  }

  /// The current entry's key as bytes; traps if the cursor is on no entry.
  public var key: RawSpan {
    @_lifetime(borrow self)
    get {
      // The bytes stay until the cursor moves or deletes, which needs exclusive access to the cursor.
      unsafe _overrideLifetime(RawSpan(_unsafeBytes: entry(handle.key)), borrowing: self)
    }
  }

  /// The current entry's value; traps if the cursor is on no entry.
  public var value: RawSpan {
    @_lifetime(borrow self)
    get {
      // As for the key.
      unsafe _overrideLifetime(RawSpan(_unsafeBytes: entry(handle.value)), borrowing: self)
    }
  }

  private func entry(_ value: MDB_val) -> UnsafeRawBufferPointer {
    precondition(handle.isOnEntry, "A cursor that is on no entry was asked for it.")
    return unsafe value.bytes
  }

  private func require(_ keys: Table.Keys) {
    precondition(handle.keys == keys, "A cursor was used with the other kind of key.")
  }
}

extension Cursor where Access == Writing {
  /// Deletes the current entry and leaves the cursor on none; ``next()`` then goes to the entry that followed it,
  /// ``previous()`` to the one before it.
  ///
  /// If it fails, the transaction can no longer be committed. O(log n).
  public mutating func delete() throws(LMDBError) {
    do throws(LMDBError) {
      try handle.delete()
    } catch {
      failures?.note(error)
      throw error
    }
  }
}
