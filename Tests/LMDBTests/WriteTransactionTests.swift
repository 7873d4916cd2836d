import LMDB
import Testing

@Suite("A write transaction")
struct WriteTransactionTests {
  @Test("gives back what was put, under numbers and under bytes")
  func roundTrip() throws {
    let store = try Store()
    var transaction = try store.environment.beginWrite()
    try transaction.put("one", for: 1, in: store.numbers)
    try transaction.put("largest", for: .max, in: store.numbers)
    try transaction.put("zwei", for: "two", in: store.words)
    let own = try transaction.text(1, from: store.numbers)
    #expect(own == "one")
    try transaction.commit()

    let reader = try store.environment.beginRead()
    let one = try reader.text(1, from: store.numbers)
    let largest = try reader.text(.max, from: store.numbers)
    let two = try reader.text("two", from: store.words)
    let missing = try reader.text(2, from: store.numbers)
    let missingWord = try reader.text("three", from: store.words)
    #expect(one == "one")
    #expect(largest == "largest")
    #expect(two == "zwei")
    #expect(missing == nil)
    #expect(missingWord == nil)
  }

  @Test("reads its own changes, by key and by cursor")
  func ownChanges() throws {
    let store = try Store()
    try store.fill([1, 2])
    var transaction = try store.environment.beginWrite()
    try transaction.put("x", for: "word", in: store.words)
    try transaction.delete(1, from: store.numbers)
    try transaction.put("three", for: 3, in: store.numbers)
    let word = try transaction.text("word", from: store.words)
    let noWord = try transaction.text("none", from: store.words)
    let keys = try transaction.keys(of: store.numbers)
    #expect(word == "x")
    #expect(noWord == nil)
    #expect(keys == [2, 3])
  }

  @Test("replaces a value in place, also by an empty one")
  func replacement() throws {
    let store = try Store()
    var transaction = try store.environment.beginWrite()
    try transaction.put("old", for: 1, in: store.numbers)
    try transaction.put("a longer new value", for: 1, in: store.numbers)
    let longer = try transaction.text(1, from: store.numbers)
    try transaction.put("", for: 1, in: store.numbers)
    let empty = try transaction.text(1, from: store.numbers)
    #expect(longer == "a longer new value")
    #expect(empty == "")
  }

  @Test("keeps a value larger than a page")
  func largeValue() throws {
    let store = try Store()
    let value = String(repeating: "abcdefgh", count: 12_345)
    var transaction = try store.environment.beginWrite()
    try transaction.put(value, for: 7, in: store.numbers)
    try transaction.commit()
    let reader = try store.environment.beginRead()
    let found = try reader.text(7, from: store.numbers)
    let statistics = try reader.statistics(of: store.numbers)
    #expect(found == value)
    #expect(statistics.overflowPages == 25)
  }

  @Test("leaves nothing behind when its scope ends without a commit")
  func endOfScopeAborts() throws {
    let store = try Store()
    func begin() throws(LMDBError) {
      var transaction = try store.environment.beginWrite()
      try transaction.put("lost", for: 1, in: store.numbers)
    }
    try begin()
    let found = try store.environment.beginRead().text(1, from: store.numbers)
    #expect(found == nil)
  }

