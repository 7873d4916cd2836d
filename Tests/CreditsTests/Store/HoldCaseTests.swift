import Credits
import CreditsTesting
import Testing

@Suite("Cases 18 to 22: holds")
struct HoldCaseTests {
  private let fixture = StoreFixture()

  /// An account with 5 credits that expire after ten seconds and 3 that do not, and a hold of 7.
  private func held() async throws -> (CreditStore, AccountID, Hold) {
    let (store, alice) = try await fixture.open(with: 3)
    try await store.grant(5, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(10), request: "g")
    return (store, alice, try await store.hold(7, on: alice, for: .seconds(600), request: "hold"))
  }

  @Test("Case 18: a hold is captured in full though a grant has expired meanwhile, also after a reopening")
  func captureExpired() async throws {
    var (store, alice, hold) = try await held()
    fixture.clock.advance(by: .seconds(11))
    store = try await fixture.reopen(store)
    let outcome = try await store.capture(hold)
    #expect(outcome.captured == 7 && outcome.excess == nil && outcome.cause == .caller)
    let summary = try #require(try store.account(alice))
    #expect(summary.spent == 7 && summary.expired == 0 && summary.balance.available == 1)
    let entry = try #require(try await store.latest(.captured, of: alice))
    #expect(entry.parts.map(\.grant) == [2, 1] && entry.parts.map(\.amount) == [5, 2])
    #expect(entry.returned.isEmpty && entry.lapsed.isEmpty && entry.hold == "hold")
    try await store.close()
  }

