import Glibc
import LMDB
import Testing

@Suite("An environment")
struct EnvironmentTests {
  @Test("has what was committed after it is closed and opened again")
  func reopen() throws {
    let folder = TemporaryFolder()
    for round: UInt64 in 1...3 {
      let environment = try Environment.open(at: folder.path, settings: testSettings { $0.sync = .full })
      let (numbers, _) = try openTestTables(of: environment)
      var writer = try environment.beginWrite()
      try writer.put("round \(round)", for: round, in: numbers)
      try writer.commit()
      let keys = try environment.beginRead().keys(of: numbers)
      #expect(keys == Array(1...round))
      environment.close()
      environment.close()
    }
  }

  @Test("closes with its last reference")
  func closesWithLastReference() throws {
    let folder = TemporaryFolder()
    for _ in 0..<3 {
      let environment = try Environment.open(at: folder.path, settings: testSettings())
      _ = try openTestTables(of: environment)
    }
  }

  @Test("makes its files readable to the owner alone")
  func fileMode() throws {
    let store = try Store()
    #expect(LMDBTests.fileMode(store.folder.dataFile) == 0o600)
    #expect(LMDBTests.fileMode(store.folder.path + "/lock.mdb") == 0o600)
  }

  @Test("tells its sizes and its last commit")
  func information() throws {
    let store = try Store { $0.maxReaders = 17 }
    let before = store.environment.information
    try store.fill(1...1_000)
    let after = store.environment.information
    #expect(before.mapSize == 64 << 20)
    #expect(before.maxReaders == 17)
    #expect(after.lastTransaction == before.lastTransaction + 1)
    #expect(after.lastPage > before.lastPage)
    #expect(store.environment.pageSize == 4_096)
    let size = try store.environment.dataFileSize()
    #expect(size == (after.lastPage + 1) * 4_096)
    #expect(size == fileSize(store.folder.dataFile))
    try store.environment.sync()
  }

  @Test("opens tables again under the same names, without writing anything")
  func openTablesTwice() throws {
    let store = try Store()
    let before = store.environment.information.lastTransaction
    let again = try openTestTables(of: store.environment)
    #expect(again.numbers == store.numbers)
    #expect(again.words == store.words)
    #expect(store.environment.information.lastTransaction == before)
  }

  @Test("refuses a table whose keys are of the other kind, and creates none beside it")
  func incompatibleTable() throws {
    let store = try Store()
    for keys in [Table.Keys.bytes, .integers] {
      let name = keys == .bytes ? "numbers" : "words"
      let code = failure { () throws(LMDBError) in
        _ = try store.environment.openTables([
          Table.Definition("beside", keys: .bytes), Table.Definition(name, keys: keys),
        ])
      }
      #expect(code == .incompatible)
    }
    try store.fill([1])
    store.environment.close()
    let reader = try Environment.open(at: store.folder.path, settings: testSettings { $0.access = .readOnly })
    let code = failure { () throws(LMDBError) in
      _ = try reader.openTables([Table.Definition("beside", keys: .bytes)])
    }
    #expect(code == .missingTable("beside"))
  }

  @Test("says when there are more tables than were foreseen")
  func tooManyTables() throws {
    let store = try Store { $0.maxTables = 2 }
    let code = failure { () throws(LMDBError) in
      _ = try store.environment.openTables([Table.Definition("third", keys: .bytes)])
    }
    #expect(code == .tablesFull)
  }

  @Test("that is read-only reads the tables and refuses to write")
  func readOnly() throws {
    let store = try Store()
    try store.fill([1])
    store.environment.close()
    let reader = try Environment.open(at: store.folder.path, settings: testSettings { $0.access = .readOnly })
    let (numbers, _) = try openTestTables(of: reader)
    let found = try reader.beginRead().text(1, from: numbers)
    #expect(found == "value 1")
    let code = failure { () throws(LMDBError) in _ = try reader.beginWrite() }
    #expect(code == .permissionDenied)
  }

