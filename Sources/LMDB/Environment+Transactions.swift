internal import CLMDB

extension Environment {
  /// Begins to read the latest commit.
  ///
  /// Takes a reader slot: throws ``LMDBError/Code/readersFull`` if there is none. For frequent reads use a
  /// ``ReaderPool``, which keeps slots.
  public func beginRead() throws(LMDBError) -> ReadTransaction {
    ReadTransaction(try begin(MDB_RDONLY), in: self)
  }

  /// Begins to write; waits for the write transaction of another thread or process to end.
  public func beginWrite() throws(LMDBError) -> WriteTransaction {
    WriteTransaction(try begin(0), in: self)
  }

  /// Enters the gate and begins a transaction in it.
  func begin(_ flags: Int32) throws(LMDBError) -> TransactionHandle {
    gate.enter()
    do throws(LMDBError) {
      // Inside the gate the environment is open.
      return try unsafe TransactionHandle(in: handle, flags: flags)
    } catch {
      gate.leave()
      throw error
    }
  }
}
