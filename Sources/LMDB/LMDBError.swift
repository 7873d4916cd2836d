/// What went wrong in a call to LMDB, and in which call.
///
/// Every throwing function of this module throws this type and no other. Compare ``code`` to decide what to
/// do; print the error to tell a person what happened.
public struct LMDBError: Error, Equatable, Sendable {
  /// The kind of failure.
  public let code: Code

  /// The name of the call that failed, such as `mdb_put`.
  public let operation: String

  /// The return code of the call: an LMDB code (negative), an `errno` (positive), or 0 if this module found the
  /// failure itself.
  public let rawCode: Int32

  /// The kinds of failure, one for each thing that a caller may want to treat differently.
  public enum Code: Equatable, Sendable {
    /// The map is full: the store has reached ``Environment/Settings/mapSize``.
    case mapFull
    /// Every reader slot is taken, or the pool's share of them.
    case readersFull
    /// Every table slot is taken: ``Environment/Settings/maxTables`` is too small.
    case tablesFull
    /// The transaction has changed more pages than one transaction can hold.
    case transactionFull
    /// The entry does not exist (reading functions return `nil` instead).
    case notFound
    /// The file is not an LMDB data file.
    case invalidFile
    /// A page of the file is damaged.
    case corrupted
    /// A page that another one points to does not exist: the file is damaged.
    case pageNotFound
    /// A write of the meta page failed; the environment must be closed and opened again.
    case panic
    /// The file was written by another version of LMDB's file format.
    case versionMismatch
    /// Another process has enlarged the map; call ``Environment/adoptMapSize()``.
    case mapResized
    /// The table exists with another kind of key.
    case incompatible
    /// The transaction has failed before, has been reset, or has ended.
    case badTransaction
    /// The table handle does not belong to this environment.
    case badTable
    /// The key exists already; for an append: it is not above the table's last key.
    case keyExists
    /// The key is empty or longer than 511 bytes, or the value is too long.
    case badValueSize
    /// The file system does not let this process read or write the file.
    case permissionDenied
    /// The disk, or the quota, is full.
    case noSpace
    /// The device reported an error, or took only a part of a write (which is how a full disk may show).
    case inputOutput
    /// The directory or the data file does not exist.
    case noSuchFile
    /// The file, or the environment, is in use.
    case busy
    /// This process has the environment open already; opening it twice would lose LMDB's locks.
    case alreadyOpenInThisProcess
    /// The data file is shorter than its own header says: sizes in bytes.
    case truncated(expected: Int, actual: Int)
    /// A read-only environment lacks the named table.
    case missingTable(String)
    /// Any other code.
    case other(Int32)
  }

  init(_ code: Code, in operation: StaticString, rawCode: Int32 = 0) {
    self.code = code
    self.operation = operation.description
    self.rawCode = rawCode
  }
}
