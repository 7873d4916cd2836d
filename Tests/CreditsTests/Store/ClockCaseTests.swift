import Credits
import CreditsTesting
import Glibc
import Testing

@Suite("Cases 36 to 40: clock, disk, processes, audit")
struct ClockCaseTests {
  private let fixture = StoreFixture()

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

  /// Where all accounts in memory had changes that were not committed yet, another one was shown as it was on the disk,
  /// without what time had done since: expired credits were there, and credits of a hold that was over were not.
  @Test("Case 16: what time has done shows of an account that finds no room in memory, too")
  func crowded() async throws {
    let fixture = StoreFixture { $0.residentAccounts = 1_024 }
    let key = HashKey(1, 3, 5)
    // Nothing is committed but when it is asked for.
    var settings = fixture.settings
    settings.simulation = Simulation(store: "s", key: key, commit: {})
    try await CreditStore.open(at: fixture.place.path, settings: settings).close()
    // Accounts that share one part of the memory, more than it has room for.
    let accounts = Array((0..<100_000).lazy.map { AccountID($0) }.filter { key.hash($0) >> 58 == 7 }.prefix(40))
    let prepared = try fixture.open()
    let end = fixture.clock.now + .seconds(60)
    for (number, account) in accounts.enumerated() {
      try await prepared.open(account)
      try await prepared.grant(
        10, to: account, source: .promotion("spring"), expires: account == accounts[0] ? end : nil,
        request: RequestID(UInt64(number + 1)))
    }
    _ = try await prepared.hold(4, on: accounts[1], for: .seconds(60), request: "hold")
    try await prepared.close()
    let store = try CreditStore.open(at: fixture.place.path, settings: settings)
    let limit = store.simulated.stripeLimit
    try #require(limit + 2 <= accounts.count)
    for account in accounts[2..<limit + 2] {
      _ = try await store.debit(1, from: account, request: "d", acknowledge: .applied)
    }
    #expect(try store.balance(of: accounts[0])?.available == 10 && store.balance(of: accounts[1])?.available == 6)
    fixture.clock.now = end
    #expect(store.simulated.residentCount == limit, "there is no room")
    #expect(try store.balance(of: accounts[0])?.available == 0 && store.balance(of: accounts[1])?.available == 10)
    #expect(!store.canAfford(1, accounts[0]) && store.canAfford(10, accounts[1]))
    #expect(try store.account(accounts[0])?.expired == 10 && store.account(accounts[1])?.holds == [])
    #expect(store.simulated.residentCount == limit)
    try await store.close()
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

  @Test("Case 36: back or ahead, plans, holds and pauses go by the account's own time")
  func backWithEverything() async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    let hold = try await store.hold(10, on: alice, for: .seconds(60), request: "hold")
    try await store.subscribe(alice, to: Plan("p", allowance: 10, per: .day), request: "plan")
    fixture.clock.advance(by: .seconds(86_400))
    try await store.tick()
    let last = try #require(try await store.history(of: alice).entries.first)
    fixture.clock.advance(by: .seconds(-90_000))
    store = try await fixture.reopen(store)
    try await store.tick()
    #expect(try store.account(alice)?.holds == [] && store.account(alice)?.plan?.next == last.time + .seconds(86_400))
    #expect(try await store.capture(hold).cause == .deadline, "the hold does not come back")
    let next = try await store.setAlerts([5], for: alice, request: "alerts")
    #expect(next.time == last.time && next.sequence > last.sequence)
    let summary = try #require(try store.account(alice))
    #expect(summary.granted == 170 && summary.expired == 10, "the renewal is not undone")
    try await store.close()
  }

