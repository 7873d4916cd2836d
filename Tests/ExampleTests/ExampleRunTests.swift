import Credits
import CreditsTesting
import Logging
import Testing

@Suite("The examples", .timeLimit(.minutes(10)))
struct ExampleRunTests {
  private let folder = TemporaryFolder()

  private let clock = StoreClock.Manual(Timestamp(seconds: 1_795_348_800))

  /// How the stores are opened.
  private var settings: Settings {
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(366 * 86_400)
    settings.durability = .unsynced
    return settings
  }

  /// Opens a store in 2026 with two accounts of some credits.
  private func open() async throws -> (store: CreditStore, alice: AccountID, bob: AccountID) {
    let store = try CreditStore.open(at: folder.place("store"), settings: settings)
    let alice = try await store.open("user_alice")
    let bob = try await store.open("user_bob")
    try await store.grant(500, to: alice, source: .purchase("order-1"), request: "order-1")
    try await store.grant(500, to: bob, source: .purchase("order-2"), request: "order-2")
    return (store, alice, bob)
  }

  /// Lets others go on until a condition holds, or the test's time is over.
  private func wait(until condition: () async throws -> Bool) async throws {
    while try await !condition() {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  @Test("of the README and the documentation comments run")
  func first() async throws {
    try await FirstExamples.firstDebit(folder: folder.place("first"))
    try FirstExamples.reader(folder: folder.place("first"))
    #expect(FirstExamples.identifiers().allSatisfy { $0 != nil })
    let (store, alice, _) = try await open()
    try await FirstExamples.priceAndHold(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 403.134)
    #expect(try store.account(alice)?.refill.state == .armed)
    try await store.close()
  }

  @Test("of the guide to getting started run")
  func gettingStarted() async throws {
    try await GettingStartedExamples.open(folder: folder.place("settings")).close()
    let (store, alice, bob) = try await open()
    try await GettingStartedExamples.grant(store: store)
    #expect(try store.balance(of: alice)?.available == 1_120)
    try await GettingStartedExamples.replay(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 1_116.5)
    try await GettingStartedExamples.requestWithTime(store: store, alice: alice, now: Timestamp(seconds: 1_795_348_800))
    try await GettingStartedExamples.batch(store: store, alice: alice, bob: bob)
    try await GettingStartedExamples.applied(store: store, alice: alice)
    try GettingStartedExamples.balance(store: store, alice: alice)
    try await GettingStartedExamples.history(store: store, alice: alice)
    await GettingStartedExamples.failures(store: store, alice: alice)
    try await GettingStartedExamples.upTo(store: store, alice: alice)
    _ = try await store.debit(50, from: alice, request: "less than 100 is left")
    await GettingStartedExamples.follow(store: store, alice: alice)
    try await store.close()
    #expect(try await GettingStartedExamples.manualClock(folder: folder.place("manual"))?.available == .zero)
  }

  @Test("of the guide to operations run")
  func operations() async throws {
    try await OperationsExamples.retention(folder: folder.place("retention")).close()
    let (store, alice, _) = try await open()
    try await OperationsExamples.export(store: store, cutoff: Timestamp(seconds: 1_795_348_801))
    try await OperationsExamples.backup(store: store, copy: folder.place("copy"))
    try OperationsExamples.statistics(store: store)
    try await OperationsExamples.acceptClock(store: store, alice: alice)
    try await store.close()
  }

  @Test("of the guide to pricing run, and its JSON and its arithmetic are those of the book")
  func pricing() async throws {
    let guide = "Sources/Credits/Credits.docc/Pricing.md"
    let (store, alice, bob) = try await open()
    let book = try await PricingExamples.publish(store: store)
    let json = try #require(Snippet.text(of: guide, language: "json").first)
    #expect(try PriceBook(json: json.utf8) == book)
    try await PricingExamples.publish(json: json, store: store)
    #expect(store.priceBooks == [book])
    try await PricingExamples.debit(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 495.72)
    let shown = Snippet.text(of: guide, language: "text").first
    #expect(try await PricingExamples.explain(store: store, alice: alice) == shown)
    try await PricingExamples.batch(store: store, alice: alice, bob: bob)
    #expect(try store.balance(of: alice)?.available == 494.875)
    #expect(try store.balance(of: bob)?.available == 492)
    try await PricingExamples.quote(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 482.875)
    PricingExamples.gate(store: store, alice: alice)
    try await store.close()
  }

  @Test("of the guide to holds run")
  func holds() async throws {
    let (store, alice, _) = try await open()
    _ = try await PricingExamples.publish(store: store)
    try await HoldExamples.capture(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 412.75)
    try await HoldExamples.denied(store: store, alice: alice)
    try await HoldExamples.more(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 377.75)
    try await HoldExamples.release(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 377.75)
    try await HoldExamples.byUsage(store: store, alice: alice)
    // Twice and a half 0.5 and 20 tokens each way.
    #expect(try store.balance(of: alice)?.available == 376.437)
    try await HoldExamples.withHold(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 375.912)
    let hold = try await store.hold(50, on: alice, for: .seconds(60), request: "chat-8")
    try await HoldExamples.open(store: store, alice: alice)
    clock.advance(by: .seconds(61))
    try await HoldExamples.late(store: store, alice: alice, hold: hold)
    #expect(try store.balance(of: alice).map { [$0.available, $0.held] } == [335.912, 0])
    try await store.close()
  }

  @Test("of the guide to plans run")
  func plans() async throws {
    let (store, alice, bob) = try await open()
    try await PlanExamples.subscribe(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 1_500)
    try await PlanExamples.anchor(store: store, bob: bob)
    #expect(try store.balance(of: bob)?.available == 500)
    try await PlanExamples.change(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 5_500)
    try await PlanExamples.cancel(store: store, alice: alice)
    clock.now = try #require(Timestamp("2027-02-28"))
    try await store.tick()
    #expect(try store.balance(of: alice)?.available == 500)
    #expect(try store.balance(of: bob)?.available == 1_500)
    #expect(try store.account(bob)?.plan?.next == Timestamp("2027-03-31"))
    try await store.close()
  }

  @Test("of the guide to events run")
  func events() async throws {
    let (store, alice, _) = try await open()
    try await EventExamples.alerts(store: store, alice: alice)
    for name in ["mailer", "warehouse"] { try await store.addConsumer(name) }
    let mailer = Task { try await EventExamples.mailer(store: store) }
    let warehouse = Task { try await EventExamples.warehouse(store: store) }
    let alerts = try await store.debit(490, from: alice, request: "most of it")
    let last = try #require(alerts.sequence)
    try await wait { store.consumers["mailer"].map { $0.value == last.value + 2 } ?? false }
    let outbox = EventExamples.Outbox()
    _ = try await store.debit(10, from: alice, request: "the rest")
    let receipts = Task { try await EventExamples.idempotent(store: store, mail: outbox) }
    try await wait { await !outbox.sent.isEmpty }
    try await EventExamples.lag(store: store)
    try await store.close()
    for consumer in [mailer, warehouse, receipts] { try await consumer.value }
    #expect(await outbox.sent.values.allSatisfy { $0.hasPrefix("exhausted on ") })
  }

  @Test("of the guide to corrections run")
  func corrections() async throws {
    let (store, alice, _) = try await open()
    _ = try await PricingExamples.publish(store: store)
    _ = try await store.debit(for: Usage("image", units: 5), from: alice, request: "req-40")
    try await CorrectionExamples.find(store: store, alice: alice)
    try await CorrectionExamples.correct(store: store, alice: alice)
    #expect(try store.balance(of: alice)?.available == 500)
    try await CorrectionExamples.show(store: store, alice: alice)
    #expect(try await store.explain("req-40", of: alice)?.correction?.agent == "kim@support")
    let card = try await RefillExamples.method(store: store, alice: alice)
    let purchase = try await RefillExamples.purchase(store: store, alice: alice, card: card)
    try await RefillWorker(store: store, gateway: ScriptedGateway()).work()
    try await CorrectionExamples.dispute(store: store, alice: alice, charge: purchase.number)
    #expect(try store.account(alice)?.status == .frozen)
    #expect(try store.balance(of: alice)?.available == 1_000)
    try await store.close()
  }

  @Test("of the guide to auto-refill run")
  func refill() async throws {
    let (store, alice, _) = try await open()
    let card = try await RefillExamples.method(store: store, alice: alice)
    try await RefillExamples.on(store: store, alice: alice, card: card)
    let provider = ImaginaryProvider()
    let gateway = CardGateway(http: provider)
    let purchase = try await RefillExamples.purchase(store: store, alice: alice, card: card)
    try await RefillExamples.progress(store: store, purchase: purchase)
    _ = try await store.debit(450, from: alice, request: "below the threshold")
    #expect(try store.account(alice)?.charges.map(\.kind) == [.purchase, .refill])
    let worker = Task {
      try await RefillExamples.worker(store: store, gateway: gateway, logger: Logger(label: "examples"))
    }
    try await wait { try store.account(alice)?.charges.isEmpty == true }
    worker.cancel()
    _ = await worker.result
    // Whether both were sent depends on which was credited first.
    let charged = await provider.charges.count
    #expect(try store.balance(of: alice)?.available == Amount(millionths: 50_000_000 + Int64(charged) * 500_000_000))
    try await RefillExamples.report(store: store, key: purchase.key)
    try await RefillExamples.report(store: store, key: "of somebody else")
    try await RefillExamples.progress(store: store, purchase: purchase)
    try await RefillExamples.again(store: store, alice: alice)
    try await RefillExamples.off(store: store, alice: alice)
    #expect(try store.account(alice)?.refill.state == .off)
    try await RefillExamples.catalogue(store: store)
    try await store.backup(to: folder.place("copy"))
    try await store.close()
    let copy = try CreditStore.open(at: folder.place("copy"), settings: settings)
    #expect(copy.chargesArePaused)
    try await RefillExamples.resume(store: copy)
    #expect(!copy.chargesArePaused)
    try await copy.close()
    #expect(try await RefillExamples.test(folder: folder.place("scripted")).total == 20_00)
  }
}
