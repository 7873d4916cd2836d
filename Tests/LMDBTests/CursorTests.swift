import LMDB
import Testing

@Suite("A cursor")
struct CursorTests {
  @Test("finds nothing in an empty table, whichever way it goes")
  func emptyTable() throws {
    let store = try Store()
    let key = Array("a".utf8)
    let reader = try store.environment.beginRead()
    var numbers = try reader.cursor(on: store.numbers)
    var words = try reader.cursor(on: store.words)
    var found: [Bool] = []
    found.append(try numbers.first())
    found.append(try numbers.last())
    found.append(try numbers.next())
    found.append(try numbers.previous())
    found.append(try numbers.seek(greaterOrEqual: 0))
    found.append(try numbers.seek(lessOrEqual: .max))
    found.append(try words.seek(greaterOrEqual: key.span.rawBytes))
    found.append(try words.seek(lessOrEqual: key.span.rawBytes))
    found.append(numbers.isOnEntry)
    #expect(found == Array(repeating: false, count: 9))
  }

  @Test("steps forwards from the first entry and backwards from the last")
  func steps() throws {
    let store = try Store()
    try store.fill([30, 10, 20])
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.numbers)
    var forwards: [UInt64] = []
    while try cursor.next() { forwards.append(cursor.integerKey) }
    var backwards: [UInt64] = []
    var isOnEntry = try cursor.last()
    while isOnEntry {
      backwards.append(cursor.integerKey)
      isOnEntry = try cursor.previous()
    }
    #expect(forwards == [10, 20, 30])
    #expect(backwards == [30, 20, 10])
    let isFirst = try cursor.first()
    let value = cursor.value.array
    #expect(isFirst)
    #expect(value == Array("value 10".utf8))
  }

  @Test("starts at the last entry when a new one goes backwards")
  func newCursorBackwards() throws {
    let store = try Store()
    try store.fill([1, 2])
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.numbers)
    let found = try cursor.previous()
    let key = cursor.integerKey
    #expect(found)
    #expect(key == 2)
  }

  @Test(
    "seeks the first key not below a number",
    arguments: [
      (0, 10), (9, 10), (10, 10), (11, 20), (20, 20), (21, 30), (30, 30), (31, nil), (.max, nil),
    ] as [(UInt64, UInt64?)])
  func seekGreaterOrEqual(key: UInt64, expected: UInt64?) throws {
    let store = try Store()
    try store.fill([10, 20, 30])
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.numbers)
    let found = try cursor.seek(greaterOrEqual: key) ? cursor.integerKey : nil
    #expect(found == expected)
  }

  @Test(
    "seeks the last key not above a number",
    arguments: [
      (0, nil), (9, nil), (10, 10), (11, 10), (20, 20), (21, 20), (30, 30), (31, 30), (.max, 30),
    ] as [(UInt64, UInt64?)])
  func seekLessOrEqual(key: UInt64, expected: UInt64?) throws {
    let store = try Store()
    try store.fill([10, 20, 30])
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.numbers)
    let found = try cursor.seek(lessOrEqual: key) ? cursor.integerKey : nil
    #expect(found == expected)
    let isOnEntry = cursor.isOnEntry
    #expect(isOnEntry == (expected != nil))
  }

  @Test(
    "seeks among bytes, shorter before longer",
    arguments: [
      ("a", "b", nil), ("b", "b", "b"), ("ba", "bb", "b"), ("bb", "bb", "bb"), ("bba", "c", "bb"),
      ("d", nil, "c"),
    ] as [(String, String?, String?)])
  func seekBytes(key: String, above: String?, below: String?) throws {
    let store = try Store()
    var writer = try store.environment.beginWrite()
    for word in ["c", "b", "bb"] { try writer.put(word, for: word, in: store.words) }
    try writer.commit()
    let key = Array(key.utf8)
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.words)
    let foundAbove = try cursor.seek(greaterOrEqual: key.span.rawBytes) ? cursor.key.array : nil
    let foundBelow = try cursor.seek(lessOrEqual: key.span.rawBytes) ? cursor.key.array : nil
    #expect(foundAbove == above.map { Array($0.utf8) })
    #expect(foundBelow == below.map { Array($0.utf8) })
  }

  @Test("orders numbers by value, across pages and byte boundaries")
  func numberOrder() throws {
    let store = try Store()
    let keys: [UInt64] = (0..<64).map { 1 << $0 } + (0..<3_000).map { $0 * 257 + 3 }
    try store.fill(keys.shuffled())
    let found = try store.environment.beginRead().keys(of: store.numbers)
    #expect(found == Set(keys).sorted())
  }

  @Test("agrees with a sorted array on every seek")
  func seekOracle() throws {
    let store = try Store()
    var generator = SystemRandomNumberGenerator()
    let keys = Set((0..<2_000).map { _ in UInt64.random(in: 0..<10_000, using: &generator) }).sorted()
    try store.fill(keys)
    let reader = try store.environment.beginRead()
    var cursor = try reader.cursor(on: store.numbers)
    for target: UInt64 in 0..<10_000 {
      let above = try cursor.seek(greaterOrEqual: target) ? cursor.integerKey : nil
      let below = try cursor.seek(lessOrEqual: target) ? cursor.integerKey : nil
      let middle = keys.partitioningIndex { $0 >= target }
      let isThere = middle < keys.count && keys[middle] == target
      let expectedBelow = isThere ? target : (middle > 0 ? keys[middle - 1] : nil)
      guard above == (middle < keys.count ? keys[middle] : nil), below == expectedBelow else {
        Issue.record("Wrong answer for \(target): \(String(describing: (above, below)))")
        return
      }
    }
  }
}