  @Test("Case 37: the map is full: the whole commit fails, nothing is half-written, and no card is charged for it")
  func mapFull() async throws {
    let fixture = StoreFixture { $0.mapSize = 1 << 20 }
    var (store, alice) = try await fixture.openWithRefill(1_000_000)
    let card = try #require(try store.account(alice)).methods[0]
    let gateway = ScriptedGateway()
    // Fills the map with intents to buy, each of which is charged only if it is durable.
    var durable: Set<String> = []
    var error: StoreError?
    var number: UInt64 = 0
    while error == nil {
      number += 1
      do throws(StoreError) {
        if number % 8 == 1 {
          durable.insert(try await store.purchase(.pack(500), for: alice, with: card, request: RequestID(number)).key)
          try await store.worker(gateway).work()
        } else {
          let debits = (0..<500).map { Debit(0.000001, from: alice, request: RequestID(number << 32 + $0 + 1)) }
          _ = try await store.debit(debits)
        }
      } catch let failure { error = failure }
      try #require(number < 10_000)
    }
    #expect(error?.code == "map-full")
    let balance = await failure { () throws(StoreError) in
      _ = try await store.purchase(.pack(500), for: alice, with: card, request: "after")
    }
    #expect(balance?.code == "stopped" || balance?.code == "map-full")
    _ = await failure { () throws(StoreError) in try await store.worker(gateway).work() }
    #expect(Set(gateway.orders.keys).isSubset(of: durable), "no charge without a durable intent")
    _ = await failure { () throws(StoreError) in try await store.close() }
    var settings = fixture.settings
    settings.mapSize = 1 << 26
    store = try CreditStore.open(at: fixture.place.path, settings: settings)
    #expect(try await store.verify().problem == nil)
    #expect(try await store.explain("after", of: alice) == nil)
    try await store.worker(gateway).work()
    let summary = try #require(try store.account(alice))
    #expect(summary.charges.isEmpty && gateway.chargedTwice.isEmpty)
    #expect(summary.granted == Amount(millionths: 1_000_000_000_000 + 500_000_000 * Int64(gateway.taken.count)))
    try await store.close()
  }

  @Test("Case 38: a second opening is refused, naming the holder")
  func second() async throws {
    let (store, _) = try await fixture.open(with: 10)
    let error = await failure { () throws(StoreError) in _ = try fixture.open() }
    #expect(error == .locked(path: fixture.place.path, holder: getpid()))
    try await store.close()
  }

