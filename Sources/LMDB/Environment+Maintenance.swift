internal import CLMDB
internal import Glibc

// The unsafe calls of this file rely on this: inside the gate the environment is open, and paths are terminated strings
// that outlive the call.

extension Environment {
  /// Makes every commit durable that is not yet; needed only without ``Settings/Sync/full``.
  public func sync() throws(LMDBError) {
    try check(unsafe entered { handle in unsafe mdb_env_sync(handle, 1) }, "mdb_env_sync")
  }

  /// Gives the store room to grow to `mapSize` bytes; never less than it uses.
  ///
  /// Throws ``LMDBError/Code/busy`` if any transaction of this process is open; those in a pool, when not in use, do
  /// not count. Better choose a map size at open that is never reached: it costs nothing.
  public func resize(mapSize: Int) throws(LMDBError) {
    precondition(mapSize > 0, "A map size must be above zero.")
    try setMapSize(mapSize)
  }

  /// Takes over the map size after another process has enlarged the store.
  ///
  /// Throws ``LMDBError/Code/busy`` as ``resize(mapSize:)`` does.
  public func adoptMapSize() throws(LMDBError) {
    try setMapSize(0)
  }

  private func setMapSize(_ size: Int) throws(LMDBError) {
    guard gate.beginResizing() else { throw LMDBError(.busy, in: "mdb_env_set_mapsize") }
    defer { gate.endResizing() }
    // The gate let us through: nobody reads the map that this replaces.
    try check(unsafe mdb_env_set_mapsize(handle, size), "mdb_env_set_mapsize")
  }

  /// Whether a copy leaves the free pages out.
  public enum Compaction: Sendable, Hashable {
    /// Page by page, as the store is.
    case none
    /// Without free pages; smaller and slower.
    case compacting
  }

  /// Copies the store as of now into a directory, which must exist and hold no store, and syncs the copy.
  ///
  /// Writers and readers go on meanwhile, but the file may grow as under a long read. It must not be called by
  /// the thread that has a write transaction open. A copy that fails is removed. Throws `other(EEXIST)` if there is
  /// a data file.
  public func copy(to directory: String, _ compaction: Compaction = .none) throws(LMDBError) {
    let path = DataFile.path(in: directory)
    // LMDB's own mdb_env_copy would make the file readable to all and leave it unsynced.
    let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, settings.fileMode)
    guard descriptor >= 0 else { throw LMDBError(rawCode: errno, in: "open") }
    do throws(LMDBError) {
      defer { _ = Glibc.close(descriptor) }
      let flags = compaction == .compacting ? UInt32(MDB_CP_COMPACT) : 0
      try check(
        unsafe entered { handle in unsafe mdb_env_copyfd2(handle, descriptor, flags) }, "mdb_env_copyfd2")
      guard fsync(descriptor) == 0 else { throw LMDBError(rawCode: errno, in: "fsync") }
      try Self.syncDirectory(directory)
    } catch {
      _ = unsafe unlink(path)
      throw error
    }
  }

  private static func syncDirectory(_ directory: String) throws(LMDBError) {
    let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError(rawCode: errno, in: "open") }
    defer { _ = Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw LMDBError(rawCode: errno, in: "fsync") }
  }
}
