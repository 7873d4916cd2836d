/// When each call of an open loop is meant to start: at a fixed distance from the one before, whatever became of it.
///
/// Latency is counted from these moments, so that a stall is not hidden: calls that could not start in time count the time
/// they waited, too.
package struct Schedule: Sendable {
  package let start: ContinuousClock.Instant
  /// The calls a second.
  package let rate: Double

  package init(start: ContinuousClock.Instant, rate: Double) {
    self.start = start
    self.rate = rate
  }

  /// When a call, numbered from 0, is meant to start.
  package func instant(of call: Int) -> ContinuousClock.Instant {
    let (seconds, rest) = (Double(call) / rate).splitInWhole()
    return start + .seconds(seconds) + .nanoseconds(Int64(rest * 1e9))
  }

  /// The calls that are meant to start within some seconds.
  package func calls(within seconds: Double) -> Int { Int(rate * seconds) }
}

extension Double {
  fileprivate func splitInWhole() -> (Int64, Double) {
    let whole = rounded(.down)
    return (Int64(whole), self - whole)
  }
}

extension Duration {
  /// The duration in whole nanoseconds.
  package var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

  /// The duration in seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
