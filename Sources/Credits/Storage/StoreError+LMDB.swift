internal import Glibc
internal import LMDB

extension StoreError {
  /// The store's error for a failure of the storage below.
  init(_ error: LMDBError, at path: String) {
    self =
      switch error.code {
      case .mapFull: .mapFull(path: path)
      case .noSpace: .diskFull(path: path)
      // A write that was cut short by the end of the disk is reported as a failure of the device.
      case .inputOutput where StoreError.isFull(path): .diskFull(path: path)
      case .permissionDenied: .permissionDenied(path: path)
      case .noSuchFile: .notFound(path: path)
      case .invalidFile:
        .notAStore(path: path, reason: "the data file is not one of LMDB, or is damaged at its beginning")
      case .versionMismatch: .notAStore(path: path, reason: "the data file is of another version of LMDB")
      case .missingTable(let name): .notAStore(path: path, reason: "it has no table \(name)")
      case .truncated(let expected, let actual):
        .corrupt(
          what: "the data file", at: .none, reason: "it has \(actual) bytes of at least \(expected): it was cut off")
      case .corrupted, .pageNotFound:
        .corrupt(what: "a page of the data file", at: .none, reason: error.description)
      case .alreadyOpenInThisProcess: .locked(path: path, holder: StoreFolder.processID)
      default: .inputOutput(path: path, reason: error.description)
      }
  }

  private static func isFull(_ path: String) -> Bool {
    var disk = statvfs()
    return unsafe statvfs(path, &disk) == 0 && disk.f_bavail == 0
  }
}