  @Test("Case 38: a restored backup charges nothing until it is resumed by hand, over reopenings; the original goes on")
  func restored() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    let card = try #require(try store.account(alice)).methods[0]
    _ = try await store.debit(51, from: alice, request: "1")
    try await store.purchase(.pack(2_500), for: alice, with: card, request: "buy")
    let path = fixture.place.place("backup")
    try await store.backup(to: path)
    let (original, other) = (ScriptedGateway(), ScriptedGateway())
    try await store.worker(original).work()
    #expect(!store.chargesArePaused && original.total == 120_00)
    var copy = try CreditStore.open(at: path, settings: fixture.settings)
    for _ in 0..<2 {
      #expect(copy.chargesArePaused)
      try await copy.worker(other).work()
      _ = try await copy.debit(1, from: alice, request: "2")
      #expect(try copy.refillState(of: alice) == "due", "all else goes on; refills come due and wait")
      #expect(other.calls == 0)
      try await copy.close()
      copy = try CreditStore.open(at: path, settings: fixture.settings)
    }
    try await copy.resumeCharges()
    for _ in 0..<2 {
      #expect(!copy.chargesArePaused)
      try await copy.worker(other).work()
      #expect(other.calls == 2)
      try await copy.close()
      copy = try CreditStore.open(at: path, settings: fixture.settings)
    }
    try await copy.close()
    try await store.close()
  }

  @Test("Case 38: a copy made while a charge is on its way looks it up, and sends nothing")
  func restoredWhileCharging() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.chargeAndFail])
    try await store.worker(gateway).work()
    let path = fixture.place.place("backup")
    try await store.backup(to: path)
    let copy = try CreditStore.open(at: path, settings: fixture.settings)
    fixture.clock.advance(by: .seconds(10))
    try await copy.worker(gateway).work()
    #expect(gateway.calls == 1 && gateway.lookUps == 1)
    #expect(try copy.available(alice) == 599)
    try await copy.close()
    try await store.close()
  }

  @Test("Case 38: files that were copied are a copy, too; a folder that was moved is not")
  func copied() async throws {
    var (store, _) = try await fixture.openWithRefill(150)
    try await store.close()
    let (moved, copied) = (fixture.place.place("moved"), fixture.place.place("copied"))
    #expect(unsafe rename(fixture.place.path, moved) == 0)
    store = try CreditStore.open(at: moved, settings: fixture.settings)
    #expect(!store.chargesArePaused)
    try await store.close()
    #expect(unsafe mkdir(copied, 0o700) == 0)
    copyFile(moved + "/data.mdb", to: copied + "/data.mdb")
    for _ in 0..<2 {
      store = try CreditStore.open(at: copied, settings: fixture.settings)
      #expect(store.chargesArePaused)
      try await store.close()
    }
    store = try CreditStore.open(at: moved, settings: fixture.settings)
    #expect(!store.chargesArePaused)
    try await store.close()
  }

  private func copyFile(_ source: String, to target: String) {
    // Safe: the streams are closed once, and the chunk outlives each call.
    guard let input = unsafe fopen(source, "r"), let output = unsafe fopen(target, "w") else {
      Issue.record("no file to copy")
      return
    }
    defer {
      unsafe fclose(input)
      unsafe fclose(output)
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe fread(&chunk, 1, chunk.count, input), count > 0 {
      #expect(unsafe fwrite(chunk, 1, count, output) == count)
    }
  }

  @Test("Case 39: expiry, renewal, deadlines and refills reach a subscriber without traffic, and versions only rise")
  func everyUpdate() async throws {
    let (store, alice) = try await fixture.openWithRefill(150, below: 1)
    var updates = store.balances(of: alice).makeAsyncIterator()
    var version = SequenceNumber.none
    func next(_ available: Amount) async throws {
      while true {
        let balance = try #require(await updates.next())
        #expect(balance.version > version)
        version = balance.version
        if balance.available == available { return }
      }
    }
    try await next(150)
    try await store.subscribe(alice, to: Plan("p", allowance: 10, per: .day), request: "plan")
    try await next(160)
    _ = try await store.hold(5, on: alice, for: .seconds(60), request: "hold")
    try await next(155)
    fixture.clock.advance(by: .seconds(60))
    try await store.tick()
    try await next(160)
    _ = try await store.debit(160, from: alice, request: "1")
    try await next(0)
    try await store.worker(ScriptedGateway()).work()
    try await next(500)
    fixture.clock.advance(by: .seconds(86_400))
    try await store.tick()
    try await next(510)
    try await store.close()
    #expect(await updates.next() == nil)
  }

  @Test("Case 40: months later, usage, hold, capture, correction and refill are explained in full")
  func explained() async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    try await store.publish(StoreFixture.book)
    let usage = Usage("chat", model: "large", units: ["token": 30])
    let debit = try #require(try await store.debit(for: usage, from: alice, request: "disputed").receipt)
    let hold = try await store.hold(for: Usage("image"), on: alice, lasting: .seconds(60), request: "hold")
    let captured = try await store.capture(hold, amount: 3)
    try await store.publish(StoreFixture.dearer)
    for month in 0..<6 {
      fixture.clock.advance(by: .seconds(31 * 86_400))
      _ = try await store.debit(1, from: alice, request: RequestID(UInt64(month + 1)))
    }
    store = try await fixture.reopen(store)
    try await store.correct(debit.sequence, of: alice, by: 20, reason: "broken", agent: "eve", request: "correct")
    try await store.correct(
      captured.receipt.sequence, of: alice, by: 3, reason: "b", agent: "eve", request: "correct 2")
    let told = try #require(try await store.explain("disputed", of: alice))
    #expect(told.entry.amount == 25 && told.entry.availableBefore == 150 && told.entry.available == 125)
    #expect(told.entry.usage == usage && told.entry.priceVersion == 1 && told.price?.price == 25)
    #expect(told.price?.book == "spring" && told.grants.map(\.source) == [.purchase("order-17")])
    #expect(
      told.correction?.request == "correct" && told.correction?.agent == "eve" && told.correction?.text == "broken")
    let correction = try #require(try await store.explain("correct", of: alice))
    #expect(correction.corrected?.sequence == debit.sequence && correction.entry.source?.kind == .correction)
    let held = try #require(try await store.explain("hold", of: alice))
    #expect(held.entry.kind == .held && held.followers.map(\.kind) == [.captured] && held.price?.price == 4)
    #expect(held.correction?.request == "correct 2")
    try await store.close()
  }

  /// Trims all that may go; the committer's sweep may need some commits to let it.
  private func trim(_ store: CreditStore) async throws -> UInt64 {
    var entries: UInt64 = 0
    for _ in 0..<200 where entries == 0 { entries += try await store.trim(before: .latest).entries }
    return entries
  }
}
