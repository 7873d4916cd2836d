import Credits
import CreditsTesting
import Testing

@Suite("Cases 10 to 17: grants, expiry, periods")
struct GrantCaseTests {
  private let fixture = StoreFixture()

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

  @Test("Case 10: at the instant of expiry neither a debit, a hold, a usage nor a batch gets anything, without a tick")
  func everyPath() async throws {
    let store = try fixture.open()
    try await store.publish(StoreFixture.book)
    let expires = StoreFixture.start + .seconds(10)
    for name in ["a", "b", "c", "d", "e"] {
      let account = try await store.open(name)
      try await store.grant(10, to: account, source: .allowance, expires: expires, request: "g")
    }
    fixture.clock.now = expires
    let nothing = Denial.Reason.insufficient(available: 0, needed: 4)
    #expect(try await store.debit(4, from: "a", request: "1").denial?.reason == nothing)
    #expect(try await store.debit(for: Usage("image"), from: "b", request: "1").denial?.reason == nothing)
    #expect(try await store.debit([Debit(4, from: "c", request: "1")])[0].denial?.reason == nothing)
    #expect(
      await refusal { () throws(StoreError) in
        _ = try await store.hold(4, on: "d", for: .seconds(9), request: "1")
      } == nothing)
    #expect(!store.canAfford(0.000001, "e"))
    #expect(try await store.debit(1, from: "e", request: "1", extent: .upTo).receipt == nil)
    try await store.close()
  }

  @Test(
    "Case 12: a plan from January 31 comes on February 28 or 29, then on March 31, over reopenings",
    arguments: [
      ("2023-01-31", Period.month, ["2023-02-28", "2023-03-31", "2023-04-30"]),
      ("2024-01-31", .month, ["2024-02-29", "2024-03-31", "2024-04-30"]),
      ("2024-02-29", .year, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
    ])
  func calendar(_ anchor: String, _ period: Period, _ dates: [String]) async throws {
    fixture.clock.now = try #require(Timestamp(anchor))
    var store = try fixture.open()
    let alice = try await store.open("alice")
    try await store.subscribe(alice, to: Plan("pro", allowance: 10, per: period), request: "plan")
    for date in dates {
      let boundary = try #require(Timestamp(date))
      #expect(try store.account(alice)?.plan?.next == boundary)
      _ = try await store.debit(4, from: alice, request: RequestID(date))
      fixture.clock.now = boundary - .microseconds(1)
      try await store.tick()
      #expect(try store.available(alice) == 6)
      fixture.clock.now = boundary
      store = try await fixture.reopen(store)
      try await store.tick()
      #expect(try store.available(alice) == 10)
    }
    let renewed = try await store.history(of: alice).entries.filter { $0.kind == .renewed }
    #expect(renewed.count == dates.count && renewed.map(\.time) == dates.reversed().map { Timestamp($0) })
    try await store.close()
  }

  @Test("Case 13: down for three months: boundaries in order, once each, and allowances do not pile up")
  func down() async throws {
    fixture.clock.now = try #require(Timestamp("2024-01-31"))
    var store = try fixture.open()
    let alice = try await store.open("alice")
    let bob = try await store.open("bob")
    try await store.subscribe(alice, to: Plan("pro", allowance: 10, per: .month), request: "plan")
    try await store.subscribe(bob, to: Plan("pro", allowance: 10, per: .month, rollover: 15), request: "plan")
    _ = try await store.debit(4, from: alice, request: "1")
    try await store.close()
    fixture.clock.now = try #require(Timestamp("2024-04-30"))
    store = try fixture.open()
    #expect(try store.available(alice) == 10, "balances say so before an entry does")
    let opened = store
    async let one: Void = opened.tick()
    async let other = opened.debit(1, from: alice, request: "2")
    _ = try await (one, other)
    try await store.tick()
    let ends = ["2024-03-31", "2024-04-30", "2024-05-31"].map { Timestamp($0) }
    for account in [alice, bob] {
      let renewed = try await store.history(of: account).entries.filter { $0.kind == .renewed }
      #expect(renewed.reversed().map(\.until) == ends && renewed.allSatisfy { $0.amount == 10 })
    }
    #expect(try store.available(alice) == 9 && store.available(bob) == 25)
    store = try await fixture.reopen(store)
    try await store.tick()
    #expect(try store.available(alice) == 9 && store.available(bob) == 25, "the boundary is handled once")
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 14: at a renewal only the allowance is replaced, while purchased credits are held and unspent")
  func renewal() async throws {
    var (store, alice) = try await fixture.open(with: 50)
    try await store.subscribe(alice, to: Plan("pro", allowance: 10, per: .day), request: "plan")
    let hold = try await store.hold(25, on: alice, for: .seconds(7 * 86_400), request: "hold")
    let other = try await store.hold(5, on: alice, for: .seconds(7 * 86_400), request: "other")
    #expect(try store.available(alice) == 30)
    fixture.clock.advance(by: .seconds(86_400))
    store = try await fixture.reopen(store)
    try await store.tick()
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [40, 30])
    #expect(try await store.capture(hold).captured == 25)
    try await store.release(other)
    let summary = try #require(try store.account(alice))
    #expect(summary.balance.available == 45 && summary.granted == 70 && summary.spent == 25 && summary.expired == 0)
    #expect(summary.grants.map(\.kind) == [.allowance, .purchase] && summary.grants.map(\.remaining) == [10, 35])
    try await store.close()
  }

  @Test("Case 15: whatever becomes of the plan in mid-period, each period has exactly one allowance")
  func changes() async throws {
    var store = try fixture.open()
    let alice = try await store.open("alice")
    let day = Duration.seconds(86_400)
    let start = fixture.clock.now
    func plan(_ allowance: Amount, _ period: Period = .day) -> Plan { Plan("p", allowance: allowance, per: period) }
    try await store.subscribe(alice, to: plan(10), request: "1")
    fixture.clock.advance(by: .seconds(60))
    // More, less, more, the same: the most of them is this period's allowance.
    try await store.subscribe(alice, to: plan(20), request: "2")
    try await store.subscribe(alice, to: plan(5), request: "3")
    try await store.subscribe(alice, to: plan(20), request: "4")
    try await store.unsubscribe(alice, request: "5")
    try await store.subscribe(alice, to: plan(20), request: "6")
    #expect(try store.available(alice) == 20 && store.account(alice)?.granted == 20)
    // A moved anchor: the present period ends as it was to, the next is short and has its part.
    try await store.subscribe(alice, to: plan(20), anchor: start + .seconds(86_400 / 4), request: "7")
    #expect(try store.account(alice)?.plan?.next == start + day)
    store = try await fixture.reopen(store)
    fixture.clock.now = start + day
    try await store.tick()
    #expect(try store.available(alice) == 5 && store.account(alice)?.plan?.next == start + .seconds(86_400 * 5 / 4))
    fixture.clock.now = start + .seconds(86_400 * 5 / 4)
    try await store.tick()
    #expect(try store.available(alice) == 20)
    // Another period takes over at the boundary.
    try await store.subscribe(alice, to: plan(70, .week), request: "8")
    #expect(try store.available(alice) == 20)
    fixture.clock.now = start + .seconds(86_400 * 9 / 4)
    try await store.tick()
    #expect(try store.available(alice) == 70)
    let summary = try #require(try store.account(alice))
    #expect(summary.granted == 20 + 5 + 20 + 70 && summary.expired == 45)
    #expect(summary.plan?.next == start + .seconds(86_400 * 37 / 4) && summary.plan?.change == nil)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 16: a grant that is to start begins after a reopening, too, without traffic")
  func beginLater() async throws {
    var store = try fixture.open()
    let alice = try await store.open("alice")
    let starts = StoreFixture.start + .seconds(10)
    try await store.grant(10, to: alice, source: .promotion("p"), starts: starts, request: "g")
    store = try await fixture.reopen(store)
    fixture.clock.now = starts - .microseconds(1)
    try await store.tick()
    #expect(try store.available(alice) == 0 && !store.canAfford(1, alice))
    #expect(try await store.debit(1, from: alice, request: "1").denial != nil)
    fixture.clock.now = starts
    try await store.tick()
    #expect(try await store.history(of: alice).entries.first?.kind == .begun)
    #expect(try await store.debit(1, from: alice, request: "2").receipt?.balance == 9)
    try await store.close()
  }

  @Test("Case 17: of a grant that expires with a part in a hold, only the free part goes")
  func partHeld() async throws {
    var store = try fixture.open()
    let alice = try await store.open("alice")
    let expires = StoreFixture.start + .seconds(10)
    try await store.grant(10, to: alice, source: .allowance, expires: expires, request: "g")
    let hold = try await store.hold(4, on: alice, for: .seconds(60), request: "hold")
    fixture.clock.now = expires
    try await store.tick()
    let entry = try #require(try await store.latest(.expired, of: alice))
    #expect(entry.amount == 6 && entry.parts.map(\.grant) == [1])
    store = try await fixture.reopen(store)
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [0, 4])
    #expect(try await store.capture(hold).captured == 4)
    let summary = try #require(try store.account(alice))
    #expect(summary.spent == 4 && summary.expired == 6 && summary.balance.held == 0)
    try await store.close()
  }
}
