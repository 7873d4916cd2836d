internal import CLMDB

/// An LMDB store: one directory with a data file and a lock file, mapped into memory.
///
/// Readers see the store as it was when they began and never wait; one writer at a time changes it. It may be used
/// from any thread. Every transaction keeps its environment alive.
///
/// The type is `Sendable` because LMDB's environment may be shared between threads, and because the gate keeps calls
/// out while the map is replaced or closed; everything else in it is constant.
@safe public final class Environment: @unchecked Sendable {
  /// LMDB's environment; used only inside the gate.
  let handle: OpaquePointer
  let gate = TransactionGate()

  /// The directory of the store, as it was given.
  public let directory: String

  /// The settings that the environment was opened with; the map may have been resized since.
  public let settings: Settings

  /// The size of a page in bytes; the same for the whole file.
  public let pageSize: Int

  /// What the process-wide list of open environments knows this one by.
  let identities: [FileIdentity]

  /// Opens the store in a directory, which must exist; creates the store's files if it may write and there are none.
  ///
  /// A crash while the first 8 KiB are being written leaves files that are refused as
  /// ``LMDBError/Code/invalidFile``: create a store in a temporary folder, then rename that.
  ///
  /// Throws ``LMDBError/Code/alreadyOpenInThisProcess``, ``LMDBError/Code/noSuchFile``,
  /// ``LMDBError/Code/truncated(expected:actual:)``, ``LMDBError/Code/invalidFile``,
  /// ``LMDBError/Code/versionMismatch``, ``LMDBError/Code/permissionDenied``. The time it takes does not depend on
  /// the size of the store.
  public static func open(
    at directory: String, settings: Settings = Settings()
  ) throws(LMDBError) -> Environment {
    try OpenEnvironments.add { (isOpen) throws(LMDBError) -> Environment in
      try DataFile.requireUsable(in: directory, access: settings.access, isOpen: isOpen)
      if settings.access == .readWrite {
        try LockFile.reserve(in: directory, readers: settings.maxReaders, mode: settings.fileMode)
      }
      return try Environment(openingAt: directory, settings: settings)
    }
  }

  private init(openingAt directory: String, settings: Settings) throws(LMDBError) {
    let handle = try OpenedHandle(at: directory, settings: settings)
    let pageSize = try handle.pageSize()
    try handle.requireWholeFile(pageSize: pageSize)
    identities = try DataFile.identities(in: directory)
    // From here on this object closes it.
    unsafe self.handle = handle.release()
    self.directory = directory
    self.settings = settings
    self.pageSize = pageSize
  }

  deinit {
    close()
  }

  /// Closes the store; does nothing the second time.
  ///
  /// Traps if a transaction is open or a ``ReaderPool`` of this environment is not closed; any other call after it
  /// traps too.
  public func close() {
    guard gate.close() else { return }
    OpenEnvironments.remove(identities) {
      // The gate let us through: nobody is inside, and nobody will be.
      unsafe mdb_env_close(handle)
    }
  }

  /// Calls `body` inside the gate.
  @inline(__always)
  func entered<Result, E: Error>(_ body: (OpaquePointer) throws(E) -> Result) throws(E) -> Result {
    gate.enter()
    defer { gate.leave() }
    // The gate is open only while the environment is.
    return try unsafe body(handle)
  }
}