  @Test("without read-ahead, or without sync of the header, works as well")
  func otherSettings() throws {
    let store = try Store {
      $0.readAhead = .off
      $0.sync = .noMetaSync
    }
    try store.fill([1])
    let found = try store.environment.beginRead().text(1, from: store.numbers)
    #expect(found == "value 1")
  }

  @Test("does not resize while a transaction is open")
  func resizeIsRefused() throws {
    let store = try Store()
    func tryWhileReading() throws(LMDBError) {
      let reader = try store.environment.beginRead()
      let code = failure { () throws(LMDBError) in try store.environment.resize(mapSize: 128 << 20) }
      #expect(code == .busy)
      _ = reader.number
    }
    try tryWhileReading()
    try store.environment.resize(mapSize: 128 << 20)
    #expect(store.environment.information.mapSize == 128 << 20)
  }
}

@Suite("A copy of a store")
struct CopyTests {
  @Test(
    "opens with the same entries, compacted or not",
    arguments: [Environment.Compaction.none, .compacting])
  func copy(compaction: Environment.Compaction) throws {
    let store = try Store()
    try store.fill(1...5_000)
    var writer = try store.environment.beginWrite()
    for key: UInt64 in 1...4_900 { try writer.delete(key, from: store.numbers) }
    try writer.commit()
    let target = store.folder.folder("copy")
    try store.environment.copy(to: target, compaction)
    #expect(fileMode(target + "/data.mdb") == 0o600)
    if compaction == .compacting {
      #expect(fileSize(target + "/data.mdb") < fileSize(store.folder.dataFile) / 4)
    }
    let copy = try Environment.open(at: target, settings: testSettings())
    let (numbers, _) = try openTestTables(of: copy)
    let keys = try copy.beginRead().keys(of: numbers)
    #expect(keys == Array(4_901...5_000))
  }

  @Test("of an empty store opens too", arguments: [Environment.Compaction.none, .compacting])
  func emptyStore(compaction: Environment.Compaction) throws {
    let folder = TemporaryFolder()
    let environment = try Environment.open(at: folder.path, settings: testSettings())
    let target = folder.folder("copy")
    try environment.copy(to: target, compaction)
    let copy = try Environment.open(at: target, settings: testSettings())
    _ = try openTestTables(of: copy)
  }

  @Test("sees one commit wholly, while a writer goes on")
  func whileWriting() async throws {
    let store = try Store()
    try store.fill(1...50)
    let target = store.folder.folder("copy")
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round: UInt64 in 0..<100 { try store.fill((round * 50 + 1)...(round * 50 + 50)) }
      }
      group.addTask { try store.environment.copy(to: target, .compacting) }
      try await group.waitForAll()
    }
    let copy = try Environment.open(at: target, settings: testSettings())
    let (numbers, _) = try openTestTables(of: copy)
    let keys = try copy.beginRead().keys(of: numbers)
    #expect(keys.count % 50 == 0)
    #expect(keys == Array(1...UInt64(keys.count)))
  }

  @Test("that fails is removed")
  func failed() async {
    let folder = TemporaryFolder()
    let target = folder.folder("copy")
    await #expect(processExitsWith: .success) {
      [path = folder.path as String, target = target as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      try store.fill(1...5_000)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 65_536, rlim_max: 65_536)
      // The limit is a local variable that outlives the call.
      try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let code = failure { () throws(LMDBError) in try store.environment.copy(to: target) }
      #expect(code == .other(EFBIG))
      #expect(TemporaryFolder.entries(of: target) == [])
    }
  }

  @Test("never overwrites a store, and needs a folder")
  func refusals() throws {
    let store = try Store()
    try store.fill([1])
    let target = store.folder.folder("copy")
    try store.environment.copy(to: target)
    let second = failure { () throws(LMDBError) in try store.environment.copy(to: target) }
    let nowhere = failure { () throws(LMDBError) in
      try store.environment.copy(to: store.folder.path + "/missing")
    }
    #expect(second == .other(17))
    #expect(nowhere == .noSuchFile)
    #expect(fileSize(target + "/data.mdb") > 0)
  }
}
