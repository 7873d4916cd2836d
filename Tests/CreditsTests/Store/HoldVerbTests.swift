import Credits
import CreditsTesting
import Testing

@Suite("Holds around work, batches, progress")
struct HoldVerbTests {
  private let fixture = StoreFixture()

  private struct Failure: Error, Equatable {}

  @Test("withHold captures what the work cost, and answers what it returned")
  func success() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let (answer, outcome) = try await store.withHold(6, on: alice, for: .seconds(60), request: "chat") { hold in
      #expect(hold.amount == 6)
      let held = try store.balance(of: alice)?.held
      #expect(held == 6)
      return ("blue", cost: 2.5)
    }
    #expect(answer == "blue" && outcome.captured == 2.5 && outcome.excess == nil)
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [7.5, 0])
    try await store.close()
  }

  @Test("withHold: a cost above the hold is a debit of its own, which may be denied")
  func above() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let (_, taken) = try await store.withHold(6, on: alice, for: .seconds(60), request: "1") { _ in ((), cost: 8) }
    #expect(taken.captured == 8 && taken.excess?.receipt?.amount == 2)
    let (_, denied) = try await store.withHold(2, on: alice, for: .seconds(60), request: "2") { _ in ((), cost: 3) }
    #expect(denied.captured == 2 && denied.excess?.denial?.reason == .insufficient(available: 0, needed: 1))
    try await store.close()
  }

  @Test("withHold releases the hold if the work throws, and throws the same")
  func failure() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    await #expect(throws: Failure()) {
      try await store.withHold(6, on: alice, for: .seconds(60), request: "chat") { _ -> ((), cost: Amount) in
        throw Failure()
      }
    }
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [10, 0])
    #expect(try await store.history(of: alice).entries.first?.kind == .released)
    try await store.close()
  }

  @Test("withHold releases the hold, durably, if its task is cancelled")
  func cancellation() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await store.withHold(6, on: alice, for: .seconds(60), request: "chat") { _ -> ((), cost: Amount) in
        start.yield()
        while !Task.isCancelled { await Task.yield() }
        throw CancellationError()
      }
    }
    for await _ in started { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [10, 0])
    #expect(try await store.history(of: alice).entries.first?.kind == .released)
    try await store.close()
  }

  @Test("withHold does no work without a hold")
  func denied() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    await #expect(throws: StoreError.self) {
      try await store.withHold(11, on: alice, for: .seconds(60), request: "chat") { _ -> ((), cost: Amount) in
        Issue.record("the work was begun")
        return ((), cost: 1)
      }
    }
    try await store.close()
  }

  @Test("a batch by usage answers each in its place, priced, free, denied or repeated")
  func usages() async throws {
    let (store, alice) = try await fixture.open(with: 20)
    try await store.publish(StoreFixture.book)
    let chat = Usage("chat", model: "large", units: 6)
    let batch = [
      UsageDebit(Usage("image"), from: alice, request: "1"), UsageDebit(chat, from: alice, request: "2"),
      UsageDebit(Usage("draw"), from: alice, request: "3"), UsageDebit(Usage("ping"), from: alice, request: "4"),
      UsageDebit(Usage("image"), from: alice, request: "1"), UsageDebit(Usage("ping"), from: alice, request: "2"),
      UsageDebit(Usage("chat", units: 5_000_000_000), from: alice, request: "5"),
      UsageDebit(Usage("image"), from: "nobody", request: "6"), UsageDebit(Usage("image"), from: alice, request: "7"),
    ]
    let outcomes = try await store.debit(for: batch)
    #expect(outcomes.map(\.receipt?.amount) == [4, 5, nil, 0, 4, nil, nil, nil, 4])
    #expect(outcomes[4].receipt?.isReplay == true && outcomes[2].denial?.reason == .unknownFeature)
    #expect(outcomes[5].denial?.reason == .conflict(with: outcomes[1].sequence ?? .none))
    #expect(outcomes[6].denial?.reason.code == "insufficient" && outcomes[7].denial?.reason == .unknownAccount)
    let again = try await fixture.reopen(store)
    let repeated = try await again.debit(for: batch)
    #expect(repeated.map(\.sequence) == outcomes.map(\.sequence))
    #expect(repeated.compactMap(\.receipt?.isReplay) == Array(repeating: true, count: 5))
    #expect(try again.available(alice) == 7)
    try await again.close()
  }

  @Test("the progress of a purchase is told from its order to its end, also after reopenings")
  func progress() async throws {
    var (store, alice) = try await fixture.open(with: 1)
    let card = try await store.savePaymentMethod(StoreFixture.card, for: alice, request: "card")
    let gateway = ScriptedGateway([.process, .decline("no funds")])
    let paid = try await store.purchase(.pack(500), for: alice, with: card, request: "1")
    #expect(paid.number == 1 && paid.pack.price == Money(20_00, .usd))
    func status(_ purchase: Purchase) async throws -> String {
      switch try await store.progress(of: purchase) {
      case .open(let charge)?: charge.status.description
      case .ended(let entry)?: entry.kind.rawValue
      case nil: "none"
      }
    }
    #expect(try await status(paid) == "due")
    try await store.worker(gateway).work()
    #expect(try await status(paid) == "processing" && gateway.orders.keys.first == paid.key)
    let refused = try await store.purchase(.credits(25), for: alice, with: card, request: "2")
    try await store.worker(gateway).work()
    let cancelled = try await store.purchase(.pack(500), for: alice, with: card, request: "3")
    try await store.freeze(alice, request: "freeze")
    try await store.report(.succeeded(reference: "r", price: Money(20_00, .usd)), ofChargeWithKey: paid.key)
    for _ in 0..<2 {
      #expect(try await status(paid) == "credited")
      #expect(try await status(refused) == "charge-declined")
      #expect(try await status(cancelled) == "charge-cancelled")
      #expect(try await store.progress(ofCharge: 4, of: alice) == nil)
      #expect(try await store.progress(ofCharge: 0, of: alice) == nil)
      #expect(try await store.progress(ofCharge: 1, of: "nobody") == nil)
      store = try await fixture.reopen(store)
    }
    #expect(try store.available(alice) == 501)
    try await store.close()
  }

  @Test("a report for a key that is of no charge of this store is refused")
  func foreignKeys() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.fail])
    try await store.worker(gateway).work()
    let key = try #require(gateway.orders.keys.first)
    let last = try store.statistics().last
    let other = StoreFixture()
    let (stranger, _) = try await other.openWithRefill(150)
    let success = ChargeOutcome.succeeded(reference: "r", price: Money(20_00, .usd))
    for (store, key) in [
      (store, ""), (store, "credits"), (store, key + "0"), (store, String(key.dropLast()) + "1"),
      (store, String(key.dropLast()) + "2"), (store, key.uppercased()), (stranger, key),
    ] {
      let reason = await refusal { () throws(StoreError) in try await store.report(success, ofChargeWithKey: key) }
      #expect(reason == .noCharge, "\(key)")
    }
    #expect(try store.statistics().last == last)
    try await stranger.close()
    try await store.close()
  }

  @Test("a charge that was paid when nobody knows it any more is refused, not taken for done")
  func forgottenCharge() async throws {
    let (store, alice) = try await fixture.open(with: 1)
    let card = try await store.savePaymentMethod(StoreFixture.card, for: alice, request: "card")
    let gateway = ScriptedGateway(script: { (_, _) in .decline("no funds") })
    var keys: [String] = []
    for number in UInt64(1)...9 {
      keys.append(try await store.purchase(.pack(500), for: alice, with: card, request: RequestID(number)).key)
      try await store.worker(gateway).work()
    }
    let success = ChargeOutcome.succeeded(reference: "r", price: Money(20_00, .usd))
    let first = await refusal { () throws(StoreError) in try await store.report(success, ofChargeWithKey: keys[0]) }
    #expect(first == .noCharge)
    try await store.report(success, ofChargeWithKey: keys[1])
    #expect(try store.available(alice) == 501)
    try await store.close()
  }

  @Test("a correction makes good a debit, an excess or a capture of the same account, and nothing else")
  func corrections() async throws {
    let (store, alice) = try await fixture.open(with: 100)
    let bob = try await store.open("bob")
    try await store.grant(5, to: bob, source: .allowance, request: "g")
    let others = try #require(try await store.debit(5, from: bob, request: "d").receipt)
    let debit = try #require(try await store.debit(5, from: alice, request: "d").receipt)
    let hold = try await store.hold(5, on: alice, for: .seconds(60), request: "h")
    let captured = try await store.capture(hold, amount: 7)
    let released = try await store.release(
      store.hold(5, on: alice, for: .seconds(60), request: "h2"))
    let denied = try #require(try await store.debit(5_000, from: alice, request: "denied").denial)
    func correct(_ entry: SequenceNumber?, _ amount: Amount, _ reason: String = "r", _ agent: String = "eve") async
      -> Denial.Reason?
    {
      await refusal { () throws(StoreError) in
        try await store.correct(
          entry ?? .none, of: alice, by: amount, reason: reason, agent: agent,
          request: RequestID("\(entry ?? .none) \(amount) \(reason) \(agent)"))
      }
    }
    #expect(await correct(others.sequence, 1) == .noDebit, "credits never move between accounts")
    #expect(await correct(SequenceNumber(2), 1) == .noDebit, "a grant")
    #expect(await correct(denied.sequence, 1) == .noDebit)
    #expect(await correct(released.receipt.sequence, 1) == .noDebit)
    #expect(await correct(SequenceNumber(9_999), 1) == .noDebit)
    #expect(await correct(SequenceNumber.none, 1) == .noDebit)
    #expect(await correct(debit.sequence, 5.000001) == .invalid)
    #expect(await correct(debit.sequence, 0) == .invalid)
    #expect(await correct(debit.sequence, 1, "") == .invalid)
    #expect(await correct(debit.sequence, 1, "r", "") == .invalid)
    #expect(try store.available(alice) == 88)
    #expect(await correct(debit.sequence, 5) == nil)
    #expect(await correct(debit.sequence, 1) == .alreadyCorrected)
    #expect(await correct(captured.receipt.sequence, 4) == nil)
    #expect(await correct(captured.excess?.sequence, 2) == nil)
    #expect(try store.available(alice) == 99 && store.available(bob) == 0)
    let again = try await fixture.reopen(store)
    let reason = await refusal { () throws(StoreError) in
      try await again.correct(debit.sequence, of: alice, by: 1, reason: "r", agent: "eve", request: "late")
    }
    #expect(reason == .alreadyCorrected)
    try await again.close()
  }
}
