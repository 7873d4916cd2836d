internal import Glibc

// The unsafe calls of this file rely on this: a path is a terminated string and the result a local variable, and both
// outlive the call.

/// A file's identity, which is the same whatever path leads to it.
struct FileIdentity: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
}

/// What the file system says about a file.
struct FileStatus {
  let identity: FileIdentity
  /// In bytes.
  let size: Int

  /// Asks about a path; `nil` if nothing is there.
  static func ofPath(_ path: String) throws(LMDBError) -> FileStatus? {
    var status = stat()
    if unsafe stat(path, &status) == 0 { return FileStatus(status) }
    let error = errno
    if error == ENOENT { return nil }
    throw LMDBError(rawCode: error, in: "stat")
  }

  /// Asks about an open file.
  static func ofDescriptor(_ descriptor: Int32) throws(LMDBError) -> FileStatus {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw LMDBError(rawCode: errno, in: "fstat") }
    return FileStatus(status)
  }

  /// The page size of the machine in bytes, which LMDB takes for a new store.
  static var systemPageSize: Int { sysconf(Int32(_SC_PAGESIZE)) }

  private init(_ status: stat) {
    identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    size = Int(status.st_size)
  }
}
