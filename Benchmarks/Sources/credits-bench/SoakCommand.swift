import ArgumentParser
import Credits
import Foundation
import Harness

struct SoakCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Load a store for long, at a part of the rate it can reach, while old journal is deleted.",
    discussion: """
      Measures the reached rate first. Latency, memory and file are recorded part by part: they must stay as they are. \
      Ends with a verification.

        credits-bench soak                                 15 minutes at 80 % of the reached rate
        credits-bench soak --minutes 1 --parts 6
        credits-bench soak --batch 1 --callers 8192        single calls
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("How long.", valueName: "minutes"))
  var minutes: Double = 15

  @Option(help: ArgumentHelp("The part of the reached rate, in percent.", valueName: "percent"))
  var load: Double = 80

  @Option(help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(help: ArgumentHelp("The age at which journal is deleted.", valueName: "seconds"))
  var retention: Int = 5

  @Option(help: ArgumentHelp("The number of parts that are recorded.", valueName: "number"))
  var parts: Int = 60

  @Option(help: ArgumentHelp("The most calls under way at once.", valueName: "number"))
  var callers: Int = 16

  @Option(help: ArgumentHelp("The debits of one call.", valueName: "number"))
  var batch: Int = 8_192

  func validate() throws {
    guard minutes > 0, load > 0, accounts >= 1, retention >= 1, (1...1_000).contains(parts), callers >= 1, batch >= 1
    else { throw ValidationError("All numbers must be above zero, and parts at most 1,000.") }
  }

  /// What is recorded of one part.
  private struct Part {
    let minute: Double
    let run: Run
    let fileBytes: Int
    let usedBytes: Int
  }

  func run() async throws {
    try await common.inFolder { path in
      var settings = Settings()
      settings.delete(olderThan: retention)
      settings.residentAccounts = max(settings.residentAccounts, accounts * 5 / 4)
      let store = try CreditStore.open(at: path + "/store", settings: settings)
      try await Load.fill(store, accounts: accounts)
      let spread = Distribution(.uniform, accounts: accounts)
      var load = Load(store: store, distribution: spread, folder: path, run: 1)
      var shape = Shape(callers: callers, batch: batch, isOnRequestExecutor: batch == 1)
      let reached = try await load.measure(shape, seconds: max(3, common.seconds)).rate
      let rate = reached * self.load / 100
      note("Reached \(reached.short) debits/s; going on at \(rate.short)/s for \(minutes.short) minutes.")
      shape.rate = rate
      var results: [Part] = []
      for number in 1...parts {
        load.run += 1
        let run = try await load.measure(shape, seconds: minutes * 60 / Double(parts), countsBytes: false)
        let statistics = try store.statistics()
        results.append(
          Part(
            minute: minutes * Double(number) / Double(parts), run: run, fileBytes: statistics.fileBytes,
            usedBytes: statistics.usedBytes))
        note("    \(number) of \(parts): \(run.rate.short) debits/s, file \(bytes(statistics.fileBytes))")
      }
      let verification = try await store.verify()
      try await store.close()
      try publish(results, path, reached: reached, rate: rate, verification)
      if let problem = verification.problem { throw Problem("verify found a problem: \(problem)") }
    }
  }

  private func publish(
    _ parts: [Part], _ path: String, reached: Double, rate: Double, _ verification: Verification
  ) throws {
    var report = common.report("Soak", folder: path)
    report.repetition = nil
    let isOne = Repetition(runs: 1, othersPercent: common.others, spare: 0)
    report.rows = parts.map { part in
      Row(
        name: "\(part.minute.fixed(2)) min", form: "open loop", durability: "durable", callers: callers, batch: batch,
        asked: rate, runs: isOne.chosen(of: [part.run]))
    }
    let files = parts.map { Double($0.fileBytes) / 1_048_576 }
    report.figures = [
      figure("file after the first part", "MiB", [files.first ?? .nan]),
      figure("file at the end", "MiB", [files.last ?? .nan]),
      figure("file in use, over all parts", "MiB", parts.map { Double($0.usedBytes) / 1_048_576 }),
      figure("memory, over all parts", "MiB", parts.map { Double($0.run.memory) / 1_048_576 }),
      figure("debits/s, over all parts", "/s", parts.map(\.run.rate)),
      figure("p99.9, over all parts", "ms", parts.map { $0.run.latencies.nanoseconds(99.9) / 1e6 }),
    ]
    report.notes = [
      "\(accounts.grouped) accounts; journal older than \(retention) s deleted; "
        + "\(load.short) % of the \(reached.short) debits/s that a closed loop reached before; "
        + "\(parts.map(\.run.debits).reduce(0, +).grouped) debits; verify: "
        + (verification.problem.map { "\($0)" } ?? "clean, \(verification.entries.grouped) entries within retention")
        + "."
    ]
    func series(_ name: String, _ value: (Part) -> Double) -> Chart.Series {
      .init(name, parts.map { (x: $0.minute, y: value($0)) })
    }
    let minutes = Chart.Axis("minutes")
    try common.publish(
      report, name: "soak",
      charts: [
        (
          "latency",
          Chart(
            title: "Latency of a call over time", x: minutes, y: .init("ms"),
            series: [
              series("p50") { $0.run.latencies.nanoseconds(50) / 1e6 },
              series("p99") { $0.run.latencies.nanoseconds(99) / 1e6 },
              series("p99.9") { $0.run.latencies.nanoseconds(99.9) / 1e6 },
            ])
        ),
        (
          "sizes",
          Chart(
            title: "Memory and file over time", x: minutes, y: .init("MiB"),
            series: [
              series("memory") { Double($0.run.memory) / 1_048_576 },
              series("file") { Double($0.fileBytes) / 1_048_576 },
              series("file in use") { Double($0.usedBytes) / 1_048_576 },
            ])
        ),
        (
          "rate",
          Chart(title: "Rate over time", x: minutes, y: .init("debits/s"), series: [series("debits/s") { $0.run.rate }])
        ),
      ])
  }

  private func figure(_ name: String, _ unit: String, _ values: [Double]) -> Figure {
    Figure(group: "soak", name: name, unit: unit, spread: Spread(values))
  }
}

extension Settings {
  /// Deletes journal of an age, with a small window and a quicker sweep, so that neither holds on to much of it.
  mutating func delete(olderThan seconds: Int) {
    retention = .age(.seconds(seconds))
    windowRequests = 500_000
    // Journal can go only once the images are later: they must come round a few times in that age.
    checkpointEntries = min(checkpointEntries, 800_000 * seconds)
  }
}
