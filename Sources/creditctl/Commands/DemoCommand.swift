import ArgumentParser
import Credits
import CreditsTesting
import Glibc
import Logging

/// How fast simulated time goes: so many times as fast as real time, or as fast as the machine can.
struct DemoSpeed: ExpressibleByArgument, CustomStringConvertible, Sendable {
  /// The factor; nil for as fast as the machine can.
  let factor: Int64?

  init(factor: Int64) { self.factor = factor }

  init?(argument: String) {
    if argument == "max" {
      factor = nil
    } else {
      guard let factor = Int64(argument), (1...1_000_000).contains(factor) else { return nil }
      self.factor = factor
    }
  }

  var description: String { factor.map { "x\($0)" } ?? "max" }
  var defaultValueDescription: String { factor.map { "\($0)" } ?? "max" }
}

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Live through a day of a thousand accounts at a hundred times speed.",
    discussion: """
      Customers with plans chat, write code and make images, at prices from a book that changes in the afternoon; answers are \
      streamed under holds; balances run low, alerts fire, auto-refill buys packs; cards are declined, banks ask for \
      confirmation, the network fails. The payment provider is scripted: no card exists and none is charged.

      On a terminal the day is a live screen, else a plain log, and with --json an object a line. Ctrl-C ends the day early. It \
      ends with a summary and a verification; exit code 4 if that finds a problem. The store is a new one in a temporary \
      folder, which goes with the program, or in the folder of --store, which must not exist; CREDITS_STORE is not used. The \
      same seed makes the same day, whatever the speed.

        creditctl demo
        creditctl demo --for 2h --speed 500 --seed 7
        creditctl demo --accounts 5000 --speed max --for 24h --json
      """)

  @Option(name: .long, help: "The number of accounts.")
  var accounts = 1_000

  @Option(name: .long, help: "How many times as fast as real time; 'max' for as fast as the machine can.")
  var speed = DemoSpeed(factor: 100)

  @Option(
    name: .customLong("for"), help: ArgumentHelp("How much simulated time. Default: 24h.", valueName: "duration"))
  var span: Duration?

  @Option(name: .long, help: "The seed of all that happens.")
  var seed: UInt64 = 1

  @Option(name: .long, help: ArgumentHelp("A new folder to keep the store in.", valueName: "path"))
  var store: String?

  @Flag(name: .long, help: "Print JSON for machines, an object a line.")
  var json = false

  /// The longest demonstration: a week.
  private static let longest = Duration.seconds(7 * 86_400)

  func validate() throws {
    guard (1...100_000).contains(accounts) else {
      throw ValidationError("--accounts is \(accounts); it must be from 1 to 100,000")
    }
    if let span, span < .seconds(DemoDay.step) || span > DemoCommand.longest {
      throw ValidationError("--for must be from \(DemoDay.step)s to 7d")
    }
  }

  func run() async throws {
    let temporary = store == nil ? TemporaryStore() : nil
    let path = store ?? temporary?.path ?? ""
    // Safe: a path is a terminated string that outlives the call.
    if unsafe access(path, F_OK) == 0 {
      throw UsageFailure(
        code: "exists", sentence: "there is something at \(path) already; the demonstration makes a new folder")
    }
    let clock = StoreClock.Manual(DemoWorld.start)
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(366 * 86_400)
    // The screen shows what happens.
    settings.logger = Logger(label: "creditctl.demo", factory: { _ in SwiftLogNoOpLogHandler() })
    let opened = try CreditStore.open(at: path, settings: settings)
    let summary: DemoSummary
    do {
      summary = try await DemoShow(
        store: opened, clock: clock, world: DemoWorld(seed: seed, accounts: accounts), speed: speed,
        span: span ?? .seconds(86_400), isJSON: json
      ).run()
      try await opened.close()
    } catch {
      try? await opened.close()
      throw error
    }
    if json {
      try Output.standard.line(summary.json.text)
    } else {
      try Output.standard.lines(summary.text + (store.map { ["the store is in \($0.escapedForTerminal)"] } ?? []))
    }
    try Output.standard.flush()
    // The folder must outlive the store.
    withExtendedLifetime(temporary) {}
    if summary.problem != nil { throw ExitStatus.problem }
  }
}