@Suite("A writing cursor")
struct WritingCursorTests {
  @Test("deletes a run of entries in one pass and leaves the others")
  func deleteRun() throws {
    let store = try Store()
    try store.fill(1...5_000)
    var writer = try store.environment.beginWrite()
    try deleteAll(upTo: 4_000, in: store.numbers, of: &writer)
    try writer.commit()
    let keys = try store.environment.beginRead().keys(of: store.numbers)
    #expect(keys == Array(4_001...5_000))
  }

  private func deleteAll(
    upTo last: UInt64, in table: Table, of transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var cursor = try transaction.writingCursor(on: table)
    while try cursor.next(), cursor.integerKey <= last { try cursor.delete() }
  }

  @Test("is on no entry after a deletion, between the neighbours of what it deleted")
  func neighbours() throws {
    let store = try Store()
    try store.fill([1, 2, 3, 4, 5])
    var writer = try store.environment.beginWrite()
    var cursor = try writer.writingCursor(on: store.numbers)
    _ = try cursor.seek(greaterOrEqual: 2)
    try cursor.delete()
    let isOnEntry = cursor.isOnEntry
    let next = try cursor.next() ? cursor.integerKey : nil
    _ = try cursor.seek(greaterOrEqual: 4)
    try cursor.delete()
    let previous = try cursor.previous() ? cursor.integerKey : nil
    #expect(!isOnEntry)
    #expect(next == 3)
    #expect(previous == 3)
  }

  @Test("finds nothing beyond the last entry that it deleted, nor before the first")
  func ends() throws {
    let store = try Store()
    try store.fill([1, 2, 3])
    var writer = try store.environment.beginWrite()
    var cursor = try writer.writingCursor(on: store.numbers)
    _ = try cursor.last()
    try cursor.delete()
    let afterLast = try cursor.next()
    _ = try cursor.first()
    try cursor.delete()
    let beforeFirst = try cursor.previous()
    _ = try cursor.first()
    let onlyKey = cursor.integerKey
    try cursor.delete()
    let inEmpty = try cursor.next()
    #expect(!afterLast)
    #expect(!beforeFirst)
    #expect(onlyKey == 2)
    #expect(!inEmpty)
  }

  @Test("deletes the same entries as an oracle, in random order", arguments: [1, 2, 3])
  func oracle(seed: Int) throws {
    let store = try Store()
    var keys = Array(UInt64(1)...3_000)
    try store.fill(keys)
    var writer = try store.environment.beginWrite()
    var cursor = try writer.writingCursor(on: store.numbers)
    for _ in 0..<2_000 {
      let target = UInt64.random(in: 0...3_001)
      guard try cursor.seek(greaterOrEqual: target) else { continue }
      let index = keys.partitioningIndex { $0 >= target }
      let key = cursor.integerKey
      try #require(key == keys[index])
      keys.remove(at: index)
      try cursor.delete()
      let next = try cursor.next() ? cursor.integerKey : nil
      try #require(next == (index < keys.count ? keys[index] : nil))
    }
  }
}

extension Array {
  /// The first index whose element passes; the elements that pass come after those that do not.
  fileprivate func partitioningIndex(where passes: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if passes(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
