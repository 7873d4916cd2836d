internal import CLMDB

extension LMDBError: CustomStringConvertible {
  /// What happened, in words, and the call that said so.
  public var description: String {
    rawCode == 0 ? "\(reason) (\(operation))" : "\(reason) (\(operation) returned \(rawCode))"
  }

  private var reason: String {
    switch code {
    case .mapFull: "The store is full: it has reached its map size. Open it with a larger one."
    case .readersFull: "Too many transactions read at once. Raise the number of readers, or end some."
    case .tablesFull: "Too many tables are open. Raise the number of tables."
    case .transactionFull: "The transaction changed too many pages. Split it."
    case .notFound: "The entry does not exist."
    case .invalidFile: "The file is not an LMDB data file."
    case .corrupted: "The data file is damaged. Restore it from a copy."
    case .pageNotFound: "The data file is damaged: a page is missing. Restore it from a copy."
    case .panic: "A write to the data file's header failed. Close the store and open it again."
    case .versionMismatch: "The file was written by another version of LMDB."
    case .mapResized: "Another process has enlarged the store. Adopt its map size."
    case .incompatible: "The table exists with another kind of key."
    case .badTransaction: "The transaction has failed or ended before and cannot go on."
    case .badTable: "The table does not belong to this store."
    case .keyExists: "The key exists already, or is not above the last one."
    case .badValueSize: "The key or the value has a size that LMDB cannot store."
    case .permissionDenied: "This process may not use the file. Check its owner and mode."
    case .noSpace: "The disk or the quota is full."
    case .inputOutput: "The device failed, or took only a part of a write; the disk may be full."
    case .noSuchFile: "The directory or the data file does not exist."
    case .busy: "The store is in use by another transaction or process."
    case .alreadyOpenInThisProcess: "This process has the store open already. Use that one."
    case .truncated(let expected, let actual):
      "The data file is cut short: \(actual) bytes instead of \(expected). Restore it from a copy."
    case .missingTable(let name): "The store has no table named \(name)."
    case .other(let code): Self.libraryMessage(code)
    }
  }

  /// LMDB's own words for a code.
  private static func libraryMessage(_ code: Int32) -> String {
    // Never null: LMDB hands codes that it does not know to strerror, which always answers.
    unsafe String(cString: mdb_strerror(code))
  }
}
