internal import CLMDB

// The unsafe calls of this file rely on this: inside the gate the environment is open, and the results go to local
// variables that outlive the call.

extension Environment {
  /// The state of an environment at one moment.
  public struct Information: Sendable, Hashable {
    /// The size that the store may grow to, in bytes.
    public let mapSize: Int
    /// The number of the last page in use; pages count from 0.
    public let lastPage: Int
    /// The number of the last commit.
    public let lastTransaction: UInt64
    /// The most reader slots that have been taken at once since the lock file was made.
    public let readers: Int
    /// The number of reader slots.
    public let maxReaders: Int
  }

  /// The state of the environment now. O(1).
  public var information: Information {
    var answer = unsafe MDB_envinfo()
    // It can only fail without an environment.
    _ = unsafe entered { handle in unsafe mdb_env_info(handle, &answer) }
    return unsafe Information(
      mapSize: answer.me_mapsize, lastPage: answer.me_last_pgno,
      lastTransaction: UInt64(answer.me_last_txnid), readers: Int(answer.me_numreaders),
      maxReaders: Int(answer.me_maxreaders))
  }

  /// The descriptor of the data file, to ask for its size; never write, lock or close it.
  public var dataFileDescriptor: Int32 {
    var descriptor: Int32 = -1
    // It can only fail without an environment.
    _ = unsafe entered { handle in unsafe mdb_env_get_fd(handle, &descriptor) }
    return descriptor
  }

  /// The size of the data file in bytes.
  public func dataFileSize() throws(LMDBError) -> Int {
    try FileStatus.ofDescriptor(dataFileDescriptor).size
  }

  /// Frees the reader slots of processes that died, and returns how many there were.
  ///
  /// A dead reader keeps the pages that it saw from being written again, so call this at open and from time to time.
  @discardableResult
  public func clearStaleReaders() throws(LMDBError) -> Int {
    var dead: Int32 = 0
    try check(unsafe entered { handle in unsafe mdb_reader_check(handle, &dead) }, "mdb_reader_check")
    return Int(dead)
  }
}
