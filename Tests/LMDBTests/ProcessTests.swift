import Glibc
import LMDB
import Testing

@Suite("Another process")
struct ProcessTests {
  @Test("that died while it read leaves a slot, which is cleared")
  func staleReader() async throws {
    let folder = TemporaryFolder()
    let path = folder.path
    let store = try Environment.open(at: path, settings: testSettings())
    _ = try openTestTables(of: store)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment.open(at: path, settings: testSettings { $0.access = .readOnly })
      let reader = try environment.beginRead()
      kill(getpid(), SIGKILL)
      _ = reader.number
    }
    let cleared = try store.clearStaleReaders()
    let none = try store.clearStaleReaders()
    #expect(cleared == 1)
    #expect(none == 0)
  }

  @Test("that died while it wrote leaves nothing of it, and the lock free")
  func deadWriter() async throws {
    let store = try Store()
    try store.fill([1])
    let path = store.folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try Environment.open(at: path, settings: testSettings())
      let (numbers, _) = try openTestTables(of: environment)
      var writer = try environment.beginWrite()
      try writer.put("lost", for: 2, in: numbers)
      kill(getpid(), SIGKILL)
      try writer.commit()
    }
    try store.fill([3])
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [1, 3])
  }

  @Test("that enlarges the store is followed after its map size is adopted")
  func enlarged() async throws {
    let store = try Store { $0.mapSize = 1 << 20 }
    let path = store.folder.path
    let pool = ReaderPool(environment: store.environment)
    try pool.withReader { (reader) throws(LMDBError) in _ = reader.number }
    var old = try store.environment.beginRead()
    await #expect(processExitsWith: .success) { [path = path as String] in
      let environment = try Environment.open(at: path, settings: testSettings { $0.mapSize = 32 << 20 })
      let (numbers, _) = try openTestTables(of: environment)
      var writer = try environment.beginWrite()
      for key: UInt64 in 0..<1_000 {
        try writer.put(String(repeating: "x", count: 3_000), for: key, in: numbers)
      }
      try writer.commit()
      environment.close()
    }
    let code = failure { () throws(LMDBError) in _ = try store.environment.beginRead() }
    let poolCode = failure { () throws(LMDBError) in _ = try pool.reader() }
    let renewalCode = failure { () throws(LMDBError) in try old.renew() }
    #expect(code == .mapResized)
    #expect(poolCode == .mapResized)
    #expect(renewalCode == .mapResized)
    try store.environment.adoptMapSize()
    try old.renew()
    let counts = [
      try store.environment.beginRead().statistics(of: store.numbers).entries,
      try pool.reader().statistics(of: store.numbers).entries,
      try old.statistics(of: store.numbers).entries,
    ]
    #expect(counts == [1_000, 1_000, 1_000])
  }
}
