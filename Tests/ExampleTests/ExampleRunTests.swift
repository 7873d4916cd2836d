import Credits
import Testing

@Suite("The examples", .timeLimit(.minutes(1)))
struct ExampleRunTests {
  private let folder = TemporaryFolder()

  /// Opens a store in 2026 with two accounts of some credits.
  private func open() async throws -> (store: CreditStore, alice: AccountID, bob: AccountID) {
    var settings = Settings()
    settings.clock = .manual(StoreClock.Manual(Timestamp(seconds: 1_795_348_800)))
    settings.durability = .unsynced
    let store = try CreditStore.open(at: folder.place("store"), settings: settings)
    let alice = try await store.open("user_alice")
    let bob = try await store.open("user_bob")
    try await store.grant(500, to: alice, source: .purchase("order-1"), request: "order-1")
    try await store.grant(500, to: bob, source: .purchase("order-2"), request: "order-2")
    return (store, alice, bob)
  }

  @Test("of the README and the documentation comments run")
  func first() async throws {
    try await FirstExamples.firstDebit(folder: folder.place("first"))
    try FirstExamples.reader(folder: folder.place("first"))
    #expect(FirstExamples.identifiers().allSatisfy { $0 != nil })
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
}
