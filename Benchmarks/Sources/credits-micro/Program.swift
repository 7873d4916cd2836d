import ArgumentParser
import Foundation
import Harness

/// Measures the short path call by call: nanoseconds, and allocations, which have limits.
@main
struct Program: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credits-micro",
    abstract: "Measure single calls of the store on one thread: time and allocations.",
    discussion: """
      Allocations are counted by this program's own malloc. With --check the counts are compared with the limits in a \
      file, {"name": allocations per call}, and the program fails if one is exceeded, if a limit names nothing, or if the \
      counter itself does not count.
      """)

  @Option(help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 100_000

  @Option(help: ArgumentHelp("The calls of each kind.", valueName: "number"))
  var calls: Int = 200_000

  @Option(help: ArgumentHelp("The file of the limits.", valueName: "path"))
  var check: String?

  @Option(help: ArgumentHelp("The folder to write the report to; none is written without it.", valueName: "path"))
  var output: String?

  /// What the tables of the request window, and their like, may take now and then: the allocations of a call, as the mean.
  private static let housekeeping = 0.01

  func validate() throws {
    guard accounts >= 1_000, calls >= 10_000 else {
      throw ValidationError("Accounts must be 1,000 or more, calls 10,000 or more.")
    }
  }

  func run() async throws {
    let measurements = try await Task.detached { [accounts, calls] in
      try await Micro.run(accounts: accounts, calls: calls)
    }.value
    var report = Report(title: "Single calls on one thread", surroundings: .now(folder: "."))
    for one in measurements {
      report.figures.append(
        Figure(group: one.name, name: "time", unit: "ns/call", spread: Spread(one.nanoseconds)))
      report.figures.append(
        Figure(
          group: one.name, name: "allocations", unit: "/1,000 calls", spread: Spread(one.allocations.map { $0 * 1_000 })
        ))
    }
    report.notes = [
      "\(accounts.grouped) accounts, uniform; commits not synced. Medians over parts of \(Micro.part) calls."
    ]
    if let output { try report.write(to: output, name: "micro") }
    print(report.markdown)
    if let check { try compare(measurements, with: check) }
  }

  private func compare(_ measurements: [Measurement], with path: String) throws {
    let limits = try JSONDecoder().decode([String: Double].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    var complaints = limits.keys.sorted().compactMap { name -> String? in
      guard let one = measurements.first(where: { $0.name == name }) else { return "no measurement is named \(name)" }
      let limit = limits[name] ?? 0
      if one.perCall > limit { return "\(name): \(one.perCall) allocations a call, the limit is \(limit)" }
      let most = limit + Program.housekeeping
      return one.mean > most ? "\(name): \(one.mean) allocations a call as the mean, the limit is \(most)" : nil
    }
    if measurements.first(where: { $0.name == Micro.proof })?.perCall != 1 {
      complaints.append("the counter is broken: it did not count one allocation as one")
    }
    guard complaints.isEmpty else {
      for complaint in complaints { FileHandle.standardError.write(Data("error: \(complaint)\n".utf8)) }
      throw ExitCode.failure
    }
    print("All \(limits.count) limits on allocations are kept.")
  }
}
