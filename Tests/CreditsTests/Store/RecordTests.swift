import Credits
import CreditsTesting
import Testing

@Suite("History, explanations and operations of a store")
struct RecordTests {
  private let fixture = StoreFixture()

  @Test("G7: the history tells everything that happened, latest first")
  func history() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    let (starts, expires) = (StoreFixture.start + .seconds(5), StoreFixture.start + .seconds(9))
    try await store.grant(
      5, to: alice, source: .promotion("p"), priority: 3, starts: starts, expires: expires, request: "g")
    _ = try await store.debit(1, from: alice, request: "denied", extent: .upTo)
    fixture.clock.advance(by: .seconds(6))
    _ = try await store.debit(2, from: alice, request: "d")
    fixture.clock.advance(by: .seconds(6))
    try await store.tick()
    try await store.freeze(alice, reason: "why", request: "f")
    try await store.unfreeze(alice, request: "u")
    try await store.close(alice, reason: "bye", request: "c")
    _ = try await store.debit(1, from: alice, request: "late")
    let history = try await store.history(of: alice)
    #expect(history.end == .complete)
    let entries = history.entries.reversed().map { $0 }
    #expect(
      entries.map(\.kind) == [
        .opened, .granted, .denied, .begun, .debited, .expired, .exhausted, .frozen, .unfrozen, .closed,
        .denied,
      ])
    #expect(entries.map(\.sequence.value) == Array(1...11) && entries.map(\.previous.value) == Array(0...10))
    #expect(entries.map(\.available) == [0, 0, 0, 5, 3, 0, 0, 0, 0, 0, 0])
    #expect(entries.map(\.availableBefore) == [0, 0, 0, 0, 5, 3, 0, 0, 0, 0, 0])
    #expect(entries[0].text == "alice" && entries[7].text == "why" && entries[9].text == "bye")
    #expect(entries[1].source == .promotion("p") && entries[1].priority == 3)
    #expect(entries[1].starts == starts && entries[1].expires == expires)
    #expect(entries[2].denial == .insufficient(available: 0, needed: 1) && entries[2].declined == .debited)
    #expect(entries[3].request == nil && entries[3].time == StoreFixture.start + .seconds(6))
    #expect(entries[4].request == "d" && entries[4].parts.map(\.grant) == [1])
    #expect(entries[5].amount == 3 && entries[10].denial == .closed)
    #expect(try await store.history(of: alice, limit: 3).entries == Array(history.entries.prefix(3)))
    #expect(try await store.history(of: alice, limit: 0).end == .limit)
    #expect(try await store.history(of: "nobody").entries.isEmpty)
    var seen: [JournalEntry] = []
    try store.forEachEntry(from: SequenceNumber(4)) { entry in
      seen.append(entry)
      return seen.count < 3
    }
    #expect(seen == Array(entries[3..<6]))
    try await store.close()
  }

  @Test("G7: a denied grant is explained with what was asked")
  func deniedGrant() async throws {
    let (store, alice) = try await fixture.open(with: 5)
    try await store.close(alice, request: "c")
    _ = await refusal { () throws(StoreError) in
      try await store.grant(7, to: alice, source: .promotion("p"), priority: 9, request: "g")
    }
    let entry = try #require(try await store.explain("g", of: alice)?.entry)
    #expect(
      entry.denial == .closed && entry.declined == .granted && entry.amount == 7 && entry.source == .promotion("p"))
    #expect(entry.priority == 9)
    try await store.close()
  }

  @Test("G8: verify counts what it proved, to the millionth")
  func verify() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.grant(3, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(1), request: "x")
    _ = try await store.debit(1.000001, from: alice, request: "d")
    fixture.clock.advance(by: .seconds(2))
    try await store.tick()
    let report = try await store.verify()
    #expect(report.problem == nil && report.accounts == 1 && report.entries == 5 && report.partialAccounts == 0)
    #expect(report.grantedMillionths == 13_000_000 && report.spentMillionths == 1_000_001)
    #expect(report.expiredMillionths == 1_999_999 && report.availableMillionths == 10_000_000)
    try await store.close()
  }

  @Test("a backup of the running store opens as a store of its own")
  func backup() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    _ = try await store.debit(4, from: alice, request: "d")
    let target = fixture.place.place("backup")
    try await store.backup(to: target)
    _ = try await store.debit(1, from: alice, request: "after")
    let again = await failure { () throws(StoreError) in try await store.backup(to: target) }
    #expect(again?.code == "invalid-argument")
    let copy = try CreditStore.open(at: target, settings: fixture.settings)
    #expect(try copy.balance(of: alice)?.available == 6)
    #expect(try await copy.verify().problem == nil)
    #expect(try await copy.debit(4, from: alice, request: "d").receipt?.isReplay == true)
    #expect(try await copy.debit(1, from: alice, request: "after").receipt?.isReplay == false)
    try await copy.close()
    try await store.close()
  }

  @Test("statistics say what the store holds")
  func statistics() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    _ = try await store.debit(4, from: alice, request: "d")
    let statistics = try store.statistics()
    #expect(statistics.last.value == 3 && statistics.firstKept.value == 1 && statistics.residentAccounts == 1)
    #expect(statistics.entries == 3 && statistics.commits >= 1 && statistics.fileBytes >= statistics.usedBytes)
    #expect(statistics.mapBytes == 1 << 30 && statistics.windowBytes > 0 && statistics.replayed == 0)
    try await store.close()
    let reopened = try fixture.open()
    let after = try reopened.statistics()
    #expect(after.last.value == 3 && after.checkpoint.value == 3 && after.accounts == 1 && after.replayed == 0)
    #expect(after.residentAccounts == 0, "opening reads no account")
    try await reopened.close()
  }

  @Test("the file of a store whose commits are synced is longer than it need be, and small commits leave it so long")
  func runway() async throws {
    let fixture = StoreFixture { $0.durability = .synced }
    let (store, alice) = try await fixture.open(with: 1_000)
    let before = try store.statistics()
    #expect(before.fileBytes >= before.usedBytes + 65_536)
    for number in 0..<20 { _ = try await store.debit(1, from: alice, request: RequestID(UInt64(number))) }
    let after = try store.statistics()
    #expect(after.fileBytes == before.fileBytes && after.commits >= before.commits + 19)
    try await store.close()
    let unsynced = try StoreFixture().open()
    #expect(try unsynced.statistics().fileBytes < before.fileBytes)
    try await unsynced.close()
  }

  @Test("a closed store says so, on every door")
  func closed() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.close()
    try await store.close()
    #expect(
      await failure { () throws(StoreError) in _ = try await store.debit(1, from: alice, request: "1") } == .closed)
    #expect(
      await failure { () throws(StoreError) in _ = try await store.debit(11, from: alice, request: "1") } == .closed)
    #expect(
      await failure { () throws(StoreError) in _ = try await store.debit(1, from: "nobody", request: "1") } == .closed)
    #expect(
      await failure { () throws(StoreError) in
        try await store.grant(1, to: alice, source: .allowance, request: "2")
      } == .closed)
    #expect(await failure { () throws(StoreError) in try await store.open("bob") } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try store.account(alice) } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try store.statistics() } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try store.balance(of: "nobody") } == .closed)
    #expect(await failure { () throws(StoreError) in try store.forEachEntry { _ in true } } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try await store.trim(before: .latest) } == .closed)
    #expect(!store.canAfford(1, alice))
    // These once stopped the program: they went to the disk without asking whether the store is open.
    #expect(await failure { () throws(StoreError) in _ = try await store.history(of: alice) } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try await store.explain("d", of: alice) } == .closed)
    #expect(await failure { () throws(StoreError) in _ = try await store.verify() } == .closed)
    #expect(await failure { () throws(StoreError) in try await store.tick() } == .closed)
    #expect(
      await failure { () throws(StoreError) in try await store.backup(to: fixture.place.place("late")) } == .closed)
  }

  @Test("what cannot be opened is refused with a reason")
  func opening() async throws {
    let never = StoreFixture { $0.creation = .never }
    let path = never.place.path
    #expect(await failure { () throws(StoreError) in _ = try never.open() } == .notFound(path: path))
    let store = try fixture.open()
    let second = await failure { () throws(StoreError) in _ = try fixture.open() }
    #expect(second?.code == "locked")
    let reader = await failure { () throws(StoreError) in
      _ = try CreditReader.open(at: fixture.place.path, settings: fixture.settings)
    }
    #expect(reader?.code == "locked")
    try await store.close()
    let other = await failure { () throws(StoreError) in
      _ = try CreditStore.open(at: fixture.place.folder, settings: fixture.settings)
    }
    #expect(other?.code == "not-a-store", "a folder with other things in it")
  }

  @Test("a reader sees balances, history and proofs, brought up to date from the journal")
  func reader() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.grant(2, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(5), request: "x")
    _ = try await store.debit(3, from: alice, request: "d")
    let copy = fixture.place.place("copy")
    try await store.backup(to: copy)
    let reader = try CreditReader.open(at: copy, settings: fixture.settings)
    #expect(try reader.balance(of: alice) == store.balance(of: alice))
    #expect(try reader.account(alice) == store.account(alice))
    #expect(try await reader.history(of: alice) == store.history(of: alice))
    #expect(try await reader.explain("d", of: alice) == store.explain("d", of: alice))
    #expect(try reader.balance(of: "nobody") == nil)
    #expect(try await reader.verify().problem == nil)
    #expect(try reader.statistics().last.value == 4)
    fixture.clock.advance(by: .seconds(5))
    #expect(try reader.balance(of: alice)?.available == 9, "what has expired is not shown, though no entry says so")
    try await store.close()
  }
}
