import CreditsTesting
import LMDB
import Testing

@testable import Credits

/// Blocks that are there and are sealed, and yet are not what the store wrote.
@Suite("A journal whose blocks do not belong together")
struct DamagedJournalTests {
  private let fixture = StoreFixture()

  /// Makes a store with a block for each entry: an opening, a grant, three debits.
  private func make() async throws -> AccountID {
    let (store, alice) = try await fixture.open(with: 10)
    for request in 1...3 {
      fixture.clock.advance(by: .seconds(1))
      _ = try await store.debit(1, from: alice, request: RequestID(UInt64(request)))
    }
    try await store.close()
    return alice
  }

  private func change(
    and other: String = "meta", _ body: (inout WriteTransaction, _ journal: Table, _ other: Table) throws -> Void
  ) throws {
    try changeTables(["journal", other], at: fixture.place.path) { transaction, tables in
      try body(&transaction, tables[0], tables[1])
    }
  }

  /// Changes the bytes of a block, and stores it under its own number or another one.
  private func changeBlock(_ key: UInt64, under other: UInt64? = nil, _ body: (inout [UInt8]) throws -> Void) throws {
    try change { transaction, journal, _ in
      var block: [UInt8] = []
      if let bytes = try transaction.get(key, from: journal) {
        block = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
      }
      try body(&block)
      try transaction.put(block.span.rawBytes, for: other ?? key, in: journal)
    }
  }

  /// Has the header of the third block say another first number, and leaves its checksum as it is.
  private func damageThirdBlock(first: UInt64) throws {
    try changeBlock(3) { block in
      for byte in 0..<8 { block[16 + byte] = UInt8(truncatingIfNeeded: first >> UInt64(8 * byte)) }
    }
  }

  private func reader() throws(StoreError) -> CreditReader {
    try CreditReader.open(at: fixture.place.path, settings: fixture.settings)
  }

  // A block was gone, and whoever read the entries in order got the others, and no error.
  @Test("is not read past a block that is missing")
  func missingBlock() async throws {
    _ = try await make()
    try change { transaction, journal, _ in _ = try transaction.delete(4, from: journal) }
    var seen: [UInt64] = []
    let error = await failure { () throws(StoreError) in
      try reader().forEachEntry { entry in
        seen.append(entry.sequence.value)
        return true
      }
    }
    #expect(seen == [1, 2, 3])
    guard case .corrupt(_, let sequence, let reason) = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(sequence == SequenceNumber(4) && reason.contains("missing"))
  }

  // An entry named itself as the one before it, and a history went round for ever.
  @Test("is not walked in a circle")
  func circle() async throws {
    let alice = try await make()
    try changeBlock(5) { block in
      block[Block.Header.size + 64] = 5
      let header = try Block.header(of: block.span.rawBytes).header
      _ = unsafe block.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
    }
    let found = try reader()
    let errors = [
      await failure { () throws(StoreError) in _ = try found.history(of: alice) },
      await failure { () throws(StoreError) in _ = try found.explain(RequestID(1), of: alice) },
    ]
    for error in errors {
      guard case .corrupt(_, let sequence, _) = error else {
        Issue.record("\(error as Any)")
        return
      }
      #expect(sequence == SequenceNumber(5))
    }
  }

