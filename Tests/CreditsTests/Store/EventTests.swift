import Credits
import CreditsTesting
import Testing

@Suite("The feed of events", .timeLimit(.minutes(10)))
struct EventTests {
  private let fixture = StoreFixture()

  /// The next so many events of a feed.
  private func take(_ count: Int, _ feed: EventFeed) async throws -> [JournalEntry] {
    var events: [JournalEntry] = []
    var iterator = feed.makeAsyncIterator()
    while events.count < count, let event = try await iterator.next() { events.append(event) }
    return events
  }

  @Test("a consumer gets every event in the order of the journal, none left out, without the traffic of debits")
  func order() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    #expect(try await store.addConsumer("mailer") == .none)
    try await store.setAlerts([120], for: alice, request: "alerts")
    _ = try await store.debit(51, from: alice, request: "1")
    _ = try await store.debit(5_000, from: alice, request: "2")
    try await store.worker(ScriptedGateway()).work()
    let events = try await take(9, store.events(for: "mailer"))
    #expect(
      events.map(\.kind) == [
        .opened, .granted, .methodSaved, .refillSet, .alertsSet, .alerted, .due, .charging, .credited,
      ])
    #expect(events.map(\.sequence.value) == [1, 2, 3, 4, 5, 7, 8, 10, 11])
    let all = try await take(11, store.events(for: "mailer", of: Set(JournalEntry.Kind.allCases)))
    #expect(all.map(\.sequence.value) == Array(1...11))
    let some = try await take(2, store.events(for: "mailer", of: [.denied, .debited]))
    #expect(some.map(\.kind) == [.debited, .denied])
    try await store.close()
  }

  @Test("what was not acknowledged is told again, what was is not; the cursor survives a reopening and never goes back")
  func cursor() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    try await store.addConsumer("mailer")
    for number in UInt64(1)...5 {
      try await store.grant(1, to: alice, source: .allowance, request: RequestID(number))
    }
    #expect(try await take(7, store.events(for: "mailer")).map(\.sequence.value) == Array(1...7))
    #expect(try await take(7, store.events(for: "mailer")).map(\.sequence.value) == Array(1...7), "again")
    try await store.acknowledge(SequenceNumber(4), by: "mailer")
    try await store.acknowledge(SequenceNumber(2), by: "mailer")
    #expect(store.consumers == ["mailer": SequenceNumber(4)])
    store = try await fixture.reopen(store)
    #expect(store.consumers == ["mailer": SequenceNumber(4)])
    #expect(try await store.addConsumer("mailer", after: .none) == SequenceNumber(4), "it stays where it is")
    #expect(try await take(3, store.events(for: "mailer")).map(\.sequence.value) == [5, 6, 7])
    // Nobody can acknowledge what has not happened.
    try await store.acknowledge(SequenceNumber(99), by: "mailer")
    #expect(store.consumers == ["mailer": SequenceNumber(7)])
    try await store.grant(1, to: alice, source: .allowance, request: "new")
    #expect(try await take(1, store.events(for: "mailer")).map(\.sequence.value) == [8])
    try await store.close()
  }

  @Test("two consumers each have their own cursor, and each gets every event")
  func two() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.addConsumer("a")
    try await store.addConsumer("b", after: SequenceNumber(1))
    try await store.acknowledge(SequenceNumber(2), by: "a")
    try await store.grant(1, to: alice, source: .allowance, request: "g")
    #expect(try await take(1, store.events(for: "a")).map(\.sequence.value) == [3])
    #expect(try await take(2, store.events(for: "b")).map(\.sequence.value) == [2, 3])
    #expect(
      try await store.addConsumer("late", after: SequenceNumber(99)) == SequenceNumber(3), "no further than there is")
    #expect(try await store.removeConsumer("a"))
    #expect(try await !store.removeConsumer("a"))
    #expect(Set(store.consumers.keys) == ["b", "late"])
    try await store.close()
  }

  @Test("a feed waits for the next event, tells it once it is durable, and ends when the store is closed")
  func waiting() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.addConsumer("mailer", after: SequenceNumber(2))
    let feed = store.events(for: "mailer")
    let reader = Task { () throws -> [UInt64] in
      var seen: [UInt64] = []
      for try await event in feed { seen.append(event.sequence.value) }
      return seen
    }
    for number in UInt64(1)...20 {
      try await store.grant(1, to: alice, source: .allowance, request: RequestID(number))
    }
    // What is told is what is acknowledged, so that the end is known without waiting for time to pass.
    let last = try await take(20, feed).last
    #expect(last?.sequence.value == 22)
    try await store.close()
    let seen = try await reader.value
    #expect(seen == Array(3...22).prefix(seen.count).map { $0 }, "in order, from the first, until the store was closed")
    #expect(try await take(1, feed).isEmpty)
  }

  @Test("a feed ends when its task is cancelled")
  func cancelled() async throws {
    let (store, _) = try await fixture.open(with: 10)
    try await store.addConsumer("mailer", after: SequenceNumber(2))
    let feed = store.events(for: "mailer")
    let reader = Task { () throws -> Int in
      var count = 0
      for try await _ in feed { count += 1 }
      return count
    }
    reader.cancel()
    #expect(try await reader.value == 0)
    try await store.close()
  }

  @Test("a consumer that is unknown, or has no proper name, is refused")
  func unknown() async throws {
    let (store, _) = try await fixture.open(with: 10)
    var events = store.events(for: "nobody").makeAsyncIterator()
    await #expect(throws: StoreError.self) { _ = try await events.next() }
    let errors = [
      await failure { () throws(StoreError) in try await store.acknowledge(SequenceNumber(1), by: "nobody") },
      await failure { () throws(StoreError) in _ = try await store.addConsumer("") },
      await failure { () throws(StoreError) in _ = try await store.addConsumer(String(repeating: "x", count: 256)) },
    ]
    #expect(errors.map(\.?.code) == Array(repeating: "invalid-argument", count: 3))
    #expect(store.consumers.isEmpty)
    try await store.close()
    #expect(await failure { () throws(StoreError) in try await store.addConsumer("late") } == .closed)
  }

  @Test("the journal is kept until every consumer has seen it")
  func retention() async throws {
    let fixture = StoreFixture {
      $0.windowRequests = 1_024
      $0.checkpointEntries = 1_024
    }
    let (store, alice) = try await fixture.open(with: 1_000_000)
    try await store.addConsumer("slow")
    try await store.addConsumer("quick")
    for number in UInt64(1)...6_000 {
      fixture.clock.advance(by: .seconds(1))
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 200 == 0 { try await store.sync() }
    }
    try await store.acknowledge(SequenceNumber(6_000), by: "quick")
    func trim() async throws -> UInt64 {
      var entries: UInt64 = 0
      for _ in 0..<200 where entries == 0 { entries += try await store.trim(before: .latest).entries }
      return entries
    }
    #expect(try await trim() == 0, "the slow one has seen nothing")
    #expect(try await take(2, store.events(for: "slow")).map(\.kind) == [.opened, .granted])
    try await store.acknowledge(SequenceNumber(2_000), by: "slow")
    _ = try await trim()
    let first = try store.statistics().firstKept
    #expect(first > SequenceNumber(1) && first <= SequenceNumber(2_001))
    let kinds: Set<JournalEntry.Kind> = [.debited]
    #expect(try await take(1, store.events(for: "slow", of: kinds)).map(\.sequence.value) == [2_001])
    #expect(try await store.removeConsumer("slow"))
    #expect(try await trim() > 0)
    try await store.close()
  }
}
