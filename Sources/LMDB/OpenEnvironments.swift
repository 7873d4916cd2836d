/// The environments that this process has open.
///
/// LMDB's locks belong to the process: if it opened one environment twice, closing one would drop the locks of the
/// other, and two writers could destroy the store. So each open environment's directory and data file are
/// listed here, and the list is locked while one is opened or closed.
enum OpenEnvironments {
  private static let identities = Locked<Set<FileIdentity>>([])

  /// Opens an environment and lists it; `open` is given a test for what is listed already.
  static func add(
    _ open: ((FileIdentity) -> Bool) throws(LMDBError) -> Environment
  ) throws(LMDBError) -> Environment {
    try identities.withLock { (identities) throws(LMDBError) -> Environment in
      let known = identities
      let environment = try open { known.contains($0) }
      identities.formUnion(environment.identities)
      return environment
    }
  }

  /// Closes an environment and takes it off the list.
  static func remove(_ closed: [FileIdentity], _ close: () -> Void) {
    identities.withLock { identities in
      close()
      identities.subtract(closed)
    }
  }
}
