import ArgumentParser
import Credits
import Glibc

struct SoakCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Debit a store for long while old journal is deleted, and watch its file and its commits.",
    discussion: """
      Makes a store in a folder of its own, which it removes in the end. A row is printed after each part of the debits: \
      the file must stop growing and the times must stay as they are. Ends with a verification.

        creditctl soak --debits 50000000 --retention 5s
      """)

  @Option(name: .long, help: ArgumentHelp("The folder to make the store in.", valueName: "path"))
  var folder: String = "."

  @Option(name: .long, help: ArgumentHelp("The number of debits.", valueName: "number"))
  var debits: Int = 50_000_000

  @Option(name: .long, help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(name: .long, help: ArgumentHelp("The age at which journal is deleted.", valueName: "seconds"))
  var retention: Int = 5

  @Option(name: .long, help: ArgumentHelp("The number of rows.", valueName: "number"))
  var rows: Int = 20

  @Option(name: .long, help: ArgumentHelp("The number of callers.", valueName: "number"))
  var callers: Int = 4

  @Option(name: .long, help: ArgumentHelp("The debits in a batch.", valueName: "number"))
  var batch: Int = 8_192

  @Flag(name: .long, help: "Print JSON for machines, an object a row.")
  var json = false

  func run() async throws {
    guard debits >= 1, accounts >= 1, retention >= 1, (1...1_000).contains(rows), callers >= 1, batch >= 1 else {
      throw UsageFailure(sentence: "all numbers must be above zero, and rows at most 1,000")
    }
    let path = "\(folder)/soak-\(getpid())"
    var settings = Settings()
    settings.retention = .age(.seconds(retention))
    // A small window and a quicker sweep, so that neither holds on to much journal that is old enough to go.
    settings.windowRequests = 500_000
    settings.checkpointEntries = 4_000_000
    settings.residentAccounts = max(settings.residentAccounts, accounts * 5 / 4)
    let store = try CreditStore.open(at: path, settings: settings)
    defer {
      for file in ["data.mdb", "lock.mdb", "writer.lock"] { unsafe unlink("\(path)/\(file)") }
      unsafe rmdir(path)
    }
    do {
      try await soak(store)
      let verification = try await store.verify()
      try await store.close()
      if let problem = verification.problem { throw SoakProblem(sentence: "verify found a problem: \(problem)") }
      try Output.standard.line(
        json ? #"{"verify":"clean"}"# : "verify: clean, \(verification.entries.grouped) entries within retention")
      try Output.standard.flush()
    } catch {
      try? await store.close()
      throw error
    }
  }

  private func soak(_ store: CreditStore) async throws {
    try await Load.fill(store, accounts: accounts)
    var load = Load(store: store, distribution: .uniform(accounts), run: 0)
    if !json {
      try Output.standard.line(
        "     debits      debits/s   batch p50     p99.9   longest       file    in use   kept entries  others")
    }
    var total = 0
    for _ in 0..<rows {
      load.run += 1
      let latencies = Latencies()
      let result = try await load.batches(callers: callers, size: batch, debits: debits / rows, histogram: latencies)
      total += result.debits
      let statistics = try store.statistics()
      let kept = statistics.last.value + 1 - statistics.firstKept.value
      let times = [
        await latencies.nanoseconds(50), await latencies.nanoseconds(99.9), await latencies.nanoseconds(100),
      ].map { $0 / 1e6 }
      let others = result.otherSeconds / result.seconds * 100
      if json {
        let row: JSON = [
          "debits": .number(total), "per_second": .decimal(result.rate), "batch_p50_ms": .decimal(times[0]),
          "batch_p999_ms": .decimal(times[1]), "batch_longest_ms": .decimal(times[2]),
          "file_bytes": .number(statistics.fileBytes), "used_bytes": .number(statistics.usedBytes),
          "entries_kept": .number(kept), "others_percent": .decimal(others),
        ]
        try Output.standard.line(row.text)
      } else {
        let cells = [
          (total.grouped, 11), (Int(result.rate).grouped, 12), (times[0].short + " ms", 10),
          (times[1].short + " ms", 8),
          (times[2].short + " ms", 8), (bytes(statistics.fileBytes), 9), (bytes(statistics.usedBytes), 8),
          (kept.grouped, 13), ("\(Int(others)) %", 6),
        ]
        let row = cells.map { String(repeating: " ", count: max(0, $0.1 - $0.0.count)) + $0.0 }
        try Output.standard.line(row.joined(separator: "  "))
      }
      try Output.standard.flush()
    }
  }
}

/// A soak whose store does not verify.
private struct SoakProblem: Failure {
  let sentence: String
  var code: String { "problem" }
  var status: ExitStatus { .problem }
}
