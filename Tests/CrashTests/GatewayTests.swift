import CrashSupport
import Credits
import CreditsTesting
import Testing

@Suite("The scripted gateway")
struct GatewayTests {
  /// Orders as a store makes them: a purchase of one pack by each account.
  private func orders(_ count: UInt64, in folder: Folder) async throws -> [ChargeOrder] {
    let store = try CreditStore.open(
      at: folder.path("store"), settings: Fire.settings(.init(Fire.start), round: 1))
    for number in 1...count {
      try await store.open(AccountID(number))
      let card = try await store.savePaymentMethod(Fire.card(number, 1), for: AccountID(number), request: "card")
      try await store.purchase(.credits(25), for: AccountID(number), with: card, request: "order")
    }
    let gateway = ScriptedGateway(script: { _, _ in .fail })
    try await RefillWorker(store: store, gateway: gateway).work()
    try await store.close()
    return gateway.orders.values.sorted { $0.account.low < $1.account.low }
  }

  @Test("What it did outlives the process, and a line that was cut off never happened")
  func memory() async throws {
    let folder = Folder()
    let path = folder.path("memory")
    let orders = try await orders(4, in: folder)
    let acts: [ScriptedGateway.Act] = [.succeed, .decline("no money left"), .process, .chargeOther(Money(7, .eur))]
    let first = ScriptedGateway(memory: path, script: { _, call in acts[call] })
    var outcomes: [ChargeOutcome] = []
    for order in orders { outcomes.append(try await first.charge(order)) }
    #expect(outcomes[1] == .declined(reason: "no money left"))
    var bytes = File.bytes(of: path)
    bytes += Array("taken \(orders[2].key) 100 US".utf8)
    File.write(bytes, to: path)
    let second = ScriptedGateway(memory: path)
    #expect(second.taken == first.taken)
    #expect(second.taken.map(\.token) == ["tok-1-1", "tok-4-1"])
    #expect(second.taken.map(\.money) == [Money(1_00, .usd), Money(7, .eur)])
    #expect(second.pending == [orders[2].key])
    for (order, outcome) in zip(orders, outcomes) {
      #expect(try await second.charge(order) == outcome)
      #expect(try await second.lookUp(order) == outcome)
    }
    #expect(second.repeats == 4)
    second.settle(orders[2].key)
    let third = ScriptedGateway(memory: path)
    #expect(third.taken.map(\.key) == [orders[0].key, orders[3].key, orders[2].key])
    #expect(third.chargedTwice.isEmpty && third.repeats == 4 && third.pending.isEmpty)
  }

  @Test("Once it has forgotten a key, sending it again charges the card twice, and looking it up does not")
  func forgetting() async throws {
    let order = try #require(try await orders(1, in: Folder()).first)
    let clock = StoreClock.Manual(Fire.start)
    let gateway = ScriptedGateway(keyMemory: .seconds(100), clock: clock)
    _ = try await gateway.charge(order)
    clock.advance(by: .seconds(99))
    _ = try await gateway.charge(order)
    #expect(gateway.chargedTwice.isEmpty)
    clock.advance(by: .seconds(1))
    let outcome = try await gateway.lookUp(order)
    #expect(outcome == .succeeded(reference: "ch-1", price: order.price))
    _ = try await gateway.charge(order)
    #expect(gateway.chargedTwice == [order.key])
    gateway.forgetKeys()
    _ = try await gateway.charge(order)
    #expect(gateway.total == 3_00)
  }

  @Test("Notices come in copies, late and past each other, as the seed says")
  func notices() async throws {
    let orders = try await orders(20, in: Folder())
    func run(_ script: NoticeScript) async throws -> (told: [String], before: [Int]) {
      let told = Locked<[String]>([])
      var before: [Int] = []
      let gateway = ScriptedGateway(notices: script, notify: { key, _ in told.withLock { $0.append(key) } })
      for order in orders {
        _ = try await gateway.charge(order)
        before.append(told.withLock(\.count))
      }
      await gateway.deliverNotices()
      return (told.withLock { $0 }, before)
    }
    let keys = orders.map(\.key)
    let prompt = try await run(.prompt)
    #expect(prompt.told == keys)
    #expect(prompt.before == Array(1...20))
    let late = try await run(NoticeScript(seed: 1, copies: 2...3, lateness: 1...4))
    #expect(late.before[0] == 0)
    #expect((40...60).contains(late.told.count))
    for key in keys { #expect((2...3).contains(late.told.count { $0 == key })) }
    let places = Dictionary(uniqueKeysWithValues: zip(keys, 0...))
    let order = late.told.compactMap { places[$0] }
    #expect(order != order.sorted())
    #expect(try await run(NoticeScript(seed: 1, copies: 2...3, lateness: 1...4)).told == late.told)
    #expect(try await run(NoticeScript(seed: 2, copies: 2...3, lateness: 1...4)).told != late.told)
    let silent = try await run(NoticeScript(seed: 1, copies: 0...0, lateness: 0...0))
    #expect(silent.told.isEmpty)
  }

  @Test("The points of a call come in order, and only a card that is charged now has its own")
  func points() async throws {
    let order = try #require(try await orders(1, in: Folder()).first)
    let points = Locked<[ScriptedGateway.Point]>([])
    let (answers, answer) = AsyncStream.makeStream(of: Void.self)
    var answered = answers.makeAsyncIterator()
    let gateway = ScriptedGateway(
      reach: { point, _ in
        points.withLock { $0.append(point) }
        if point == .answered { answer.yield() }
      },
      script: { _, call in [.fail, .chargeAndFail, .succeed][call] })
    for _ in 1...2 {
      await #expect(throws: ScriptedGateway.Failure.self) { try await gateway.charge(order) }
      await answered.next()
    }
    _ = try await gateway.charge(order)
    await answered.next()
    #expect(points.withLock { $0 } == [.called, .answered, .called, .charged, .answered, .called, .answered])
  }
}
