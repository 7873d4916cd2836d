import CreditsTesting
import LMDB
import Testing

@testable import Credits

/// Openings after which so much of the journal is applied that several lanes do it, in several rounds.
@Suite("A long journal that is replayed", .serialized)
struct JournalReplayTests {
  private static let accounts = 3_000
  private static let debits = 160_000

  private let fixture = StoreFixture()

  private func account(_ number: Int) -> AccountID {
    AccountID(high: 7, low: UInt64(number % JournalReplayTests.accounts))
  }

  private func debits(from number: Int, count: Int) -> [Debit] {
    (number..<number + count).map { number in
      Debit(
        Amount(millionths: Int64(number % 1_000 + 1)), from: account(number * 7),
        request: RequestID(high: 9, low: UInt64(number)))
    }
  }

  /// Makes a store, and a copy of it without images, as if the process had been killed before the first; answers the
  /// balances.
  private func make(_ copy: String) async throws -> [Balance?] {
    let store = try fixture.open()
    for number in 0..<JournalReplayTests.accounts {
      try await store.open(account(number), acknowledge: .applied)
      try await store.grant(
        1_000, to: account(number), source: .promotion("start"), request: "start", acknowledge: .applied)
    }
    for start in stride(from: 0, to: JournalReplayTests.debits, by: 2_000) {
      _ = try await store.debit(debits(from: start, count: 2_000), acknowledge: .applied)
    }
    try await store.backup(to: copy)
    let balances = try (0..<JournalReplayTests.accounts).map { try store.balance(of: account($0)) }
    try await store.close()
    // A store that is idle for a while makes images by itself.
    try changeTables(["accounts", "due", "meta"], at: copy) { transaction, tables in
      for (table, prefix) in zip(tables, ["", "", "checkpoint"]) {
        var keys: [[UInt8]] = []
        do {
          var cursor = try transaction.cursor(on: table)
          while try cursor.next() { keys.append(unsafe cursor.key.withUnsafeBytes { unsafe Array($0) }) }
        }
        for key in keys where key.starts(with: prefix.utf8) {
          _ = try transaction.delete(key.span.rawBytes, from: table)
        }
      }
    }
    return balances
  }

  private func open(_ path: String, _ change: (inout Settings) -> Void) throws(StoreError) -> CreditStore {
    var settings = fixture.settings
    change(&settings)
    return try CreditStore.open(at: path, settings: settings)
  }

  @Test("leads to the same balances and remembers the same requests, however few accounts fit into memory")
  func replay() async throws {
    let copy = fixture.place.place("copy")
    let balances = try await make(copy)
    for resident in [10_000, 1_024] {
      let other = fixture.place.place("copy-\(resident)")
      try await CreditReader.open(at: copy, settings: fixture.settings).backup(to: other)
      let store = try open(other) { $0.residentAccounts = resident }
      // Two entries made each account.
      #expect(try store.statistics().replayed == UInt64(2 * JournalReplayTests.accounts + JournalReplayTests.debits))
      #expect(try (0..<JournalReplayTests.accounts).map { try store.balance(of: account($0)) } == balances)
      for start in stride(from: 0, to: JournalReplayTests.debits, by: 50_000) {
        let outcomes = try await store.debit(debits(from: start, count: 100))
        #expect(outcomes.allSatisfy { $0.receipt?.isReplay == true })
      }
      #expect(try await store.verify().problem == nil)
      try await store.close()
    }
  }

  /// What is done to a block.
  enum Damage: CaseIterable {
    case missing, another, unsealed
  }

  @Test("is refused where a block is missing, another one or damaged, also where two lanes or rounds meet")
  func damage() async throws {
    let copy = fixture.place.place("copy")
    _ = try await make(copy)
    for damage in Damage.allCases {
      for place in [2, 1_000, 65_536 + 1, 2 * 65_536 + 1, 150_000] as [UInt64] {
        let other = fixture.place.place("\(damage)-\(place)")
        defer { TemporaryStore.remove(other) }
        try await CreditReader.open(at: copy, settings: fixture.settings).backup(to: other)
        let (block, next) = try change(other, before: place, damage)
        // The window is small: whoever looks for its beginning does not come here.
        let error = await failure { () throws(StoreError) in
          try await open(other) { $0.windowRequests = 1_024 }.close()
        }
        let expected =
          switch damage {
          case .missing: (block, block == 1 ? "its first block is missing" : "a block is missing")
          case .another: (next, "a block does not follow the one before")
          case .unsealed: (block, "a block's checksum does not match")
          }
        #expect(error == .corrupt(what: "the journal", at: SequenceNumber(expected.0), reason: expected.1), "\(place)")
      }
    }
  }

  /// Damages the last block that begins before an entry; answers its number and that of the next one.
  private func change(_ path: String, before place: UInt64, _ damage: Damage) throws -> (UInt64, UInt64) {
    var (key, next) = (0 as UInt64, 0 as UInt64)
    try changeTables(["journal"], at: path) { transaction, tables in
      let journal = tables[0]
      var block: [UInt8] = []
      do {
        var cursor = try transaction.cursor(on: journal)
        #expect(try cursor.seek(lessOrEqual: place - 1))
        key = cursor.integerKey
        block = unsafe cursor.value.withUnsafeBytes { unsafe Array($0) }
        #expect(try cursor.next())
        next = cursor.integerKey
      }
      switch damage {
      case .missing: _ = try transaction.delete(key, from: journal)
      case .unsealed: block[Block.Header.size + 3] ^= 1
      case .another:
        var header = try Block.header(of: block.span.rawBytes).header
        header.earliest = Timestamp(microseconds: header.earliest.microseconds - 1)
        _ = unsafe block.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
      }
      if damage != .missing { try transaction.put(block.span.rawBytes, for: key, in: journal) }
    }
    return (key, next)
  }
}
