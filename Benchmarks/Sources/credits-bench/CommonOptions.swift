import ArgumentParser
import Foundation
import Harness

/// The options that all commands share.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder to make the stores in.", valueName: "path"))
  var folder: String = "."

  @Option(help: ArgumentHelp("The folder to write the reports and charts to.", valueName: "path"))
  var output: String = "results"

  @Option(help: ArgumentHelp("The seconds of one run.", valueName: "seconds"))
  var seconds: Double = 4

  @Option(help: ArgumentHelp("The seconds that a store warms up before its runs.", valueName: "seconds"))
  var warmUp: Double = 1

  @Option(help: ArgumentHelp("The number of runs of each figure.", valueName: "number"))
  var runs: Int = 3

  @Option(
    help: ArgumentHelp(
      "The most that others may use of the processors in a run, in percent of one core.", valueName: "percent"))
  var others: Double = 15

  @Option(help: ArgumentHelp("The runs that may be made in place of disturbed ones.", valueName: "number"))
  var spare: Int = 2

  var repetition: Repetition { Repetition(runs: runs, othersPercent: others, spare: spare) }

  func validate() throws {
    guard seconds > 0, seconds <= 3_600, (1...100).contains(runs), warmUp >= 0, spare >= 0 else {
      throw ValidationError("Seconds must be above 0 and at most 3,600, runs from 1 to 100, the others not negative.")
    }
  }

  /// Does some work in a new folder under the chosen one, and removes the folder whatever happens, a signal to end
  /// included.
  func inFolder<R>(_ work: (String) async throws -> R) async throws -> R {
    let path = try newFolder()
    let signals = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        ChildProcess.endCurrent()
        try? FileManager.default.removeItem(atPath: path)
        _exit(128 + number)
      }
      source.resume()
      return source
    }
    defer {
      signals.forEach { $0.cancel() }
      try? FileManager.default.removeItem(atPath: path)
    }
    return try await work(path)
  }

  private func newFolder() throws -> String {
    let path = URL(fileURLWithPath: folder).appendingPathComponent("bench-\(getpid())").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  /// An empty report about measurements in a folder.
  func report(_ title: String, folder: String) -> Report {
    Report(title: title, surroundings: .now(folder: folder), repetition: repetition)
  }

  /// Writes a report and its charts, and prints it.
  func publish(_ report: Report, name: String, charts: [(name: String, chart: Chart)] = []) throws {
    var report = report
    try report.write(to: output, name: name, charts: charts)
    print(report.markdown)
    note("Written to \(output)/\(name).md, .json\(report.charts.isEmpty ? "" : " and charts").")
  }
}

/// Tells the user what is going on, beside the report.
func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
