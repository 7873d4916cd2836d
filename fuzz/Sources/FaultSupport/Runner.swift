public import Credits
public import CreditsTesting
internal import Synchronization

/// Carries a scenario out on a store in a folder, and says what was acknowledged.
public final class Runner: Sendable {
  /// The scenario.
  public let scenario: Scenario
  /// The folder that has the store, and its backups.
  public let folder: String
  /// The store's clock.
  public let clock = StoreClock.Manual(Scenario.begin)
  /// The payment provider.
  public let gateway: RecordingGateway
  private let mapSize: Int?
  private let mark: @Sendable (Mark) -> Void
  private let state = Mutex(State())

  private struct State {
    var store: CreditStore?
    var results: [Int: Result] = [:]
  }

  /// Makes a runner.
  public init(
    _ scenario: Scenario, in folder: String, mapSize: Int? = nil, mark: @escaping @Sendable (Mark) -> Void
  ) {
    self.mapSize = mapSize
    self.scenario = scenario
    self.folder = folder
    self.mark = mark
    gateway = RecordingGateway(acts: scenario.acts) { mark(.charged(key: $0, minor: $1)) }
  }

  /// The path of the store in a scenario's folder.
  public static func store(in folder: String) -> String { folder + "/store" }

  /// The open store.
  public var store: CreditStore? { state.withLock { $0.store } }

  /// What a step came to.
  public func result(_ index: Int) -> Result? { state.withLock { $0.results[index] } }

  /// Drops the store without closing it by hand.
  public func forget() { state.withLock { $0.store = nil } }

  /// Does some of the steps.
  public func run(_ range: Range<Int>) async throws(StoreError) {
    for index in range { try await run(index) }
  }

  /// Does one step.
  public func run(_ index: Int) async throws(StoreError) {
    let step = scenario.steps[index]
    let result = try await perform(step, index)
    state.withLock { $0.results[index] = result }
    mark(
      .acknowledged(index: index, sequence: result.sequence, time: clock.now.microseconds, text: result.text))
  }

  private func perform(_ step: Step, _ index: Int) async throws(StoreError) -> Result {
    if case .open = step {
      var settings = scenario.settings(clock)
      if let mapSize { settings.mapSize = mapSize }
      let store = try CreditStore.open(at: Runner.store(in: folder), settings: settings)
      state.withLock { $0.store = store }
      return Result("open")
    }
    guard let store else { throw .closed }
    switch step {
    case .close:
      state.withLock { $0.store = nil }
      try await store.close()
      return Result("closed")
    case .publish: return Result("\(try await store.publish(Runner.book))")
    case .consumer: return Result("\(try await store.addConsumer("mailer"))")
    case .acknowledge:
      let last = try store.statistics().last
      try await store.acknowledge(last, by: "mailer")
      return Result("\(last)", last.value)
    case .time(let seconds):
      clock.advance(by: .seconds(seconds))
      // Moved by hand, it looks like a jump.
      store.acceptClock()
      try await store.tick()
      return Result("time")
    case .trim(let seconds):
      return Result("\(try await store.trim(before: clock.now - .seconds(seconds)).firstKept)")
    case .backup(let name):
      let last = try store.statistics().last.value
      try await store.backup(to: folder + "/" + name)
      return Result(name, last)
    case .work:
      if store.chargesArePaused { try await store.resumeCharges() }
      try await RefillWorker(store: store, gateway: gateway, concurrency: 1).work()
      return Result("worked")
    default: return try await step.ask(store, index: index) { self.result($0) }
    }
  }

  private static let book = PriceBook(
    "fault", features: [PriceBook.Feature("chat", base: 1, rates: [PriceBook.Rate(unit: "unit", amount: 0.01)])])
}

/// A scripted payment provider that tells of every card it charges, and can be told what it charged in an earlier life.
public final class RecordingGateway: PaymentGateway {
  private let script: ScriptedGateway
  private let charged: @Sendable (String, Int64) -> Void
  private let known: Mutex<[String: Int64]>

  /// Makes a provider.
  public init(
    acts: [ScriptedGateway.Act], known: [String: Int64] = [:], charged: @escaping @Sendable (String, Int64) -> Void
  ) {
    script = ScriptedGateway(acts)
    self.known = Mutex(known)
    self.charged = charged
  }

  /// How long keys are remembered.
  public var keyMemory: Duration { .seconds(86_400) }

  /// All that was charged, by key.
  public var all: [String: Int64] { known.withLock { $0 } }

  /// Charges a card as the script says.
  public func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    if let minor = all[order.key] { return .succeeded(reference: "old", price: Money(minor, order.price.currency)) }
    let before = script.taken.count
    defer {
      // A card that was charged is known before the answer comes, and also where the answer is lost.
      for taken in script.taken.dropFirst(before) {
        known.withLock { $0[taken.key] = taken.money.minor }
        charged(taken.key, taken.money.minor)
      }
    }
    return try await script.charge(order)
  }

  /// Tells what became of a key.
  public func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome {
    if let minor = all[order.key] { return .succeeded(reference: "old", price: Money(minor, order.price.currency)) }
    return try await script.lookUp(order)
  }
}
