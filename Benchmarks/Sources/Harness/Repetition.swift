/// How often something is measured, and what becomes of runs that others disturbed.
package struct Repetition: Sendable, Codable, Hashable {
  /// The undisturbed runs that are wanted.
  package var runs: Int
  /// The most that others may use of the processors in a run, in percent of one core.
  package var othersPercent: Double
  /// The runs that may be made besides, in place of disturbed ones.
  package var spare: Int

  package init(runs: Int, othersPercent: Double = 15, spare: Int) {
    self.runs = runs
    self.othersPercent = othersPercent
    self.spare = spare
  }

  /// Runs something until there are enough undisturbed runs, or the spare ones are used up; then the least disturbed
  /// ones fill the places.
  package func measure(_ body: () async throws -> Run) async throws -> Runs {
    var all: [Run] = []
    var good = 0
    while good < runs, all.count < runs + spare {
      let run = try await body()
      all.append(run)
      if !isDisturbed(run) { good += 1 }
    }
    return chosen(of: all)
  }

  /// Chooses the runs to report.
  package func chosen(of all: [Run]) -> Runs {
    let kept = Array(all.sorted { $0.othersPercent < $1.othersPercent }.prefix(runs))
    return Runs(kept: kept, isDisturbed: kept.contains(where: isDisturbed), repeated: max(0, all.count - runs))
  }

  private func isDisturbed(_ run: Run) -> Bool { run.othersPercent > othersPercent }
}

/// Several runs of the same thing.
package struct Runs: Sendable {
  package let kept: [Run]
  /// Whether there is one among them that others disturbed.
  package let isDisturbed: Bool
  /// The runs that were thrown away.
  package let repeated: Int

  /// The latencies of all of them together.
  package var latencies: Latencies {
    let all = Latencies()
    for run in kept { all.add(run.latencies) }
    return all
  }

  /// The same of how late calls were started.
  package var lateness: Latencies {
    let all = Latencies()
    for run in kept { all.add(run.lateness) }
    return all
  }

  package func spread(_ value: (Run) -> Double) -> Spread { Spread(kept.map(value)) }
  package var othersPercent: [Double] { kept.map(\.othersPercent) }
}

/// Values of several runs, with the median, the least and the most.
package struct Spread: Codable, Hashable, Sendable {
  package let median: Double
  package let least: Double
  package let most: Double
  package let values: [Double]

  package init(_ values: [Double]) {
    self.values = values
    median = values.median
    least = values.min() ?? .nan
    most = values.max() ?? .nan
  }

  /// The least and the most, as `2.8 to 3.1`; empty for a single value.
  package var range: String { values.count > 1 ? "\(least.short) to \(most.short)" : "" }
}
