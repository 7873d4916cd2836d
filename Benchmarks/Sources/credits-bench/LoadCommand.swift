import ArgumentParser
import Credits
import Foundation
import Harness

struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Load a store in a chosen way: as fast as it goes, or at set rates.",
    discussion: """
      Without --rate, a closed loop: each caller makes its next call when the one before has returned; a chart shows the \
      throughput against the callers. With --rate, an open loop: calls start at set moments, and latency is counted from \
      these, so that stalls are not hidden; a chart shows the latency against the rate.

        credits-bench load --callers 1,8,64,512,4096
        credits-bench load --rate 50000,100000,200000,400000
        credits-bench load --callers 8 --batch 8192 --distribution zipfian --accounts 10000000
        credits-bench load --callers 2 --acknowledge applied --readers 1
        credits-bench load --callers 64 --cold --resident 100000
        credits-bench load --callers 8 --batch 8192 --retention 3 --warm-up 10
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: "The calls that are under way at once; several numbers, with commas, are measured one after the other.")
  var callers: String?

  @Option(help: "The debits a second of an open loop; several numbers, with commas, one after the other.")
  var rate: String?

  @Option(help: ArgumentHelp("The debits of one call.", valueName: "number"))
  var batch: Int = 1

  @Option(help: "What a call waits for: durable or applied.")
  var acknowledge: Wait = .durable

  @Option(help: ArgumentHelp("The number of accounts, up to 100,000,000.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(help: "How debits are spread over accounts: uniform, zipfian or hot.")
  var distribution: Distribution.Kind = .uniform

  @Option(help: ArgumentHelp("The accounts in memory; by default all, up to 20,000,000.", valueName: "number"))
  var resident: Int?

  @Option(help: ArgumentHelp("Threads that read balances meanwhile.", valueName: "number"))
  var readers: Int = 0

  @Flag(help: "Leave the callers' tasks on the executor of the language, instead of the store's own.")
  var defaultExecutor = false

  @Flag(help: "Measure with nothing in memory, no page of the file in the system's cache, and without a warm-up.")
  var cold = false

  @Flag(help: "Write no images of accounts meanwhile.")
  var noSweep = false

  @Option(help: ArgumentHelp("The age at which journal is deleted; by default none is.", valueName: "seconds"))
  var retention: Int?

  @Flag(help: "Do not wait for the disk.")
  var unsynced = false

  private static func numbers(_ text: String?) -> [Double]? {
    text.map { $0.split(separator: ",").map { Double($0) ?? -1 } }
  }

  func validate() throws {
    let numbers = (LoadCommand.numbers(callers) ?? []) + (LoadCommand.numbers(rate) ?? [])
    guard numbers.allSatisfy({ $0 >= 1 && $0 <= 1e9 }), (1...100_000_000).contains(accounts), batch >= 1, readers >= 0,
      retention ?? 1 >= 1
    else {
      throw ValidationError(
        "Callers, rates, batch and retention must be 1 or more, accounts from 1 to 100,000,000, readers not negative.")
    }
    if noSweep, retention != nil { throw ValidationError("Without the sweep no journal can be deleted.") }
  }

  private var shapes: [Shape] {
    let base = Shape(
      batch: batch, acknowledge: acknowledge == .durable ? .durable : .applied,
      sampling: acknowledge == .applied && batch == 1 ? 64 : 1,
      isOnRequestExecutor: !defaultExecutor && batch == 1)
    let callers = LoadCommand.numbers(callers)?.map { Int($0) }
    if let rates = LoadCommand.numbers(rate) {
      return rates.map { rate in
        var shape = base
        shape.rate = rate
        shape.callers = callers?.first ?? (batch > 1 ? 64 : 8_192)
        return shape
      }
    }
    return (callers ?? [1, 8, 64, 512, 4_096]).map { number in
      var shape = base
      shape.callers = number
      return shape
    }
  }

  private var settings: Settings {
    var settings = Settings()
    settings.residentAccounts = resident ?? min(max(1_000_000, accounts * 5 / 4), 20_000_000)
    settings.durability = unsynced ? .unsynced : .synced
    if let retention { settings.delete(olderThan: retention) }
    if noSweep { settings.checkpointEntries = 1_000_000_000_000 }
    return settings
  }

  func run() async throws {
    try await common.inFolder { path in
      let folder = path + "/store"
      note("Making \(accounts.grouped) accounts.")
      try ChildProcess.fill(folder, accounts: accounts)
      let spread = Distribution(distribution, accounts: accounts)
      var rows: [Row] = []
      var number = 0
      for shape in shapes {
        let row = try await measure(shape, folder, path, spread, &number)
        note("    \(row.form), \(row.callers) callers: \(row.rate.median.short) debits/s")
        rows.append(row)
      }
      var report = common.report("Load", folder: path)
      report.rows = rows
      report.notes = [
        "\(accounts.grouped) accounts, \(distribution.rawValue); "
          + "\(settings.residentAccounts.grouped) of them fit in memory; \(cold ? "cold" : "warm"), "
          + (retention.map { "journal older than \($0) s deleted; " } ?? "")
          + "\(noSweep ? "without" : "with") the sweep; \(readers) readers beside; "
          + "\(defaultExecutor ? "default" : "request") executor."
      ]
      try common.publish(report, name: rate == nil ? "load" : "load-rate", charts: charts(rows))
    }
  }

  private func measure(
    _ shape: Shape, _ folder: String, _ path: String, _ spread: Distribution, _ number: inout Int
  ) async throws -> Row {
    var store: CreditStore? = cold ? nil : try CreditStore.open(at: folder, settings: settings)
    if let store, common.warmUp > 0 {
      // Until no more accounts come into memory.
      var resident = -1
      while try store.statistics().residentAccounts > resident * 101 / 100 {
        resident = try store.statistics().residentAccounts
        number += 1
        let load = Load(store: store, distribution: spread, folder: path, run: number)
        _ = try await load.measure(
          Shape(callers: 2, batch: 8_192), seconds: common.warmUp, countsBytes: false)
      }
    }
    var reads: [Double] = []
    let runs = try await common.repetition.measure {
      if cold {
        try await store?.close()
        ColdCache.forget(folder + "/data.mdb")
        store = try CreditStore.open(at: folder, settings: settings)
      }
      guard let store else { throw Problem("the store is not open") }
      number += 1
      let load = Load(store: store, distribution: spread, folder: path, run: number)
      let readers = readers > 0 ? Readers(store, spread, count: readers) : nil
      let run = try await load.measure(shape, seconds: common.seconds)
      if let readers { reads.append(Double(try readers.end()) / run.seconds) }
      return run
    }
    try await store?.close()
    return Row(
      name: "Credits", form: (shape.batch > 1 ? "batches" : "single calls") + (shape.rate == nil ? "" : ", open loop"),
      durability: acknowledge == .durable ? (unsynced ? "unsynced" : "durable") : "applied", callers: shape.callers,
      batch: batch, asked: shape.rate, runs: runs, readsPerSecond: reads.isEmpty ? nil : Spread(reads))
  }

  private func charts(_ rows: [Row]) -> [(name: String, chart: Chart)] {
    guard rows.count > 1 else { return [] }
    if rate == nil {
      let points = rows.map { (x: Double($0.callers), y: $0.rate.median) }
      let chart = Chart(
        title: "Throughput against callers", x: .init("callers", isLogarithmic: true),
        y: .init("debits/s", isLogarithmic: true), series: [.init("median", points)])
      return [("throughput", chart)]
    }
    func series(_ name: String, _ value: (Percentiles) -> Double) -> Chart.Series {
      .init(name, rows.compactMap { row in row.latency.map { (x: row.asked ?? 0, y: value($0)) } })
    }
    let chart = Chart(
      title: "Latency against rate, from the intended start", x: .init("debits/s asked for"),
      y: .init("µs", isLogarithmic: true),
      series: [
        series("p50", \.p50), series("p99", \.p99), series("p99.9", \.p999), series("p99.99", \.p9999),
      ])
    return [("latency", chart)]
  }
}

/// What a call waits for, as an option.
enum Wait: String, ExpressibleByArgument {
  case durable, applied
}

/// The system's cache of a file.
enum ColdCache {
  /// Writes a file's pages to the disk and drops them from memory.
  static func forget(_ path: String) {
    sync()
    // Safe: the path is terminated and outlives the call.
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return }
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    close(file)
  }
}
