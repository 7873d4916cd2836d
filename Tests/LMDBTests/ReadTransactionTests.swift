import LMDB
import Testing

@Suite("A read transaction")
struct ReadTransactionTests {
  @Test("does not see what is committed after it began")
  func snapshot() throws {
    let store = try Store()
    try store.fill([1])
    let old = try store.environment.beginRead()
    var writer = try store.environment.beginWrite()
    try writer.put("changed", for: 1, in: store.numbers)
    try writer.put("added", for: 2, in: store.numbers)
    try writer.commit()
    let new = try store.environment.beginRead()

    let before = try old.text(1, from: store.numbers)
    let oldKeys = try old.keys(of: store.numbers)
    let after = try new.text(1, from: store.numbers)
    let newKeys = try new.keys(of: store.numbers)
    #expect(before == "value 1")
    #expect(oldKeys == [1])
    #expect(after == "changed")
    #expect(newKeys == [1, 2])
    let numbers = (old.number, new.number)
    #expect(numbers.1 == numbers.0 + 1)
  }

  @Test("keeps its bytes while later commits rewrite the table many times")
  func bytesStay() throws {
    let store = try Store()
    try store.fill(1...100)
    let reader = try store.environment.beginRead()
    let span = try reader.get(50, from: store.numbers)
    for _ in 0..<20 { try store.fill(1...100) }
    var writer = try store.environment.beginWrite()
    try writer.removeAll(from: store.numbers)
    try writer.commit()
    #expect(span.bytes == Array("value 50".utf8))
  }

  @Test("sees the latest commit after it is renewed, whether it was reset before or not")
  func resetAndRenew() throws {
    let store = try Store()
    try store.fill([1])
    var reader = try store.environment.beginRead()
    reader.reset()
    reader.reset()
    try store.fill([2])
    try reader.renew()
    let keys = try reader.keys(of: store.numbers)
    #expect(keys == [1, 2])
    try store.fill([3])
    try reader.renew()
    let more = try reader.keys(of: store.numbers)
    #expect(more == [1, 2, 3])
    reader.reset()
  }

  @Test("takes a reader slot, and says when there are no more")
  func readersFull() throws {
    let store = try Store { $0.maxReaders = 2 }
    let first = try store.environment.beginRead()
    func second() throws(LMDBError) {
      let second = try store.environment.beginRead()
      let code = failure { () throws(LMDBError) in _ = try store.environment.beginRead() }
      #expect(code == .readersFull)
      _ = second.number
    }
    try second()
    let third = try store.environment.beginRead()
    #expect(store.environment.information.readers == 2)
    let numbers = (first.number, third.number)
    #expect(numbers.0 == numbers.1)
  }

  @Test("reads beside others on several threads while one writes")
  func concurrency() async throws {
    let store = try Store()
    try store.fill(1...50)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round: UInt64 in 0..<100 { try store.fill((round * 50 + 1)...(round * 50 + 50)) }
      }
      for _ in 0..<3 {
        group.addTask {
          for _ in 0..<200 {
            let reader = try store.environment.beginRead()
            let keys = try reader.keys(of: store.numbers)
            #expect(keys.count % 50 == 0)
            #expect(keys.last == UInt64(keys.count))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
