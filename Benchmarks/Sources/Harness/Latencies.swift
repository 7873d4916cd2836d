internal import Histogram
internal import Synchronization

/// A histogram of nanoseconds that many callers add to.
package final class Latencies: Sendable {
  private let histogram = Mutex(
    Histogram<UInt64>(highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three))

  package init() {}

  /// Adds values; those below a nanosecond or above ten minutes count as that.
  package func record(_ values: [Int64]) {
    histogram.withLock { histogram in
      for value in values { histogram.record(UInt64(min(max(1, value), 600_000_000_000))) }
    }
  }

  /// Adds all that another histogram has.
  package func add(_ other: Latencies) {
    let copy = other.histogram.withLock { $0 }
    histogram.withLock { $0.add(copy) }
  }

  package var count: Int { histogram.withLock { Int($0.totalCount) } }

  package func nanoseconds(_ percentile: Double) -> Double {
    histogram.withLock { Double($0.valueAtPercentile(percentile)) }
  }

  /// The percentiles that reports name; nil if nothing was recorded.
  package var percentiles: Percentiles? {
    guard count > 0 else { return nil }
    return Percentiles(
      p50: nanoseconds(50) / 1e3, p90: nanoseconds(90) / 1e3, p99: nanoseconds(99) / 1e3, p999: nanoseconds(99.9) / 1e3,
      p9999: nanoseconds(99.99) / 1e3, longest: nanoseconds(100) / 1e3, count: count)
  }
}

/// Percentiles of latency in microseconds.
package struct Percentiles: Codable, Hashable, Sendable {
  package let p50: Double
  package let p90: Double
  package let p99: Double
  package let p999: Double
  package let p9999: Double
  package let longest: Double
  package let count: Int
}
