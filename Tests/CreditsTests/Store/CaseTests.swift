import Credits
import CreditsTesting
import Testing

@Suite("The forty cases, as far as they concern accounts, grants and debits")
struct CaseTests {
  private let fixture = StoreFixture()

  @Test("Case 1, G1: two debits race for the last credits: exactly one succeeds, the other sees what was left")
  func race() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    async let first = store.debit(7, from: alice, request: "1")
    async let second = store.debit(7, from: alice, request: "2")
    let outcomes = try await [first, second]
    #expect(outcomes.compactMap(\.receipt).map(\.balance) == [3])
    #expect(outcomes.compactMap(\.denial).map(\.reason) == [.insufficient(available: 3, needed: 7)])
    try await store.close()
  }

  @Test(
    "Case 2, G2: the same request again gives the original outcome: at once, after a reopening, after its grant is gone"
  )
  func replay() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let outcome = try await store.debit(4, from: alice, request: "req")
    let original = try #require(outcome.receipt)
    for round in 0..<3 {
      let again = try #require(try await store.debit(4, from: alice, request: "req").receipt)
      #expect(again.isReplay && again.sequence == original.sequence && again.balance == original.balance)
      #expect(again.time == original.time && again.amount == 4)
      if round == 0 { _ = try await store.debit(6, from: alice, request: "rest") }
      let last = try store.statistics().last
      try await store.close()
      fixture.clock.advance(by: .seconds(60))
      store = try fixture.open()
      #expect(try store.statistics().last == last, "a replay adds no entry")
    }
    let grant = try await store.grant(10, to: alice, source: .purchase("order-17"), request: "order-17")
    #expect(grant.isReplay && grant.balance == 10)
    #expect(try store.balance(of: alice)?.available == 0)
    try await store.close()
  }

  @Test("Case 3, G2: the same request with other contents is a conflict, and the original stays")
  func conflict() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let original = try #require(try await store.debit(4, from: alice, request: "req").receipt)
    let conflict = Denial.Reason.conflict(with: original.sequence)
    #expect(try await store.debit(5, from: alice, request: "req").denial?.reason == conflict)
    #expect(try await store.debit(4, from: alice, request: "req", extent: .upTo).denial?.reason == conflict)
    #expect(try await store.debit(0, from: alice, request: "req").denial?.sequence == nil)
    let verbs = await refusal { () throws(StoreError) in try await store.freeze(alice, request: "req") }
    #expect(verbs == conflict)
    let grant = await refusal { () throws(StoreError) in
      try await store.grant(10, to: alice, source: .purchase("order-18"), request: "order-17")
    }
    #expect(grant == .conflict(with: SequenceNumber(2)))
    #expect(try await store.debit(4, from: alice, request: "req").receipt?.sequence == original.sequence)
    #expect(try store.statistics().last == original.sequence)
    try await store.close()
  }

  @Test("one request id is of one account: another account's is another request")
  func ownSpace() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let bob = try await store.open("bob")
    try await store.grant(5, to: bob, source: .allowance, request: "order-17")
    _ = try await store.debit(4, from: alice, request: "req")
    #expect(try await store.debit(5, from: bob, request: "req").receipt?.isReplay == false)
    try await store.close()
  }

  @Test("Case 4, G2: a denial stays a denial, with credit arrived meanwhile and after a reopening")
  func denial() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let original = try #require(try await store.debit(11, from: alice, request: "req").denial)
    try await store.grant(100, to: alice, source: .allowance, request: "more")
    for _ in 0..<2 {
      let again = try #require(try await store.debit(11, from: alice, request: "req").denial)
      #expect(again.isReplay && again.reason == original.reason && again.sequence == original.sequence)
      try await store.close()
      store = try fixture.open()
    }
    #expect(try await store.debit(12, from: alice, request: "req").denial?.reason != original.reason)
    #expect(try await store.debit(11, from: alice, request: "new").receipt?.balance == 99)
    try await store.close()
  }

  @Test(
    "Case 6: zero, negative and overflowing amounts are refused before anything is touched",
    arguments: [0, -1, Int64.min])
  func amounts(_ millionths: Int64) async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let amount = Amount(millionths: millionths)
    let denial = try #require(try await store.debit(amount, from: alice, request: "1").denial)
    #expect(denial.reason == .invalid && denial.sequence == nil)
    let grant = await refusal { () throws(StoreError) in
      try await store.grant(amount, to: alice, source: .allowance, request: "2")
    }
    #expect(grant == .invalid)
    #expect(
      try await store.debit(1, from: alice, request: "1").receipt?.balance == 9, "the id is free for another attempt")
    try await store.close()
  }

  @Test("Case 7: parts taken from grants sum to the whole, to the millionth")
  func parts() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    for number in 0..<30 {
      try await store.grant(
        0.333333, to: alice, source: .allowance, request: RequestID(UInt64(100 + number)), acknowledge: .applied)
    }
    let receipt = try #require(try await store.debit(9.999989, from: alice, request: "req").receipt)
    #expect(receipt.balance == 0.000001)
    let entry = try #require(try await store.explain("req", of: alice)?.entry)
    #expect(entry.parts.count == 30 && entry.parts.reduce(0) { $0 + $1.amount } == 9.999989)
    try await store.close()
  }

  @Test("Case 8: more than available is denied whole; up to it takes what there is, only when asked for")
  func upTo() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    #expect(
      try await store.debit(11, from: alice, request: "1").denial?.reason == .insufficient(available: 10, needed: 11))
    #expect(try store.balance(of: alice)?.available == 10)
    let receipt = try #require(try await store.debit(11, from: alice, request: "2", extent: .upTo).receipt)
    #expect(receipt.amount == 10)
    #expect(try await store.explain("2", of: alice)?.entry.asked == 11)
    #expect(try await store.debit(11, from: alice, request: "2", extent: .upTo).receipt?.isReplay == true)
    try await store.close()
  }

  @Test("Case 10: a grant cannot be used at the very instant of its expiry")
  func expiry() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    let expires = StoreFixture.start + .seconds(10)
    try await store.grant(10, to: alice, source: .allowance, expires: expires, request: "g")
    fixture.clock.now = expires - .microseconds(1)
    #expect(try await store.debit(1, from: alice, request: "1").receipt?.balance == 9)
    fixture.clock.now = expires
    #expect(try store.balance(of: alice)?.available == 0)
    #expect(
      try await store.debit(1, from: alice, request: "2").denial?.reason == .insufficient(available: 0, needed: 1))
    let summary = try #require(try store.account(alice))
    #expect(summary.expired == 9 && summary.spent == 1 && summary.granted == 10)
    try await store.close()
  }

  @Test("Case 11: a debit over several grants is one entry, and ties are broken the same way after a restart")
  func order() async throws {
    var store = try fixture.open()
    let alice = try await store.open("alice")
    let expires = StoreFixture.start + .seconds(1_000)
    for number in UInt64(1)...4 {
      try await store.grant(1, to: alice, source: .allowance, expires: expires, request: RequestID(number))
    }
    _ = try await store.debit(1.5, from: alice, request: "first")
    try await store.close()
    store = try fixture.open()
    try await store.grant(1, to: alice, source: .allowance, priority: 0, request: "better")
    _ = try await store.debit(2.5, from: alice, request: "second")
    let first = try #require(try await store.explain("first", of: alice))
    #expect(first.entry.parts.map(\.grant) == [1, 2], "an earlier debit is not attributed anew")
    #expect(first.entry.parts.map(\.amount) == [1, 0.5])
    let second = try #require(try await store.explain("second", of: alice))
    #expect(second.entry.parts.map(\.grant) == [5, 2, 3] && second.entry.parts.map(\.amount) == [1, 0.5, 1])
    #expect(second.grants.map { $0.parts[0].grant } == [5, 2, 3])
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 16: a grant cannot be spent before it starts, and a subscriber sees it begin without traffic")
  func begin() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    let starts = StoreFixture.start + .seconds(10)
    let receipt = try await store.grant(10, to: alice, source: .allowance, starts: starts, request: "g")
    #expect(receipt.balance == 0 && receipt.amount == 10)
    #expect(try await store.debit(1, from: alice, request: "1", extent: .upTo).receipt == nil)
    var updates = store.balances(of: alice).makeAsyncIterator()
    #expect(await updates.next()?.available == 0)
    fixture.clock.now = starts
    try await store.tick()
    #expect(await updates.next()?.available == 10)
    #expect(try await store.history(of: alice).entries.first?.kind == .begun)
    #expect(try await store.debit(10, from: alice, request: "2").receipt?.balance == 0)
    try await store.close()
  }

  @Test("Case 36, G4: the clock goes back: time does not, and nothing un-expires")
  func back() async throws {
    var store = try fixture.open()
    let alice = try await store.open("alice")
    try await store.grant(5, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(10), request: "g")
    try await store.grant(5, to: alice, source: .allowance, request: "h")
    fixture.clock.advance(by: .seconds(20))
    let late = try #require(try await store.debit(1, from: alice, request: "1").receipt)
    fixture.clock.advance(by: .seconds(-3_600))
    let early = try #require(try await store.debit(1, from: alice, request: "2").receipt)
    #expect(early.time == late.time && early.balance == 3)
    try await store.close()
    store = try fixture.open()
    let reopened = try #require(try await store.debit(1, from: alice, request: "3").receipt)
    #expect(reopened.time == late.time && reopened.balance == 2)
    let times = try await store.history(of: alice).entries.map(\.time)
    #expect(times == times.sorted(by: >))
    try await store.close()
  }

  @Test("Case 36: a jump ahead beyond the limit is refused and reported, until it is accepted")
  func jump() async throws {
    let fixture = StoreFixture { $0.clockJump = .seconds(60) }
    let (store, alice) = try await fixture.open(with: 10)
    try await store.grant(1, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(90), request: "g")
    fixture.clock.advance(by: .seconds(100))
    let expected = StoreError.clockJumped(from: StoreFixture.start, to: fixture.clock.now)
    #expect(
      await failure { () throws(StoreError) in _ = try await store.debit(1, from: alice, request: "1") } == expected)
    #expect(await failure { () throws(StoreError) in try await store.tick() } == expected)
    #expect(try store.balance(of: alice)?.available == 11, "balances stay as of the last good time")
    store.acceptClock()
    #expect(try await store.debit(1, from: alice, request: "1").receipt?.balance == 9)
    try await store.close()
  }

  @Test("Case 39: a subscriber gets the newest balance, versions only rise, and expiry is an update, too")
  func subscriber() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.grant(5, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(9), request: "g")
    var updates = store.balances(of: alice).makeAsyncIterator()
    #expect(await updates.next()?.available == 15)
    for number in UInt64(1)...5 { _ = try await store.debit(1, from: alice, request: RequestID(number)) }
    var newest = try #require(await updates.next())
    // The commit that made the last debit durable may still be telling: it comes next, then.
    while newest.available != 10 {
      let next = try #require(await updates.next())
      #expect(next.version > newest.version)
      newest = next
    }
    try await store.grant(1, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(9), request: "h")
    #expect(await updates.next()?.available == 11)
    fixture.clock.advance(by: .seconds(9))
    try await store.tick()
    let expired = try #require(await updates.next())
    #expect(expired.available == 10 && expired.version > newest.version)
    try await store.close()
    #expect(await updates.next() == nil)
    var unknown = store.balances(of: "nobody").makeAsyncIterator()
    #expect(await unknown.next() == nil)
  }

  @Test("Case 40, G7: a debit is explained in full within retention, and beyond it the answer is outside retention")
  func disputed() async throws {
    let fixture = StoreFixture {
      $0.windowRequests = 1_024
      $0.checkpointEntries = 1_024
    }
    let (store, alice) = try await fixture.open(with: 1_000_000)
    _ = try await store.debit(3, from: alice, request: "disputed")
    let explanation = try #require(try await store.explain("disputed", of: alice))
    #expect(explanation.entry.amount == 3 && explanation.entry.availableBefore == 1_000_000)
    #expect(explanation.entry.available == 999_997 && explanation.grants.map(\.source) == [.purchase("order-17")])
    #expect(try await store.explain("never", of: alice) == nil)
    for number in UInt64(1)...6_000 {
      fixture.clock.advance(by: .seconds(1))
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 200 == 0 { try await store.sync() }
    }
    let trimmed = try await trim(store)
    #expect(trimmed > 2)
    let outside = StoreError.outsideRetention(before: try store.statistics().firstKept)
    #expect(await failure { () throws(StoreError) in _ = try await store.explain("disputed", of: alice) } == outside)
    #expect(await failure { () throws(StoreError) in _ = try await store.explain("never", of: alice) } == outside)
    let history = try await store.history(of: alice, limit: 10_000)
    #expect(history.end == .outsideRetention && history.entries.count == 6_003 - Int(trimmed))
    #expect(try await store.history(of: alice, limit: 10).end == .limit)
    #expect(try await store.explain(RequestID(6_000), of: alice)?.grants == [], "the grant's own entry is trimmed")
    let report = try await store.verify()
    #expect(report.problem == nil && report.partialAccounts == 1)
    try await store.close()
    let reopened = try fixture.open()
    #expect(try reopened.balance(of: alice)?.available == 993_997)
    #expect(try await reopened.debit(1, from: alice, request: RequestID(6_000)).receipt?.isReplay == true)
    try await reopened.close()
  }

  /// Trims all that may go; the committer's sweep may need some commits to let it.
  private func trim(_ store: CreditStore) async throws -> UInt64 {
    var entries: UInt64 = 0
    for _ in 0..<200 where entries == 0 { entries += try await store.trim(before: .latest).entries }
    return entries
  }
}
