package import Foundation

/// Everything that a command measured, for people and for machines.
package struct Report: Codable, Hashable, Sendable {
  package var title: String
  package var surroundings: Surroundings
  package var repetition: Repetition?
  package var figures: [Figure] = []
  package var rows: [Row] = []
  package var notes: [String] = []
  /// The charts' files, beside the report.
  package var charts: [String] = []

  package init(title: String, surroundings: Surroundings, repetition: Repetition? = nil) {
    self.title = title
    self.surroundings = surroundings
    self.repetition = repetition
  }
}

/// One figure: of a target, of a limit, or of a micro benchmark.
package struct Figure: Codable, Hashable, Sendable {
  /// What it belongs to, such as `P1`.
  package var group: String
  package var name: String
  package var unit: String
  package var spread: Spread
  package var othersPercent: [Double]
  package var isDisturbed: Bool
  package var goal: String?
  package var isReached: Bool?

  package init(
    group: String, name: String, unit: String, spread: Spread, othersPercent: [Double] = [], isDisturbed: Bool = false,
    goal: String? = nil, isReached: Bool? = nil
  ) {
    self.group = group
    self.name = name
    self.unit = unit
    self.spread = spread
    self.othersPercent = othersPercent
    self.isDisturbed = isDisturbed
    self.goal = goal
    self.isReached = isReached
  }
}

/// One row of a table of loads: a store, what was asked of it, and what it did.
package struct Row: Codable, Hashable, Sendable {
  package var name: String
  package var form: String
  package var durability: String
  /// The calls that are under way at once.
  package var callers: Int
  /// The debits of one call.
  package var batch: Int
  /// The debits a second that were asked for; nil for a closed loop.
  package var asked: Double?
  package var rate: Spread
  package var latency: Percentiles?
  /// How much later than meant the harness itself started calls of an open loop, which is part of their latency.
  package var lateness: Percentiles?
  package var bytesPerDebit: Spread?
  package var nanosecondsPerDebit: Spread
  package var peakMemory: Int
  package var readsPerSecond: Spread?
  package var othersPercent: [Double]
  package var isDisturbed: Bool
  package var repeated: Int

  package init(
    name: String, form: String, durability: String, callers: Int, batch: Int, asked: Double? = nil, runs: Runs,
    readsPerSecond: Spread? = nil
  ) {
    self.name = name
    self.form = form
    self.durability = durability
    self.callers = callers
    self.batch = batch
    self.asked = asked
    self.readsPerSecond = readsPerSecond
    rate = runs.spread(\.rate)
    latency = runs.latencies.percentiles
    lateness = runs.lateness.percentiles
    let bytes = runs.kept.compactMap(\.bytesPerDebit)
    bytesPerDebit = bytes.isEmpty ? nil : Spread(bytes)
    nanosecondsPerDebit = runs.spread(\.nanosecondsPerDebit)
    peakMemory = runs.kept.map(\.memory).max() ?? 0
    othersPercent = runs.othersPercent
    isDisturbed = runs.isDisturbed
    repeated = runs.repeated
  }
}

extension Report {
  /// The report as JSON, keys sorted; numbers that do not exist as text.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "none")
    return try encoder.encode(self)
  }

  package init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "none")
    self = try decoder.decode(Report.self, from: json)
  }

  /// Writes `NAME.json`, `NAME.md` and the charts into a folder, which is made if it is missing.
  package mutating func write(to folder: String, name: String, charts: [(name: String, chart: Chart)] = []) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let base = URL(fileURLWithPath: folder)
    for (chartName, chart) in charts {
      let file = "\(name)-\(chartName).svg"
      try Data(chart.svg.utf8).write(to: base.appendingPathComponent(file))
      self.charts.append(file)
    }
    try json().write(to: base.appendingPathComponent("\(name).json"))
    try Data(markdown.utf8).write(to: base.appendingPathComponent("\(name).md"))
  }
}
