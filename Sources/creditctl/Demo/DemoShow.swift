import Credits
import CreditsTesting

/// The demonstration as it is shown: paces the day, draws or logs it, and sums it up.
struct DemoShow {
  let store: CreditStore
  let clock: StoreClock.Manual
  let world: DemoWorld
  let speed: DemoSpeed
  let span: Duration
  let isJSON: Bool

  /// How much simulated time lies between two lines of progress, in steps.
  private static let progressSteps: Int64 = 900 / DemoDay.step

  /// How often the screen is drawn.
  private static let frame = Duration.milliseconds(100)

  /// Lives through the day.
  func run() async throws -> DemoSummary {
    let began = ContinuousClock.now
    Interruption.watch()
    defer { Interruption.unwatch() }
    var screen = LiveScreen()
    defer { screen.end() }
    let isLive = !isJSON && LiveScreen.isPossible
    if !isJSON, !isLive { try Output.standard.line("opening \(world.customers.count.grouped) accounts") }
    var day = try await DemoDay(world, store, clock)
    let setUp = began.duration(to: .now)
    let steps = span.components.seconds / DemoDay.step
    var pace = DemoPace(speed: speed)
    while day.steps < steps, !Interruption.hasCome {
      try await day.advance { entry, name in if !isLive { try log(entry, name) } }
      pace.count(day.scene)
      if isLive {
        if pace.isFrameDue(DemoShow.frame) { try draw(day, &screen, pace, steps) }
      } else {
        if day.steps % DemoShow.progressSteps == 0 { try progress(day, pace) }
        // What happens is seen when it happens, also through a pipe.
        try Output.standard.flush()
      }
      try await pace.wait(for: day.steps)
    }
    let isInterrupted = day.steps < steps
    screen.end()
    // From here on ctrl-C ends the program as ever.
    Interruption.unwatch()
    let verification = try await store.verify()
    let disagreement = try await day.disagreement()
    return DemoSummary(
      seed: world.seed, scene: day.scene, simulated: .seconds(day.steps * DemoDay.step), elapsed: pace.elapsed,
      settingUp: setUp, balances: try day.balances(), digest: try day.digest(),
      taken: day.gateway.scripted.taken.count, takenMinor: day.gateway.scripted.total,
      calls: day.gateway.scripted.calls + day.gateway.scripted.lookUps, verification: verification,
      disagreement: disagreement, isInterrupted: isInterrupted)
  }

  // MARK: The plain log

  private func log(_ entry: JournalEntry, _ name: String) throws {
    guard JournalEntry.Kind.events.contains(entry.kind) else { return }
    if isJSON {
      return try Output.standard.line(
        JSON.object([("type", "event"), ("name", .string(name)), ("entry", EntryFormat.json(entry))]).text)
    }
    let note = EntryFormat.note(entry)
    let amount = entry.amount == .zero ? "" : "  \(entry.amount.grouped)"
    try Output.standard.line(
      "\(entry.time.brief)  \(name)  \(entry.kind.rawValue)\(amount)\(note.isEmpty ? "" : "  " + note)"
        .escapedForTerminal)
  }

  private func progress(_ day: DemoDay, _ pace: DemoPace) throws {
    let scene = day.scene
    let (available, held) = try day.balances()
    if isJSON {
      let states = scene.refillStates.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.number($0.value)) }
      try Output.standard.line(
        JSON.object([
          ("type", "progress"), ("time", .text(day.now)), ("requests", .number(scene.requests)),
          ("denials", .number(scene.count(.denied))), ("spent", .string(scene.spent.plainCredits)),
          ("available", .string(available.plainCredits)), ("held", .string(held.plainCredits)),
          ("refills", .object(states)), ("requests_per_second", .decimal(pace.requestsPerSecond)),
        ]).text)
    } else {
      try Output.standard.line(
        "\(day.now.brief)  -- \(scene.requests.grouped) requests, \(scene.count(.denied).grouped) denied, "
          + "\((scene.spent / 1_000_000).grouped) credits spent, \((available / 1_000_000).grouped) available, "
          + "\(pace.requestsPerSecond.short) requests/s")
    }
  }

  // MARK: The live screen

  private func draw(
    _ day: DemoDay, _ screen: inout LiveScreen, _ pace: DemoPace, _ steps: Int64
  ) throws {
    let (available, held) = try day.balances()
    let spending = day.scene.spending.sorted { ($1.value, $0.key.high) < ($0.value, $1.key.high) }.prefix(40)
    let size = Terminal.outputSize
    let view = DemoView(
      scene: day.scene, time: day.now, part: Double(day.steps) / Double(max(1, steps)), span: span, speed: speed,
      available: available, held: held,
      busiest: try spending.map { account, spent in
        let name = world.index[account].map { world.customers[$0].name } ?? account.description
        return (name: name, spent: spent, available: try store.balance(of: account)?.available ?? .zero)
      }, requestsPerSecond: pace.requestsPerSecond, entriesPerSecond: pace.entriesPerSecond)
    try screen.draw(DemoScreen(width: size.columns, height: size.rows).lines(view), rows: size.rows)
  }
}

/// How fast the day goes: waits where it is ahead of its time, and measures what is done in a second.
struct DemoPace {
  private let speed: DemoSpeed
  private let began = ContinuousClock.now
  private var drawn = ContinuousClock.now - .seconds(1)
  private var mark: (time: ContinuousClock.Instant, requests: Int, entries: UInt64)?
  private(set) var requestsPerSecond = 0.0
  private(set) var entriesPerSecond = 0.0

  init(speed: DemoSpeed) { self.speed = speed }

  /// The real time since the day began.
  var elapsed: Duration { began.duration(to: .now) }

  /// Counts what has been done, over a second or more.
  mutating func count(_ scene: DemoScene) {
    let now = ContinuousClock.now
    guard let mark else { return mark = (now, scene.requests, scene.last.value) }
    let seconds = mark.time.duration(to: now).seconds
    guard seconds >= 1 || requestsPerSecond == 0 && seconds >= 0.2 else { return }
    requestsPerSecond = Double(scene.requests - mark.requests) / seconds
    entriesPerSecond = Double(scene.last.value - mark.entries) / seconds
    if seconds >= 1 { self.mark = (now, scene.requests, scene.last.value) }
  }

  /// Whether the screen is to be drawn again.
  mutating func isFrameDue(_ frame: Duration) -> Bool {
    guard drawn.duration(to: .now) >= frame else { return false }
    drawn = .now
    return true
  }

  /// Waits until a step may end, or the program is interrupted.
  func wait(for step: Int64) async throws {
    guard let factor = speed.factor else { return }
    let end = began + .seconds(step * DemoDay.step) / Int(factor)
    while ContinuousClock.now < end, !Interruption.hasCome {
      try await ContinuousClock().sleep(until: min(end, .now + .milliseconds(100)))
    }
  }
}
