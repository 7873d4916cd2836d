internal import LMDB

extension Database {
  /// What the files hold, together with what the open store knows.
  func statistics(
    last: SequenceNumber, resident: Int, windowBytes: Int, counters: Counters, replayed: UInt64
  ) throws(StoreError) -> Statistics {
    let information = environment.information
    return try read { (transaction) throws(StoreError) -> Statistics in
      let trim = try Meta.trim(in: transaction, self)
      let checkpoint = try Meta.checkpoint(in: transaction, self)
      do throws(LMDBError) {
        let free = try transaction.freePages()
        return Statistics(
          last: last, firstKept: trim.first, checkpoint: checkpoint.cursor,
          accounts: try transaction.statistics(of: accounts).entries, residentAccounts: resident,
          windowBytes: windowBytes, fileBytes: try environment.dataFileSize(),
          usedBytes: (information.lastPage + 1 - free) * environment.pageSize, mapBytes: information.mapSize,
          commits: counters.commitCount, entries: counters.entryCount, images: counters.imageCount, replayed: replayed)
      } catch { throw storeError(error) }
    }
  }
}