  @Test("leaves nothing behind when it is aborted, and lets the next one begin")
  func abort() throws {
    let store = try Store()
    var first = try store.environment.beginWrite()
    try first.put("lost", for: 1, in: store.numbers)
    first.abort()
    var second = try store.environment.beginWrite()
    try second.put("kept", for: 2, in: store.numbers)
    try second.commit()
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [2])
  }

  @Test("leaves nothing behind when an error leaves its scope")
  func errorAborts() throws {
    struct Stop: Error {}
    let store = try Store()
    #expect(throws: Stop.self) {
      var transaction = try store.environment.beginWrite()
      try transaction.put("lost", for: 1, in: store.numbers)
      throw Stop()
    }
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [])
  }

  @Test("numbers its commit one above the last")
  func number() throws {
    let store = try Store()
    let before = store.environment.information.lastTransaction
    let transaction = try store.environment.beginWrite()
    let number = transaction.number
    transaction.abort()
    #expect(number == before + 1)
  }

  @Test("appends above the last key and refuses any other")
  func appendOrder() throws {
    let store = try Store()
    try store.fill([10])
    var good = try store.environment.beginWrite()
    try good.append("next", for: 11, to: store.numbers)
    try good.commit()
    for key: UInt64 in [11, 10, 3] {
      var bad = try store.environment.beginWrite()
      let code = failure { () throws(LMDBError) in try bad.append("late", for: key, to: store.numbers) }
      #expect(code == .keyExists)
    }
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [10, 11])
  }

  @Test("appends bytes in order too")
  func appendBytes() throws {
    let store = try Store()
    let keys = [Array("a".utf8), Array("ab".utf8), Array("b".utf8)]
    var transaction = try store.environment.beginWrite()
    for key in keys { try transaction.append(key.span.rawBytes, for: key.span.rawBytes, to: store.words) }
    let late = Array("aa".utf8)
    let code = failure { () throws(LMDBError) in
      try transaction.append(late.span.rawBytes, for: late.span.rawBytes, to: store.words)
    }
    #expect(code == .keyExists)
  }

  @Test("cannot commit after a change has failed, though LMDB would")
  func failedChangeIsFinal() throws {
    let store = try Store()
    try store.fill([10])
    var transaction = try store.environment.beginWrite()
    try transaction.put("would be kept", for: 11, in: store.numbers)
    let first = failure { () throws(LMDBError) in try transaction.append("late", for: 5, to: store.numbers) }
    #expect(first == .keyExists)
    do throws(LMDBError) {
      try transaction.commit()
      Issue.record("The commit went through.")
    } catch {
      #expect(error.code == .keyExists)
      #expect(error.operation == "mdb_put")
    }
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [10])
  }

  @Test("writes a reserved value straight into the page", arguments: [1, 100, 5_000, 100_000])
  func reserve(size: Int) throws {
    let store = try Store()
    let key = Array("key".utf8)
    func fill(_ bytes: inout MutableRawSpan) {
      for offset in 0..<bytes.byteCount {
        bytes.storeBytes(of: UInt8(truncatingIfNeeded: offset), toByteOffset: offset, as: UInt8.self)
      }
    }
    var transaction = try store.environment.beginWrite()
    try transaction.reserve(size, for: 1, in: store.numbers) { fill(&$0) }
    try transaction.reserve(size, for: 2, in: store.numbers, placed: .atEnd) { fill(&$0) }
    try transaction.reserve(size, for: key.span.rawBytes, in: store.words) { fill(&$0) }
    try transaction.commit()

    let reader = try store.environment.beginRead()
    for number: UInt64 in [1, 2] {
      let bytes = try reader.get(number, from: store.numbers).bytes
      #expect(bytes == (0..<size).map { UInt8(truncatingIfNeeded: $0) })
    }
    let word = try reader.get(key.span.rawBytes, from: store.words).bytes
    #expect(word?.count == size)
  }

  @Test("does not call the filler if the space could not be reserved")
  func reserveFails() throws {
    let store = try Store()
    try store.fill([10])
    var wasCalled = false
    var transaction = try store.environment.beginWrite()
    let code = failure { () throws(LMDBError) in
      try transaction.reserve(8, for: 4, in: store.numbers, placed: .atEnd) { _ in wasCalled = true }
    }
    #expect(code == .keyExists)
    #expect(!wasCalled)
  }

  @Test("says whether a deleted entry existed")
  func delete() throws {
    let store = try Store()
    try store.fill([1, 2])
    let key = Array("word".utf8)
    var transaction = try store.environment.beginWrite()
    try transaction.put("x", for: "word", in: store.words)
    let there = try transaction.delete(1, from: store.numbers)
    let gone = try transaction.delete(1, from: store.numbers)
    let word = try transaction.delete(key.span.rawBytes, from: store.words)
    let noWord = try transaction.delete(key.span.rawBytes, from: store.words)
    try transaction.commit()
    #expect(there)
    #expect(!gone)
    #expect(word)
    #expect(!noWord)
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [2])
  }

  @Test("empties one table and leaves the others")
  func removeAll() throws {
    let store = try Store()
    try store.fill(1...1_000)
    var transaction = try store.environment.beginWrite()
    try transaction.put("stays", for: "word", in: store.words)
    try transaction.removeAll(from: store.numbers)
    try transaction.put("new", for: 5, in: store.numbers)
    try transaction.commit()
    let reader = try store.environment.beginRead()
    let keys = try reader.keys(of: store.numbers)
    let word = try reader.text("word", from: store.words)
    #expect(keys == [5])
    #expect(word == "stays")
  }

  @Test("refuses an empty key and one of 512 bytes")
  func keySizes() throws {
    let store = try Store()
    let empty: [UInt8] = []
    let longest = [UInt8](repeating: 1, count: 511)
    let tooLong = [UInt8](repeating: 1, count: 512)
    for key in [empty, tooLong] {
      var transaction = try store.environment.beginWrite()
      let code = failure { () throws(LMDBError) in
        try transaction.put(longest.span.rawBytes, for: key.span.rawBytes, in: store.words)
      }
      #expect(code == .badValueSize)
    }
    var transaction = try store.environment.beginWrite()
    try transaction.put(longest.span.rawBytes, for: longest.span.rawBytes, in: store.words)
    try transaction.commit()
  }

  @Test("counts entries and pages, its own changes included")
  func statistics() throws {
    let store = try Store()
    let empty = try store.environment.beginRead().statistics(of: store.numbers)
    #expect(empty.entries == 0)
    #expect(empty.depth == 0)
    var transaction = try store.environment.beginWrite()
    for key: UInt64 in 0..<1_000 { try transaction.append("value", for: key, to: store.numbers) }
    let full = try transaction.statistics(of: store.numbers)
    #expect(full.entries == 1_000)
    #expect(full.depth == 2)
    #expect(full.branchPages == 1)
    #expect(full.leafPages > 5)
  }

  @Test("frees pages that later commits write again")
  func freePages() throws {
    let store = try Store()
    try store.fill(1...10_000)
    var transaction = try store.environment.beginWrite()
    try transaction.removeAll(from: store.numbers)
    try transaction.commit()
    let free = try store.environment.beginRead().freePages()
    #expect(free > 50)
    // The pages that a commit frees are at the disposal of the next commit but one.
    try store.fill(1...1_000)
    let lastPage = store.environment.information.lastPage
    try store.fill(1_001...2_000)
    #expect(store.environment.information.lastPage == lastPage)
  }

  @Test("a file can be made longer ahead, at most as long as the map, and commits fill it without making it longer")
  func extendFile() throws {
    let store = try Store()
    try store.fill(1...100)
    var transaction = try store.environment.beginWrite()
    let used = transaction.usedBytes
    #expect(used == fileSize(store.folder.dataFile))
    #expect(try transaction.extendFile(to: used + 200_000) == used + 200_000)
    #expect(try transaction.extendFile(to: used) == used + 200_000, "a file does not become shorter")
    try transaction.put("value", for: 1_000, in: store.numbers)
    try transaction.commit()
    try store.fill(101...2_000)
    #expect(store.environment.information.lastPage >= used / 4_096)
    #expect(fileSize(store.folder.dataFile) == used + 200_000)
    var second = try store.environment.beginWrite()
    #expect(try second.extendFile(to: 1 << 40) == 64 << 20)
    second.abort()
    store.environment.close()
    let again = try Store(in: store.folder)
    let reader = try again.environment.beginRead()
    #expect(try reader.text(1, from: again.numbers) == "value 1")
    #expect(try reader.text(2_000, from: again.numbers) == "value 2000")
  }
}