  // An image that is sealed named a last entry that the journal does not have, and explaining waited for it for ever.
  @Test("is not waited for by an image that is ahead of it")
  func imageAhead() async throws {
    let alice = try await make()
    try change(and: "accounts") { transaction, _, accounts in
      var (key, value) = ([UInt8](), [UInt8]())
      do {
        var cursor = try transaction.cursor(on: accounts)
        #expect(try cursor.first())
        key = unsafe cursor.key.withUnsafeBytes { unsafe Array($0) }
        var image = try Image(from: cursor.value)
        image.account.last = SequenceNumber(99)
        value = [UInt8](repeating: 0, count: image.size)
        unsafe value.withUnsafeMutableBytes { unsafe image.store(to: $0) }
      }
      try transaction.put(value.span.rawBytes, for: key.span.rawBytes, in: accounts)
    }
    let store = try fixture.open()
    let errors = [
      await failure { () throws(StoreError) in _ = try await store.explain(RequestID(1), of: alice) },
      await failure { () throws(StoreError) in _ = try await store.history(of: alice) },
      await failure { () throws(StoreError) in _ = try await store.debit(1, from: alice, request: "new") },
    ]
    for error in errors {
      #expect(
        error
          == .corrupt(what: "the image of account \(alice)", at: SequenceNumber(99), reason: "the journal ends at 5"))
    }
    try await store.close()
  }

  @Test("is not waited for by a receipt that is ahead of it")
  func receiptAhead() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let receipt = try #require(try await store.debit(1, from: alice, request: "debit").receipt)
    try await store.sync(receipt)
    let lost = Receipt(sequence: SequenceNumber(99), time: receipt.time, amount: 1, balance: 9, isReplay: false)
    let error = await failure { () throws(StoreError) in try await store.sync(lost) }
    #expect(error?.code == "invalid-argument")
    #expect("\(error as Any)".contains("the journal ends at 3"))
    let other = await failure { () throws(StoreError) in
      try await store.engine.queue.waitUntilDurable(SequenceNumber(4))
    }
    #expect(other == .stopped(reason: "an entry was lost"))
    try await store.close()
  }

  // A record of what was trimmed said 0, or more than there is, and opening the store ended the process.
  @Test("is refused where more or less is noted to be gone than can be", arguments: [0, 5_000, .max])
  func trimmed(first: UInt64) async throws {
    _ = try await make()
    try change { transaction, _, meta in
      let value = Meta.sealed([first, 0])
      try transaction.put(value.span.rawBytes, for: Array("trim".utf8).span.rawBytes, in: meta)
    }
    let error = await failure { () throws(StoreError) in _ = try fixture.open() }
    guard case .corrupt = error else {
      Issue.record("\(error as Any)")
      return
    }
  }

  // Sums with the number of the last block ended the process.
  @Test("is refused where it goes on from a number that no store comes to", arguments: [1 << 62, 1 << 63, .max - 8])
  func unreachable(number: UInt64) async throws {
    _ = try await make()
    try changeBlock(5, under: number + 1) { block in
      var header = try Block.header(of: block.span.rawBytes).header
      header.first = SequenceNumber(number + 1)
      _ = unsafe block.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
    }
    for error in [
      await failure { () throws(StoreError) in _ = try fixture.open() },
      await failure { () throws(StoreError) in try reader().forEachEntry { _ in true } },
    ] {
      guard case .corrupt = error else {
        Issue.record("\(error as Any)")
        continue
      }
    }
  }

  // A block's first number was damaged where only headers are looked at: all requests counted as forgotten, and more.
  @Test("is refused where a block says that it comes later", arguments: [6, 9, 1 << 40] as [UInt64])
  func later(number: UInt64) async throws {
    _ = try await make()
    try damageThirdBlock(first: number)
    var settings = fixture.settings
    settings.windowAge = .microseconds(1_500_000)
    let error = await failure { () throws(StoreError) in
      _ = try CreditStore.open(at: fixture.place.path, settings: settings)
    }
    guard case .corrupt = error else {
      Issue.record("\(error as Any)")
      return
    }
  }

  // What was deleted was what the header named, not what it lay under.
  @Test("is trimmed up to a block that says that it is another one", arguments: [2, 4, 9] as [UInt64])
  func trimmedUpTo(number: UInt64) async throws {
    _ = try await make()
    try damageThirdBlock(first: number)
    let database = try Database(
      path: fixture.place.path, mapSize: 1 << 30, access: .readOnly, durability: .unsynced)
    defer { database.close() }
    var retention = Retention(first: SequenceNumber(1))
    let plan = try retention.plan(
      in: database, cursor: SequenceNumber(5), forgotten: SequenceNumber(5), settings: fixture.settings,
      now: fixture.clock.now, requested: .latest)
    #expect(plan?.blocks == [SequenceNumber(1), SequenceNumber(2)] && plan?.mark.first == SequenceNumber(3))
  }

  @Test("has no consumer whose cursor no store comes to", arguments: [(1 << 62) + 1, .max] as [UInt64])
  func unreachableCursor(number: UInt64) async throws {
    _ = try await make()
    try change(and: "consumers") { transaction, _, consumers in
      let value = Meta.sealed([number])
      try transaction.put(value.span.rawBytes, for: Array("mail".utf8).span.rawBytes, in: consumers)
    }
    for error in [
      await failure { () throws(StoreError) in _ = try fixture.open() },
      await failure { () throws(StoreError) in _ = try reader().consumers() },
    ] {
      guard case .corrupt(let what, _, _) = error, what.contains("mail") else {
        Issue.record("\(error as Any)")
        continue
      }
    }
  }
}