  @Test("Case 18: on release the expired part is booked as expired, not returned; the rest is returned")
  func releaseExpired() async throws {
    var (store, alice, hold) = try await held()
    fixture.clock.advance(by: .seconds(10))
    store = try await fixture.reopen(store)
    let outcome = try await store.release(hold)
    #expect(outcome.captured == 0)
    let summary = try #require(try store.account(alice))
    #expect(summary.expired == 5 && summary.balance.available == 3 && summary.balance.held == 0)
    let entry = try #require(try await store.latest(.released, of: alice))
    #expect(entry.returned.map(\.amount) == [2] && entry.lapsed.map(\.amount) == [5])
    #expect(entry.availableBefore == 1 && entry.available == 3)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 19: a capture for less returns the rest to the same grants")
  func less() async throws {
    let (store, alice, hold) = try await held()
    let outcome = try await store.capture(hold, amount: 4)
    #expect(outcome.captured == 4 && outcome.receipt.amount == 4 && outcome.receipt.balance == 4)
    let grants = try #require(try store.account(alice)).grants
    #expect(grants.map(\.number) == [2, 1] && grants.map(\.remaining) == [1, 3])
    let entry = try #require(try await store.latest(.captured, of: alice))
    #expect(entry.asked == 4 && entry.returned.map(\.grant) == [2, 1] && entry.returned.map(\.amount) == [1, 2])
    try await store.close()
  }

  @Test("Case 19: a capture for more takes the excess, or is denied it, and the held part settles all the same")
  func more() async throws {
    var (store, alice, hold) = try await held()
    let second = try await store.hold(0.5, on: alice, for: .seconds(600), request: "second")
    let denied = try await store.capture(hold, amount: 8)
    #expect(denied.receipt.amount == 7 && denied.captured == 7)
    #expect(denied.excess?.denial?.reason == .insufficient(available: 0.5, needed: 1))
    #expect(denied.excess?.sequence == SequenceNumber(denied.receipt.sequence.value + 1))
    let taken = try await store.capture(second, amount: 0.75)
    #expect(taken.receipt.amount == 0.5 && taken.excess?.receipt?.amount == 0.25 && taken.captured == 0.75)
    #expect(try store.available(alice) == 0.25)
    // Months later both are explained, and a repetition says both.
    for _ in 0..<2 {
      let again = try await store.capture(hold, amount: 8)
      #expect(again.receipt.isReplay && again.receipt.sequence == denied.receipt.sequence && again.captured == 7)
      #expect(again.excess?.denial?.reason == .insufficient(available: 0.5, needed: 1))
      #expect(try await store.capture(second, amount: 0.75).captured == 0.75)
      let explanation = try #require(try await store.explain("hold", of: alice))
      #expect(explanation.entry.kind == .held && explanation.followers.map(\.kind) == [.captured, .denied])
      let other = try #require(try await store.explain("second", of: alice))
      #expect(other.followers.map(\.kind) == [.captured, .debited] && other.followers.map(\.amount) == [0.5, 0.25])
      store = try await fixture.reopen(store)
    }
    try await store.close()
  }

  @Test(
    "Case 20: captures, releases and the deadline at once: one winner, whose result all others get", arguments: 0..<8)
  func race(_ round: Int) async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let hold = try await store.hold(6, on: alice, for: .seconds(60), request: "hold")
    if round % 2 == 0 { fixture.clock.advance(by: .seconds(60)) }
    let outcomes = try await withThrowingTaskGroup(of: HoldOutcome?.self) { group in
      for number in 0..<8 {
        group.addTask {
          if number == 7 {
            try await store.tick()
            return nil
          }
          return number % 2 == 0 ? try await store.capture(hold, amount: 4) : try await store.release(hold)
        }
      }
      return try await group.reduce(into: [HoldOutcome]()) { (all, outcome) in if let outcome { all.append(outcome) } }
    }
    #expect(Set(outcomes.map(\.receipt.sequence)).count == 1 && Set(outcomes.map(\.captured)).count == 1)
    #expect(outcomes.allSatisfy { $0.cause == (round % 2 == 0 ? .deadline : .caller) })
    let captured = try #require(outcomes.first).captured
    #expect(round % 2 == 0 ? captured == 0 : true)
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [10 - captured, 0])
    let ends = try await store.history(of: alice).entries.filter { $0.kind == .captured || $0.kind == .released }
    #expect(ends.count == 1)
    try await store.close()
  }

  @Test("Case 20: a repeat returns the first result, whatever it asks for, also after a reopening")
  func repeated() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let hold = try await store.hold(6, on: alice, for: .seconds(60), request: "hold")
    let other = try await store.hold(3, on: alice, for: .seconds(60), request: "other")
    let first = try await store.capture(hold, amount: 4)
    let released = try await store.release(other)
    let last = try store.statistics().last
    for _ in 0..<2 {
      for outcome in [
        try await store.capture(hold, amount: 4), try await store.capture(hold), try await store.release(hold),
        try await store.capture("hold", on: alice, amount: 9),
      ] {
        #expect(outcome.receipt.sequence == first.receipt.sequence && outcome.captured == 4 && outcome.receipt.isReplay)
        #expect(outcome.excess == nil && outcome.cause == .caller)
      }
      for outcome in [try await store.capture(other), try await store.release("other", on: alice)] {
        #expect(outcome.receipt.sequence == released.receipt.sequence && outcome.captured == 0)
      }
      #expect(try store.statistics().last == last && store.available(alice) == 6)
      fixture.clock.advance(by: .seconds(61))
      store = try await fixture.reopen(store)
      try await store.tick()
    }
    try await store.close()
  }

  @Test("Case 20: a denied hold can never be captured, also when credits have come")
  func denied() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let reason = await refusal { () throws(StoreError) in
      _ = try await store.hold(11, on: alice, for: .seconds(60), request: "hold")
    }
    #expect(reason == .insufficient(available: 10, needed: 11))
    try await store.grant(100, to: alice, source: .allowance, request: "more")
    for _ in 0..<2 {
      #expect(await refusal { () throws(StoreError) in try await store.capture("hold", on: alice) } == .noHold)
      #expect(await refusal { () throws(StoreError) in try await store.release("hold", on: alice) } == .noHold)
      let again = await refusal { () throws(StoreError) in
        _ = try await store.hold(11, on: alice, for: .seconds(60), request: "hold")
      }
      #expect(again == reason, "a denial stays a denial")
      store = try await fixture.reopen(store)
    }
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [110, 0])
    try await store.close()
  }

  @Test(
    "Case 21: the client dies: the deadline ends the hold without traffic, also over a restart",
    arguments: [
      (Hold.End.release, false), (.release, true), (.capture, false), (.capture, true),
    ])
  func deadline(_ end: Hold.End, _ restarts: Bool) async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let hold = try await store.hold(6, on: alice, for: .seconds(60), atDeadline: end, request: "hold")
    #expect(hold.deadline == StoreFixture.start + .seconds(60) && hold.end == end)
    if restarts { try await store.close() }
    fixture.clock.now = hold.deadline - .microseconds(1)
    if restarts { store = try fixture.open() }
    try await store.tick()
    #expect(try store.balance(of: alice)?.held == 6)
    #expect(try store.account(alice)?.holds.map(\.request) == ["hold"])
    fixture.clock.now = hold.deadline
    if restarts { store = try await fixture.reopen(store) }
    try await store.tick()
    let captured: Amount = end == .capture ? 6 : 0
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [10 - captured, 0])
    let entry = try #require(try await store.history(of: alice).entries.first)
    #expect(entry.kind == (end == .capture ? .captured : .released) && entry.cause == "deadline")
    let late = try await store.capture(hold, amount: 1)
    #expect(late.cause == .deadline && late.captured == captured && late.receipt.isReplay)
    try await store.close()
  }

  @Test("Case 22: holds fire the trigger while the balance is high; a release does not cancel a charge under way")
  func trigger() async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    let hold = try await store.hold(51, on: alice, for: .seconds(600), request: "hold")
    #expect(try store.refillState(of: alice) == "due")
    let entries = try await store.history(of: alice, limit: 2).entries
    #expect(entries.map(\.kind) == [.due, .held], "in the commit of the hold")
    // The charge is sent, and its answer lost.
    let gateway = ScriptedGateway([.chargeAndFail])
    try await store.worker(gateway).work()
    try await store.release(hold)
    #expect(try store.available(alice) == 150 && store.refillState(of: alice) == "unknown")
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(10))
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 650 && store.refillState(of: alice) == "armed")
    #expect(gateway.total == 20_00 && gateway.chargedTwice.isEmpty)
    try await store.close()
  }

  @Test("Case 22: a release before the charge is sent makes it unneeded")
  func unneeded() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    let hold = try await store.hold(51, on: alice, for: .seconds(600), request: "hold")
    try await store.release(hold)
    let gateway = ScriptedGateway()
    try await store.worker(gateway).work()
    #expect(gateway.calls == 0)
    #expect(try await store.steps(of: alice) == [.due, .cancelled])
    #expect(try await store.latest(.cancelled, of: alice)?.cause == "not needed")
    try await store.close()
  }
}
