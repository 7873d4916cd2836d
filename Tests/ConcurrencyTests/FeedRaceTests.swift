import CrashSupport
import Credits
import Testing

@Suite("Events and prices beside traffic")
struct FeedRaceTests {
  @Test("Each event is told at least once and in order while thousands of changes are made, also to who begins again")
  func feed() async throws {
    let test = try TestStore()
    let accounts = 20 as UInt64
    try await test.fill(1...accounts, 100)
    let store = test.store
    try await store.addConsumer("steady")
    try await store.addConsumer("forgetful")
    let steps: UInt64 = isSanitized ? 40 : 300
    async let steady = follow(store, "steady", stops: 0)
    async let forgetful = follow(store, "forgetful", stops: 11)
    try await withThrowingTaskGroup { group in
      for number in 1...accounts {
        group.addTask {
          let id = AccountID(number)
          try await store.setAlerts([50], for: id, request: "alerts")
          for step in 1...steps {
            // Down across the alert, and up again.
            _ = try await store.debit(60, from: id, request: RequestID(high: 1, low: step))
            try await store.grant(60, to: id, source: .promotion("back"), request: RequestID(high: 2, low: step))
          }
        }
      }
      try await group.waitForAll()
    }
    try await store.freeze(AccountID(1), reason: "end", request: "end")
    var expected: Set<SequenceNumber> = []
    var alerts = 0
    try store.forEachEntry { (entry) throws(StoreError) in
      if JournalEntry.Kind.events.contains(entry.kind) { expected.insert(entry.sequence) }
      if entry.kind == .alerted { alerts += 1 }
      return true
    }
    #expect(alerts == Int(accounts * steps))
    let runs = try await [steady, forgetful]
    for run in runs {
      #expect(Set(run.joined()) == expected)
      for part in run { #expect(part == part.sorted() && Set(part).count == part.count) }
    }
    #expect(runs[0].count == 1)
    #expect(runs[1].count == 12)
    try await store.close()
  }

  /// Follows the feed up to the end, beginning anew some times; answers what was told in each run.
  private func follow(_ store: CreditStore, _ name: String, stops: Int) async throws -> [[SequenceNumber]] {
    var runs: [[SequenceNumber]] = []
    while true {
      var run: [SequenceNumber] = []
      for try await event in store.events(for: name) {
        run.append(event.sequence)
        if event.sequence.value % 5 == 0 { try await store.acknowledge(event.sequence, by: name) }
        if event.text == "end" { return runs + [run] }
        // Less than was told is acknowledged, so that some are told again.
        if runs.count < stops, run.count == 37 { break }
      }
      runs.append(run)
    }
  }

  @Test("9: price books that are published beside debits by usage: each is charged by the version that it names")
  func prices() async throws {
    let test = try TestStore()
    let callers = 16 as UInt64
    try await test.fill(1...callers, 1_000_000)
    let store = test.store
    func book(_ version: Int64) -> PriceBook {
      PriceBook("book \(version)", features: [PriceBook.Feature("chat", base: Amount(integerLiteral: version))])
    }
    try await store.publish(book(1))
    let books: Int64 = isSanitized ? 10 : 40
    let isOver = Tally()
    let published = Tally()
    published.add()
    try await withThrowingTaskGroup { group in
      for caller in 1...callers {
        group.addTask {
          var latest = Amount.zero
          var step: UInt64 = 0
          while isOver.count == 0 || step < 20 {
            step += 1
            let known = Amount(integerLiteral: Int64(published.count))
            let request = RequestID(high: 3, low: step)
            let outcome = try await store.debit(for: Usage("chat"), from: AccountID(caller), request: request)
            guard case .debited(let receipt) = outcome else {
              Issue.record("\(outcome)")
              break
            }
            // Prices rise with versions: none is older than what was published before the call, or charged before.
            #expect(receipt.amount >= latest && receipt.amount >= known)
            latest = receipt.amount
          }
        }
      }
      group.addTask {
        for version in 2...books {
          let number = try await store.publish(book(version))
          #expect(Int64(number) == version)
          published.add()
        }
        isOver.add()
      }
      try await group.waitForAll()
    }
    _ = try await store.debit(for: Usage("chat"), from: AccountID(1), request: "the last version")
    var versions: Set<UInt32> = []
    try store.forEachEntry { (entry) throws(StoreError) in
      guard entry.kind == .debited else { return true }
      #expect(entry.priceVersion.map { Amount(integerLiteral: Int64($0)) } == entry.amount)
      versions.insert(entry.priceVersion ?? 0)
      return true
    }
    #expect(versions.contains(UInt32(books)))
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }
}
