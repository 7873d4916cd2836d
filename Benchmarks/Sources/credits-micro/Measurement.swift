import CAllocations
import Foundation
import Harness

/// What a kind of call came to.
struct Measurement: Sendable {
  let name: String
  /// The time of a call, part by part.
  var nanoseconds: [Double] = []
  /// The allocations of a call, part by part.
  var allocations: [Double] = []

  /// What a call allocates: the median over the parts, which is exact.
  var perCall: Double { allocations.median }

  /// The same as the mean, which includes what the request window's tables take now and then.
  var mean: Double { allocations.reduce(0, +) / Double(max(1, allocations.count)) }
}

extension Micro {
  /// The calls between two readings of clock and counter.
  static let part = 1_000

  /// Measures a kind of call in parts, each on one thread.
  ///
  /// - Parameters:
  ///   - settle: Called before each part, and not measured.
  ///   - body: Makes so many calls, numbered from the first number on.
  static func measure(
    _ name: String, calls: Int, settle: () async throws -> Void = {},
    _ body: (Range<Int>) async throws -> Void
  ) async throws -> Measurement {
    var measurement = Measurement(name: name)
    // The first parts warm up: tables grow, code and data come into the processor's caches.
    let parts = calls / part
    let warm = max(2, parts / 10)
    var number = 0
    while measurement.allocations.count < parts, number < 4 * parts + warm {
      try await settle()
      let calls = number * part..<(number + 1) * part
      let thread = pthread_self()
      let before = allocations_of_this_thread()
      let start = ContinuousClock.now
      try await body(calls)
      let time = ContinuousClock.now - start
      let after = allocations_of_this_thread()
      number += 1
      // A part that was moved to another thread meanwhile has no count.
      guard number > warm, thread == pthread_self() else { continue }
      measurement.nanoseconds.append(Double(time.nanoseconds) / Double(part))
      measurement.allocations.append(Double(after - before) / Double(part))
    }
    guard measurement.allocations.count == parts else {
      throw MicroProblem(description: "\(name): too few parts stayed on one thread")
    }
    return measurement
  }
}

/// Something that keeps a measurement from being made, in a sentence.
struct MicroProblem: Error, CustomStringConvertible {
  let description: String
}
