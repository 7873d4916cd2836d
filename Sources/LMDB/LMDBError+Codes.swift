internal import CLMDB
internal import Glibc

/// Throws the error that a return code stands for; the only place where a return code becomes an error.
@inline(__always)
func check(_ code: Int32, _ operation: StaticString) throws(LMDBError) {
  guard code == MDB_SUCCESS else { throw LMDBError(rawCode: code, in: operation) }
}

extension LMDBError {
  /// Makes the error for a code that LMDB returned.
  @inline(never)
  init(rawCode: Int32, in operation: StaticString) {
    let code = rawCode < 0 ? Self.code(ofLibrary: rawCode) : Self.code(ofSystem: rawCode)
    self.init(code, in: operation, rawCode: rawCode)
  }

  private static func code(ofLibrary rawCode: Int32) -> Code {
    switch rawCode {
    case MDB_KEYEXIST: .keyExists
    case MDB_NOTFOUND: .notFound
    case MDB_PAGE_NOTFOUND: .pageNotFound
    case MDB_CORRUPTED: .corrupted
    case MDB_PANIC: .panic
    case MDB_VERSION_MISMATCH: .versionMismatch
    case MDB_INVALID: .invalidFile
    case MDB_MAP_FULL: .mapFull
    case MDB_DBS_FULL: .tablesFull
    case MDB_READERS_FULL: .readersFull
    case MDB_TXN_FULL: .transactionFull
    case MDB_MAP_RESIZED: .mapResized
    case MDB_INCOMPATIBLE: .incompatible
    case MDB_BAD_TXN: .badTransaction
    case MDB_BAD_VALSIZE: .badValueSize
    case MDB_BAD_DBI: .badTable
    default: .other(rawCode)
    }
  }

  private static func code(ofSystem rawCode: Int32) -> Code {
    switch rawCode {
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOSPC, EDQUOT: .noSpace
    case EIO: .inputOutput
    case ENOENT, ENOTDIR: .noSuchFile
    case EBUSY, EAGAIN: .busy
    default: .other(rawCode)
    }
  }
}
