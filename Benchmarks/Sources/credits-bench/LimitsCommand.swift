import ArgumentParser
import Harness
import Peers

struct LimitsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "Measure what the disk and the memory of this machine allow by themselves.")

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The bytes of a large commit.", valueName: "bytes"))
  var commit: Int = 1 << 20

  @Option(help: ArgumentHelp("The bytes of the table of the memory accesses.", valueName: "bytes"))
  var table: Int = 256 << 20

  func run() async throws {
    try await common.inFolder { path in
      let limits = try LimitFigures(
        folder: path, commitBytes: commit, seconds: common.seconds / 2, runs: common.runs, tableBytes: table)
      var report = common.report("Limits of disk and memory", folder: path)
      report.repetition = nil
      report.figures = limits.figures
      try common.publish(report, name: "limits")
    }
  }
}

/// What disk and memory allow by themselves.
struct LimitFigures {
  private(set) var figures: [Figure] = []
  /// The bytes a second of large durable writes, one after the other.
  private(set) var sequential = 0.0
  /// The bytes a second of commits of the same size through LMDB.
  private(set) var lmdb = 0.0
  /// The nanoseconds of an access to memory that depends on the one before.
  private(set) var access = 0.0

  init(folder: String, commitBytes: Int, seconds: Double, runs: Int, tableBytes: Int = 256 << 20) throws {
    let size = max(4_096, commitBytes)
    let block = 32_752
    var large: [Double] = []
    var small: [Double] = []
    var plain: [Double] = []
    let environment = try PlainLMDB(folder: folder + "/limit")
    defer { environment.close() }
    for _ in 0..<runs {
      large.append(try Limits.sequentialWrites(of: size, in: folder, seconds: seconds).bytesPerSecond)
      let one = try Limits.sequentialWrites(of: 4_096, in: folder, seconds: seconds / 2)
      small.append(one.latencies.nanoseconds(50) / 1e3)
      plain.append(try environment.appends(of: block, values: max(1, size / block), seconds: seconds).bytesPerSecond)
    }
    let walks = (0..<runs).map { _ in Limits.dependentAccesses(tableBytes: tableBytes, seconds: seconds / 2) }
    (sequential, lmdb, access) = (large.median, plain.median, walks.median)
    let mebibytes = large.map { $0 / 1_048_576 }
    add("disk", "pwrite of \(bytes(size)) and fdatasync, one after the other", "MiB/s", Spread(mebibytes))
    add("disk", "pwrite of 4 KiB and fdatasync, median", "µs", Spread(small))
    add("disk", "the same large commits through LMDB", "MiB/s", Spread(plain.map { $0 / 1_048_576 }))
    add("memory", "a dependent access to \(bytes(tableBytes))", "ns", Spread(walks))
  }

  private mutating func add(_ group: String, _ name: String, _ unit: String, _ spread: Spread) {
    figures.append(Figure(group: group, name: name, unit: unit, spread: spread))
    note("    \(name): \(spread.median.short) \(unit)")
  }
}
