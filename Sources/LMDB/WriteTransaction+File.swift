internal import Glibc

extension WriteTransaction {
  /// The bytes of the data file up to the last page in use when the transaction began. O(1).
  public var usedBytes: Int { (environment.information.lastPage + 1) * environment.pageSize }

  /// Writes zeros behind the end of the data file until it has a length, at most that of the map, and answers how long
  /// it is then.
  ///
  /// Commits that fill the zeros leave the length of the file as it is, so their syncs need not wait for the journal of
  /// the file system. The zeros become durable with the next synced commit. A full disk is no error here: the file is
  /// shorter then.
  public mutating func extendFile(to length: Int) throws(LMDBError) -> Int {
    let descriptor = environment.dataFileDescriptor
    let end = try FileStatus.ofDescriptor(descriptor).size
    let zeros = [UInt8](repeating: 0, count: max(0, min(length, environment.information.mapSize) - end))
    // Safe: the buffer outlives the call. Nobody else writes behind the end while a transaction is open, and this one
    // has written nothing yet but pages in front of the end.
    let written = unsafe pwrite(descriptor, zeros, zeros.count, off_t(end))
    if written >= 0 { return end + written }
    guard errno == ENOSPC || errno == EDQUOT else { throw LMDBError(rawCode: errno, in: "pwrite") }
    return end
  }
}
