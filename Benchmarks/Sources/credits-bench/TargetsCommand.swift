import ArgumentParser
import Harness

struct TargetsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "targets",
    abstract: "Measure the targets P1 to P10, and the limits of disk and memory beside them.",
    discussion: """
        credits-bench targets                              all of them, about six minutes
        credits-bench targets p1 p2 --accounts 100000      two of them, with fewer accounts
        credits-bench targets p1 --distribution zipfian
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The targets to measure, p1 to p10; all by default.")
  var targets: [String] = []

  @Option(help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(help: ArgumentHelp("The number of accounts for p7 and p8.", valueName: "number"))
  var manyAccounts: Int = 10_000_000

  @Option(help: "How debits are spread over accounts: uniform, zipfian or hot.")
  var distribution: Distribution.Kind = .uniform

  @Option(help: ArgumentHelp("The callers of batches.", valueName: "number"))
  var callers: Int = 16

  @Flag(help: "Do not wait for the disk, to see what it costs.")
  var unsynced = false

  func validate() throws {
    guard accounts > 1_000, manyAccounts >= accounts, callers >= 1 else {
      throw ValidationError("Accounts must be above 1,000, many accounts no fewer, callers 1 or more.")
    }
    for name in targets where Target(rawValue: name.lowercased()) == nil {
      throw ValidationError("There is no target \(name); name some of p1 to p10.")
    }
  }

  func run() async throws {
    let chosen = targets.isEmpty ? Target.allCases : targets.compactMap { Target(rawValue: $0.lowercased()) }
    try await common.inFolder { path in
      var bench = Targets(command: self, path: path)
      for target in chosen { try await bench.measure(target) }
      if chosen.contains(.p1) || chosen.contains(.p5) { try bench.limits() }
      var report = common.report("Targets", folder: path)
      report.figures = bench.figures
      report.notes = [
        "\(accounts.grouped) accounts, \(distribution.rawValue); runs of \(common.seconds.short) s after a warm-up of "
          + "\(common.warmUp.short) s; commits \(unsynced ? "not synced" : "synced").",
        "Others: what other processes used of the processors, at most, in percent of one core.",
      ]
      report.notes += bench.notes
      try common.publish(report, name: "targets")
    }
  }
}

extension Distribution.Kind: ExpressibleByArgument {}
