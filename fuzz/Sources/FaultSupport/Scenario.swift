public import Credits
public import CreditsTesting
internal import Logging

/// A row of steps on one store, the same each time, with the settings that make it interesting.
public struct Scenario: Sendable {
  /// The scenario's name.
  public let name: String
  /// What it does.
  public let steps: [Step]
  /// The number of first steps that another process has done before, and then died without closing.
  public let prelude: Int
  /// What it changes of the usual settings.
  private let adjust: @Sendable (inout Settings) -> Void
  /// What the payment provider does, call by call; then it charges.
  public let acts: [ScriptedGateway.Act]

  /// The time at which every scenario begins.
  public static let begin = Timestamp(seconds: 1_900_000_000)

  init(
    _ name: String, prelude: Int = 0, acts: [ScriptedGateway.Act] = [],
    settings: @escaping @Sendable (inout Settings) -> Void = { _ in }, _ steps: [Step]
  ) {
    self.name = name
    self.prelude = prelude
    self.acts = acts
    adjust = settings
    self.steps = steps
  }

  /// The settings of its store: small, so that a state is quick to build and to check.
  public func settings(_ clock: StoreClock.Manual) -> Settings {
    var settings = Settings()
    settings.mapSize = 1 << 28
    settings.residentAccounts = 1_024
    settings.windowRequests = 4_096
    settings.windowAge = .seconds(400 * 86_400)
    settings.frameKibibytes = 256
    settings.clock = .manual(clock)
    settings.logger = Logger(label: "faults", factory: { _ in SwiftLogNoOpLogHandler() })
    adjust(&settings)
    return settings
  }

  /// The scenario of a name; nil if there is none.
  public static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

  /// The scenario of a name, which exists.
  public static func known(_ name: String) -> Scenario {
    guard let scenario = named(name) else { fail("there is no scenario \(name)") }
    return scenario
  }

  /// All scenarios.
  public static let all: [Scenario] = [
    Scenario("creation", [.open, .account(1), .grant(1, 100), .debit(1, 3), .debit(1, 4), .close]),
    Scenario("commits", [.open] + verbs(rounds: 5)),
    Scenario("sweep", settings: { $0.checkpointEntries = 1_024 }, sweep),
    Scenario("growth", settings: { $0.windowRequests = 16_384 }, growth),
    Scenario(
      "trim",
      settings: {
        $0.windowRequests = 1_024
        $0.checkpointEntries = 1_024
        $0.retention = .age(.seconds(30))
      }, trim),
    Scenario("backup", backup),
    Scenario("reopen", settings: { $0.checkpointEntries = 100_000 }, reopen),
    Scenario("recovery", prelude: 32, settings: { $0.windowRequests = 16_384 }, recovery),
    Scenario(
      "charges",
      acts: [
        .succeed, .chargeAndFail, .fail, .decline("no"), .process, .succeed, .mumble, .chargeAndFail, .fail, .succeed,
      ], charges),
    // A process that is killed at some write, and another one that repeats all of it.
    Scenario("killed", killed),
    // The control: the same as "commits", but nothing is synced.
    Scenario("unsynced", settings: { $0.durability = .unsynced }, [.open] + verbs(rounds: 2)),
  ]

  /// The scenarios of one process from beginning to end whose promises hold.
  public static let sound = all.filter { $0.name != "unsynced" && $0.name != "killed" }

  private static func verbs(rounds: Int) -> [Step] {
    var steps: [Step] = [.publish, .account(1), .account(2), .account(3), .grant(1, 100), .grant(2, 60)]
    steps += [.method(2), .refill(2), .consumer, .alerts(1), .subscribe(3)]
    for round in 0..<rounds {
      steps += [.debit(1, 7), .debit(2, 9), .debit(1, 500), .hold(1, 10), .capture(1, 6, stepsBack: 1)]
      steps += [.hold(3, 4), .release(3, stepsBack: 1), .usage(1, 12), .grant(1, 25, expiresIn: 40_000)]
      steps += [.hold(1, 5), .capture(1, 8, stepsBack: 1), .freeze(3), .debit(3, 1), .unfreeze(3), .acknowledge]
      steps += [.debit(1, 2), .correct(1, stepsBack: 1), .debit(2, 11), .time(seconds: 30_000)]
      if round == 1 { steps.append(.purchase(2)) }
    }
    return steps + [.close]
  }

  private static let sweep: [Step] =
    [.open, .accounts(1...60)] + (1...10).map { .grant($0, 1_000) }
    + (0..<45).flatMap { round in
      [.batch(accounts: 60, count: 60), .debit(UInt64(round % 10) + 1, 2)]
    } + [.close]

  private static let growth: [Step] =
    [.open, .accounts(1...20)] + (1...20).map { .grant($0, 10_000) }
    + (0..<24).map { .batch(accounts: 20, count: 200 + $0 * 8) } + [.close]

  private static let trim: [Step] =
    [.open, .accounts(1...20)] + (1...20).map { .grant($0, 10_000) }
    + (0..<36).flatMap { round -> [Step] in
      var steps: [Step] = [.batch(accounts: 20, count: 220), .time(seconds: 10)]
      if round % 6 == 5 { steps.append(.trim(seconds: 20)) }
      return steps
    } + [.close]

  private static let backup: [Step] =
    [.open, .account(1), .account(2), .grant(1, 100), .grant(2, 50), .debit(1, 3), .method(1), .purchase(1)]
    + [.backup("backup-1"), .debit(1, 4), .debit(2, 5), .hold(2, 6), .backup("backup-2"), .debit(2, 7)]
    + [.batch(accounts: 2, count: 100), .backup("backup-3"), .debit(1, 1), .close]

  private static let reopen: [Step] =
    [.open, .account(1), .account(2), .grant(1, 500), .grant(2, 300)]
    + (0..<6).flatMap { round -> [Step] in
      [
        .debit(1, 3), .hold(2, 5), .debit(2, 4), .time(seconds: 100), .debit(1, 1), .close, .open, .debit(2, 2),
        .account(UInt64(round) + 3), .grant(UInt64(round) + 3, 10),
      ]
    } + [.close]

  private static let recovery: [Step] =
    // The prelude leaves more accounts dirty than fit into memory, so that the opening writes images on its way.
    [.open, .accounts(1...1_000), .accounts(1_001...1_500)] + (1...25).map { .grant($0, 1_000) }
    + [.batch(accounts: 25, count: 150), .hold(3, 7), .accounts(1_501...2_400), .batch(accounts: 25, count: 150)]
    + [.open] + (0..<20).map { .debit($0 + 1, 5) } + [.batch(accounts: 25, count: 100), .debit(2_000, 1), .close]

  private static let killed: [Step] =
    [.open, .account(1), .account(2), .grant(1, 500), .grant(2, 300), .debit(1, 3), .hold(2, 5), .debit(2, 4)]
    + [.capture(2, 5, stepsBack: 2), .batch(accounts: 2, count: 60), .debit(1, 1), .debit(1, 900), .close]

  private static let charges: [Step] =
    [.open, .account(1), .account(2), .account(3), .grant(1, 50), .grant(2, 50), .grant(3, 50)]
    + [.method(1), .method(2), .method(3), .refill(1), .refill(2), .refill(3)]
    + (0..<6).flatMap { round -> [Step] in
      [
        .debit(1, round == 0 ? 30 : 490), .work, .debit(2, 25), .purchase(3), .work, .time(seconds: 4_000), .work,
        .debit(3, 400), .work, .time(seconds: 90_000), .work,
      ]
    } + [.close]
}
