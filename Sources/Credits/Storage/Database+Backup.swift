internal import LMDB

extension Database {
  /// Copies a snapshot of the store to a folder that does not exist yet; the copy is whole and synced, or absent.
  func backup(to path: String) throws(StoreError) {
    let target = StoreFolder(path)
    guard try target.contents() == .nothing else {
      throw .invalidArgument("there is something at \(path) already; name a new folder for the backup")
    }
    let temporary = try target.makeTemporary()
    do throws(StoreError) {
      try use { () throws(StoreError) in
        do throws(LMDBError) { try environment.copy(to: temporary) } catch { throw StoreError(error, at: path) }
      }
      try pause(temporary)
      guard try target.adopt(temporary) else {
        throw .invalidArgument("something has come to \(path) meanwhile; name a new folder for the backup")
      }
    } catch {
      StoreFolder.remove(temporary)
      throw error
    }
    do throws(StoreError) { try target.synchronizeName() } catch {
      target.takeBack(to: temporary)
      throw error
    }
  }

  /// Marks a copy as one that charges nothing until somebody says so.
  private func pause(_ folder: String) throws(StoreError) {
    let copy = try Database(
      path: folder, mapSize: environment.information.mapSize, access: .readWrite, durability: .synced)
    defer { copy.close() }
    do throws(LMDBError) {
      var transaction = try copy.environment.beginWrite()
      try Meta.writePause(to: &transaction, copy.meta)
      try transaction.commit()
    } catch { throw StoreError(error, at: path) }
  }
}