@Suite("A full store")
struct FullStoreTests {
  @Test("says that the map is full, keeps that as the first error, and goes on with what it had")
  func mapFull() throws {
    let store = try Store { $0.mapSize = 1 << 20 }
    try store.fill([1])
    var transaction = try store.environment.beginWrite()
    let value = String(repeating: "x", count: 2_000)
    var codes: [LMDBError.Code] = []
    for key: UInt64 in 2..<2_000 {
      let code = failure { () throws(LMDBError) in try transaction.put(value, for: key, in: store.numbers) }
      if let code { codes.append(code) }
      if codes.count == 3 { break }
    }
    #expect(codes == [.mapFull, .badTransaction, .badTransaction])
    let commit = failureOfCommit(transaction)
    #expect(commit == .mapFull)
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == [1])

    try store.environment.resize(mapSize: 16 << 20)
    try store.fill(2..<2_000)
    let more = try store.environment.beginRead().statistics(of: store.numbers).entries
    #expect(more == 1_999)
  }

  /// Even a deletion needs pages, for it must not write on those that a reader sees.
  @Test("cannot commit after a deletion through a cursor has failed")
  func cursorFails() throws {
    let store = try Store { $0.mapSize = 1 << 18 }
    try store.fill([1])
    let reader = try store.environment.beginRead()
    var key: UInt64 = 1
    var code: LMDBError.Code?
    while code == nil {
      key += 1
      code = failure { () throws(LMDBError) in try store.fill([key]) }
    }
    #expect(code == .mapFull)
    var writer = try store.environment.beginWrite()
    let deletion = failure { () throws(LMDBError) in try deleteFirst(in: store.numbers, of: &writer) }
    let commit = failureOfCommit(writer)
    _ = reader.number
    #expect(deletion == .mapFull)
    #expect(commit == .mapFull)
  }

  private func deleteFirst(
    in table: Table, of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var cursor = try transaction.writingCursor(on: table)
    _ = try cursor.first()
    try cursor.delete()
  }
}

/// The code of the error that a commit throws, or `nil`.
private func failureOfCommit(_ transaction: consuming WriteTransaction) -> LMDBError.Code? {
  do throws(LMDBError) {
    try transaction.commit()
    return nil
  } catch {
    return error.code
  }
}
