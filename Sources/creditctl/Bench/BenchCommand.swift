import ArgumentParser
import Credits
import Glibc

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the store on this machine against its targets.",
    discussion: """
      Makes stores in a folder of its own, which it removes in the end; put it on the disk that counts. Each figure is the \
      median of several runs; what other processes used of the processors meanwhile is reported beside it.

        creditctl bench                              all targets, some minutes
        creditctl bench p1 p2 --accounts 100000      two of them, with fewer accounts
        creditctl bench p1 --distribution zipfian
        creditctl bench --json > figures.json
      """)

  @Argument(help: "The targets to measure, p1 to p10; all by default.")
  var targets: [String] = []

  @Option(name: .long, help: ArgumentHelp("The folder to make the stores in.", valueName: "path"))
  var folder: String = "."

  @Option(name: .long, help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(name: .long, help: ArgumentHelp("The number of accounts for p7 and p8.", valueName: "number"))
  var manyAccounts: Int = 10_000_000

  @Option(name: .long, help: "How debits are spread over accounts: uniform or zipfian.")
  var distribution: String = "uniform"

  @Option(name: .long, help: ArgumentHelp("The seconds of one run.", valueName: "seconds"))
  var seconds: Double = 4

  @Option(name: .long, help: ArgumentHelp("The number of runs of each figure.", valueName: "number"))
  var runs: Int = 3

  @Option(name: .long, help: ArgumentHelp("The callers of batches.", valueName: "number"))
  var callers: Int = 8

  @Flag(name: .long, help: "Do not wait for the disk, to see what it costs.")
  var unsynced = false

  @Flag(name: .long, help: "Print JSON for machines.")
  var json = false

  func run() async throws {
    let chosen = try (targets.isEmpty ? BenchTarget.allCases.map(\.rawValue) : targets).map { name in
      guard let target = BenchTarget(rawValue: name.lowercased()) else {
        throw UsageFailure(sentence: "there is no target \(name); name some of p1 to p10")
      }
      return target
    }
    guard ["uniform", "zipfian"].contains(distribution) else {
      throw UsageFailure(sentence: "there is no distribution \(distribution); name uniform or zipfian")
    }
    guard accounts > 1_000, manyAccounts >= accounts, seconds > 0, seconds <= 3_600, (1...100).contains(runs),
      callers >= 1
    else {
      throw UsageFailure(
        sentence:
          "accounts must be above 1,000, many accounts no fewer, seconds up to 3,600, runs up to 100, callers 1 or more"
      )
    }
    var template = Array((folder + "/bench-XXXXXX").utf8CString)
    // Safe: the template ends with a zero and is written in place.
    guard unsafe mkdtemp(&template) != nil else {
      throw UsageFailure(sentence: "no folder can be made in \(folder): \(systemReason()); name another with --folder")
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var bench = Bench(command: self, path: path)
    do {
      for target in chosen { try await bench.measure(target) }
    } catch {
      bench.removeAll()
      throw error
    }
    bench.removeAll()
    try report(bench.figures)
  }

  private func report(_ figures: [Figure]) throws {
    if json {
      let rows = figures.map { figure -> JSON in
        [
          "target": .string(figure.target.rawValue), "title": .string(figure.target.title),
          "figure": .string(figure.name), "goal": .string(figure.target.goal), "median": .decimal(figure.median),
          "unit": .string(figure.unit), "runs": .array(figure.values.map { .decimal($0) }),
          "others_percent": .array(figure.others.map { .decimal($0) }),
          "reached": figure.reaches.map { .bool($0(figure.median)) } ?? .null,
        ]
      }
      try Output.standard.line(
        (["machine": .string(Machine.description), "accounts": .number(accounts), "figures": .array(rows)] as JSON).text
      )
    } else {
      var table = Table([
        ("", .left), ("figure", .left), ("median", .right), ("unit", .left), ("reached", .left), ("runs", .left),
        ("others", .right),
      ])
      for figure in figures {
        let others = figure.others.max().map { "\(Int($0)) %" } ?? ""
        table.add([
          figure.target.rawValue.uppercased(), figure.name, Figure.format(figure.median), figure.unit,
          figure.reaches.map { $0(figure.median) ? "yes" : "no" } ?? "", figure.spread, others,
        ])
      }
      try Output.standard.line("\(Machine.description); \(accounts.grouped) accounts, \(distribution)")
      try Output.standard.lines(table.lines(width: nil))
      try Output.standard.line("others: what other processes used of the processors, at most, in percent of one core")
    }
    try Output.standard.flush()
  }
}
