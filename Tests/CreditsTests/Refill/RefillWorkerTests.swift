import Credits
import CreditsTesting
import Logging
import ServiceLifecycle
import Testing

@Suite("The worker that charges cards", .timeLimit(.minutes(10)))
struct RefillWorkerTests {
  private let fixture = StoreFixture()

  /// A store with so many accounts whose refill is due.
  private func due(_ count: Int, _ fixture: StoreFixture) async throws -> (CreditStore, [AccountID]) {
    let store = try fixture.open()
    var accounts: [AccountID] = []
    for number in 0..<count {
      let account = try await store.open("account \(number)")
      let card = try await store.savePaymentMethod(StoreFixture.card, for: account, request: "card")
      try await store.setAutoRefill(StoreFixture.refill(with: card), for: account, request: "refill")
      accounts.append(account)
    }
    return (store, accounts)
  }

  /// Waits until an account has so many credits.
  private func wait(for available: Amount, _ store: CreditStore, _ account: AccountID) async {
    for await balance in store.balances(of: account) where balance.available == available { return }
  }

  @Test("at most so many charges are on their way at once, and each account is charged once")
  func bounded() async throws {
    let (store, accounts) = try await due(40, fixture)
    let gateway = ScriptedGateway(script: { (_, _) in .chargeAndDelay(.milliseconds(5)) })
    let worker = RefillWorker(store: store, gateway: gateway, concurrency: 4)
    #expect(try await worker.work() == 40)
    #expect(gateway.mostActive > 1 && gateway.mostActive <= 4)
    #expect(gateway.calls == 40 && gateway.taken.count == 40 && gateway.chargedTwice.isEmpty)
    for account in accounts { #expect(try store.available(account) == 500) }
    #expect(try await worker.work() == 0)
    try await store.close()
  }

  @Test("a worker that runs sends what comes due at once, and ends without an error when the store is closed")
  func runs() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    let gateway = ScriptedGateway()
    let worker = RefillWorker(store: store, gateway: gateway, interval: .seconds(3_600))
    let run = Task { try await worker.run() }
    for round in UInt64(1)...3 {
      let left = try #require(try store.available(alice))
      _ = try await store.debit(left, from: alice, request: RequestID(round))
      await wait(for: 500, store, alice)
    }
    #expect(gateway.taken.count == 3 && gateway.chargedTwice.isEmpty)
    try await store.close()
    try await run.value
  }

  @Test("two workers of one store charge a card once")
  func two() async throws {
    let (store, accounts) = try await due(20, fixture)
    let gateway = ScriptedGateway(script: { (_, _) in .chargeAndDelay(.milliseconds(2)) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask { try await RefillWorker(store: store, gateway: gateway, concurrency: 8).work() }
      }
      try await group.waitForAll()
    }
    #expect(gateway.calls == 20 && gateway.taken.count == 20)
    for account in accounts { #expect(try store.available(account) == 500) }
    try await store.close()
  }

  @Test("as a service, a graceful shutdown finishes what is on its way, and begins nothing new")
  func shutdown() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.chargeAndDelay(.milliseconds(50))])
    let worker = RefillWorker(store: store, gateway: gateway)
    let group = ServiceGroup(services: [worker], logger: Logger(label: "test"))
    let run = Task { try await group.run() }
    while gateway.taken.isEmpty { await Task.yield() }
    await group.triggerGracefulShutdown()
    try await run.value
    #expect(try store.available(alice) == 599 && store.refillState(of: alice) == "armed")
    _ = try await store.debit(599, from: alice, request: "2")
    #expect(try store.refillState(of: alice) == "due" && gateway.calls == 1)
    try await store.close()
  }

  @Test("a charge that is cut off by a cancellation is asked for again, and credited once")
  func cancelled() async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.chargeAndDelay(.milliseconds(20))])
    let worker = RefillWorker(store: store, gateway: gateway)
    let run = Task { try await worker.run() }
    while gateway.taken.isEmpty { await Task.yield() }
    run.cancel()
    _ = await run.result
    store = try await fixture.reopen(store)
    fixture.clock.advance(by: .seconds(60))
    try await store.worker(gateway).work()
    #expect(try store.available(alice) == 599)
    #expect(gateway.taken.count == 1 && gateway.chargedTwice.isEmpty)
    try await store.close()
  }

  @Test("a hanging provider is given up after the time-out, and asked again under the same key in its time")
  func hanging() async throws {
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.hang(.seconds(3_600))])
    let worker = RefillWorker(store: store, gateway: gateway, timeout: .milliseconds(10), interval: .milliseconds(1))
    let run = Task { try await worker.run() }
    try await store.addConsumer("test")
    for try await event in store.events(for: "test", of: [.unsettled]) {
      #expect(event.cause == "unknown" && event.until == fixture.clock.now + .seconds(10))
      break
    }
    #expect(gateway.calls == 1)
    fixture.clock.advance(by: .seconds(10))
    await wait(for: 599, store, alice)
    #expect(gateway.calls == 2 && gateway.orders.count == 1 && gateway.total == 20_00)
    try await store.close()
    try await run.value
  }

  @Test(
    "past the provider's memory of keys a worker only looks up, with room for what is on its way",
    arguments: [(0, true), (3_239, true), (3_240, false), (3_600, false), (360_000, false)])
  func memory(_ seconds: Int64, _ isSent: Bool) async throws {
    var (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    let gateway = ScriptedGateway([.fail], keyMemory: .seconds(3_600))
    try await store.worker(gateway).work()
    // Asked again while the key is remembered, but for a tenth of the time.
    fixture.clock.advance(by: .seconds(max(seconds, 10)))
    store = try await fixture.reopen(store)
    try await store.worker(gateway).work()
    #expect(gateway.calls == (isSent ? 2 : 1) && gateway.lookUps == (isSent ? 0 : 1))
    #expect(try store.available(alice) == (isSent ? 599 : 99))
    try await store.close()
  }

  @Test("while the clock has jumped nothing is charged, and the worker goes on when the time is accepted")
  func clockJumped() async throws {
    let fixture = StoreFixture { $0.clockJump = .seconds(60) }
    let (store, alice) = try await fixture.openWithRefill(150)
    _ = try await store.debit(51, from: alice, request: "1")
    fixture.clock.advance(by: .seconds(100))
    let gateway = ScriptedGateway()
    let worker = RefillWorker(store: store, gateway: gateway, interval: .milliseconds(1))
    let error = await failure { () throws(StoreError) in _ = try await worker.work() }
    #expect(error?.code == "clock-jumped" && gateway.calls == 0)
    let run = Task { try await worker.run() }
    store.acceptClock()
    await wait(for: 599, store, alice)
    try await store.close()
    try await run.value
  }

  @Test("one account's charge that needs a person does not keep others from being charged")
  func independent() async throws {
    let (store, accounts) = try await due(10, fixture)
    let stuck = accounts[3]
    let gateway = ScriptedGateway(script: { (order, _) in order.account == stuck ? .needAction("3ds") : .succeed })
    try await store.worker(gateway).work()
    #expect(try store.refillState(of: stuck) == "needs action")
    for account in accounts where account != stuck { #expect(try store.available(account) == 500) }
    try await store.close()
  }
}
