internal import Glibc

/// LMDB's lock file, as far as it must be seen to without LMDB.
enum LockFile {
  /// The size of a reader's slot in bytes, and of what comes before the first of them: LMDB gives a larger file more
  /// readers than it was asked for.
  private static let (slot, header) = (64, 128)

  /// Takes the disk space that the lock file of a directory needs with so many readers.
  ///
  /// LMDB makes the file with holes and writes to it through a map. On a full disk the first reader that needs
  /// another page would be killed by a signal.
  ///
  /// Only while this process does not have the environment open: closing a descriptor of the file would drop LMDB's
  /// locks. A file that cannot be opened is for LMDB to refuse, but for a link: LMDB would write to what it leads to.
  static func reserve(in directory: String, readers: Int, mode: UInt32) throws(LMDBError) {
    // Safe: the path is a terminated string that outlives the call.
    let descriptor = unsafe Glibc.open(directory + "/lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else {
      if errno == ELOOP { throw LMDBError(rawCode: ELOOP, in: "open") }
      return
    }
    defer { _ = Glibc.close(descriptor) }
    let size = readers * slot + header
    var status = stat()
    // Safe: the result is a local variable that outlives the call.
    guard unsafe fstat(descriptor, &status) == 0, Int(status.st_blocks) * 512 < size else { return }
    switch posix_fallocate(descriptor, 0, off_t(size)) {
    // File systems that cannot do this have no other way to be asked.
    case 0, EOPNOTSUPP, ENOSYS, EINVAL, ENODEV, ESPIPE: return
    case let code: throw LMDBError(rawCode: code, in: "posix_fallocate")
    }
  }
}
