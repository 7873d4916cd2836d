import LMDB
import Testing

@Suite("A reader pool")
struct ReaderPoolTests {
  @Test("hands out the latest commit each time, and uses one slot for reads one after another")
  func reuse() throws {
    let store = try Store()
    let pool = ReaderPool(environment: store.environment)
    for key: UInt64 in 1...20 {
      try store.fill([key])
      let found = try pool.withReader { (reader) throws(LMDBError) in
        try reader.text(key, from: store.numbers)
      }
      #expect(found == "value \(key)")
    }
    #expect(store.environment.information.readers == 1)
  }

  @Test("does not let a resting reader hold on to old pages")
  func restingReadersHoldNothing() throws {
    let store = try Store()
    let pool = ReaderPool(environment: store.environment)
    try pool.withReader { (reader) throws(LMDBError) in _ = reader.number }
    try store.fill(1...100)
    try store.fill(1...100)
    let lastPage = store.environment.information.lastPage
    for _ in 0..<50 { try store.fill(1...100) }
    #expect(store.environment.information.lastPage <= lastPage + 4)
  }

  @Test("grows to half of the reader slots and says when they are all in use")
  func limit() throws {
    let store = try Store { $0.maxReaders = 6 }
    let pool = ReaderPool(environment: store.environment, keeping: 1)
    func useAll() throws(LMDBError) {
      let first = try pool.reader()
      let second = try pool.reader()
      let third = try pool.reader()
      let code = failure { () throws(LMDBError) in _ = try pool.reader() }
      #expect(code == .readersFull)
      _ = (first.number, second.number, third.number)
    }
    try useAll()
    try useAll()
    let outside = try store.environment.beginRead()
    _ = outside.number
  }

  @Test("gives the place back when taking a reader fails")
  func failureGivesThePlaceBack() throws {
    let store = try Store { $0.maxReaders = 2 }
    let pool = ReaderPool(environment: store.environment)
    func occupied() throws(LMDBError) {
      let first = try store.environment.beginRead()
      let second = try store.environment.beginRead()
      for _ in 0..<3 {
        let code = failure { () throws(LMDBError) in _ = try pool.reader() }
        #expect(code == .readersFull)
      }
      _ = (first.number, second.number)
    }
    try occupied()
    let reader = try pool.reader()
    _ = reader.number
  }

  @Test("throws the caller's own errors, and its own as the caller wants them")
  func typedErrors() throws {
    enum Failure: Error, Equatable {
      case own
      case store(LMDBError.Code)
    }
    let store = try Store { $0.maxReaders = 2 }
    let pool = ReaderPool(environment: store.environment)
    func read() throws(Failure) {
      try pool.withReader(orThrow: { Failure.store($0.code) }) { (_) throws(Failure) in throw Failure.own }
    }
    #expect(throws: Failure.own) { try read() }
    let reader = try pool.reader()
    #expect(throws: Failure.store(.readersFull)) { try read() }
    _ = reader.number
  }

  @Test("takes back a reader that its user had reset")
  func resetByUser() throws {
    let store = try Store()
    try store.fill([1])
    let pool = ReaderPool(environment: store.environment)
    func resetOne() throws(LMDBError) {
      var reader = try pool.reader()
      reader.reset()
    }
    try resetOne()
    let found = try pool.reader().text(1, from: store.numbers)
    #expect(found == "value 1")
    pool.close()
    store.environment.close()
  }

  @Test("lets the environment close after it, even if a reader came back late")
  func close() throws {
    let store = try Store()
    let pool = ReaderPool(environment: store.environment, keeping: 4)
    func readAndClose() throws(LMDBError) {
      let first = try pool.reader()
      let second = try pool.reader()
      pool.close()
      pool.close()
      _ = (first.number, second.number)
    }
    try readAndClose()
    store.environment.close()
    let again = try Environment.open(at: store.folder.path, settings: testSettings())
    again.close()
  }

  @Test("lets the map be resized while its readers rest")
  func resize() throws {
    let store = try Store { $0.mapSize = 1 << 20 }
    try store.fill([1])
    let pool = ReaderPool(environment: store.environment)
    try pool.withReader { (reader) throws(LMDBError) in _ = reader.number }
    try store.environment.resize(mapSize: 8 << 20)
    let found = try pool.reader().text(1, from: store.numbers)
    #expect(found == "value 1")
    #expect(store.environment.information.mapSize == 8 << 20)
  }

  @Test("serves several threads while one writes and one resizes")
  func concurrency() async throws {
    let store = try Store()
    try store.fill(1...50)
    let pool = ReaderPool(environment: store.environment, keeping: 2)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round: UInt64 in 0..<100 { try store.fill((round * 50 + 1)...(round * 50 + 50)) }
      }
      group.addTask {
        for step in 1...200 {
          let code = failure { () throws(LMDBError) in
            try store.environment.resize(mapSize: (64 + step % 2) << 20)
          }
          #expect(code == nil || code == .busy)
        }
      }
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<300 {
            let keys = try pool.withReader { (reader) throws(LMDBError) in
              try reader.keys(of: store.numbers)
            }
            #expect(keys.count % 50 == 0)
            #expect(keys.last == UInt64(keys.count))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
