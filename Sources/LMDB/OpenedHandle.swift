internal import CLMDB

// The unsafe calls of this file rely on this: the environment is live from `init` to `release()` or `deinit`, and the
// results go to local variables that outlive the call.

/// LMDB's environment while it is being opened: closed again unless it is released.
@safe struct OpenedHandle: ~Copyable {
  /// Valid until closed or released.
  private let pointer: OpaquePointer
  private var isReleased = false

  init(at directory: String, settings: Environment.Settings) throws(LMDBError) {
    var created: OpaquePointer?
    try check(unsafe mdb_env_create(&created), "mdb_env_create")
    guard let created = unsafe created else { throw LMDBError(.panic, in: "mdb_env_create") }
    do throws(LMDBError) {
      try unsafe Self.open(created, at: directory, settings: settings)
    } catch {
      // LMDB wants a handle closed even if opening it failed.
      unsafe mdb_env_close(created)
      throw error
    }
    unsafe pointer = created
  }

  deinit {
    if !isReleased { unsafe mdb_env_close(pointer) }
  }

  /// Hands the environment over to the caller, who closes it.
  consuming func release() -> OpaquePointer {
    isReleased = true
    return unsafe pointer
  }

  private static func open(
    _ handle: OpaquePointer, at directory: String, settings: Environment.Settings
  ) throws(LMDBError) {
    try check(unsafe mdb_env_set_mapsize(handle, settings.mapSize), "mdb_env_set_mapsize")
    try check(unsafe mdb_env_set_maxreaders(handle, UInt32(settings.maxReaders)), "mdb_env_set_maxreaders")
    try check(unsafe mdb_env_set_maxdbs(handle, UInt32(settings.maxTables)), "mdb_env_set_maxdbs")
    try check(
      unsafe mdb_env_open(handle, directory, UInt32(settings.flags), settings.fileMode), "mdb_env_open")
  }

  /// The size of a page in bytes.
  func pageSize() throws(LMDBError) -> Int {
    var statistics = MDB_stat()
    try check(unsafe mdb_env_stat(pointer, &statistics), "mdb_env_stat")
    return Int(statistics.ms_psize)
  }

  /// Throws if the data file lacks a page that it needs: LMDB would crash when it touches that page.
  func requireWholeFile(pageSize: Int) throws(LMDBError) {
    var information = unsafe MDB_envinfo()
    try check(unsafe mdb_env_info(pointer, &information), "mdb_env_info")
    let expected = unsafe (information.me_last_pgno + 1) * pageSize
    let actual = try fileSize()
    guard actual < expected, try !isShortByRight(pageSize: pageSize) else { return }
    throw LMDBError(.truncated(expected: expected, actual: actual), in: "mdb_env_info")
  }

  /// Whether all pages beyond the end of the file are free ones.
  private func isShortByRight(pageSize: Int) throws(LMDBError) -> Bool {
    // Another process may commit twice between the two looks at the header; it will not do so ten times in a row.
    for _ in 0..<10 {
      // While this transaction is open, no process writes the pages that it sees. It touches none but the header.
      let transaction = try unsafe TransactionHandle(in: pointer, flags: MDB_RDONLY)
      defer { transaction.abort() }
      let answer = FreeListWalk.allMissingPagesAreFree(
        in: try fileDescriptor(), pageSize: pageSize, fileSize: try fileSize(), commit: transaction.number)
      if let answer { return answer }
    }
    return false
  }

  private func fileDescriptor() throws(LMDBError) -> Int32 {
    var descriptor: Int32 = -1
    try check(unsafe mdb_env_get_fd(pointer, &descriptor), "mdb_env_get_fd")
    return descriptor
  }

  private func fileSize() throws(LMDBError) -> Int {
    try FileStatus.ofDescriptor(try fileDescriptor()).size
  }
}

extension Environment.Settings {
  /// LMDB's flags. Reader slots always belong to transactions rather than to threads (`MDB_NOTLS`).
  fileprivate var flags: Int32 {
    var flags = MDB_NOTLS
    if access == .readOnly { flags |= MDB_RDONLY }
    if readAhead == .off { flags |= MDB_NORDAHEAD }
    switch sync {
    case .full: break
    case .noMetaSync: flags |= MDB_NOMETASYNC
    case .none: flags |= MDB_NOSYNC
    }
    return flags
  }
}
