internal import Foundation
internal import Glibc

/// What the disk and the memory of this machine allow by themselves.
package enum Limits {
  /// A failure of a measurement, in a sentence.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  /// Appends to a file, makes each append durable by `fdatasync`, and answers the bytes a second and the latencies.
  ///
  /// The file's space is allocated ahead, and used from the start again when it is through.
  package static func sequentialWrites(
    of size: Int, in folder: String, seconds: Double
  ) throws -> (bytesPerSecond: Double, latencies: Latencies) {
    let path = folder + "/sequential"
    let space = max(64 << 20, size * 8)
    // Safe: the path is terminated and outlives the call.
    let file = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { throw Failure("the file \(path) cannot be made: \(reason())") }
    defer {
      close(file)
      unsafe unlink(path)
    }
    let data = [UInt8](repeating: 0x5A, count: size)
    // Written once before, so that what is measured are writes and not allocations of space.
    var place = 0
    while place < space {
      guard pwriteAll(file, data, at: place) else { throw Failure("the file \(path) cannot be written: \(reason())") }
      place += size
    }
    fsync(file)
    let latencies = Latencies()
    var times: [Int64] = []
    var written = 0
    place = 0
    let start = ContinuousClock.now
    var now = start
    let end = start + .seconds(seconds)
    while now < end {
      guard pwriteAll(file, data, at: place), fdatasync(file) == 0 else {
        throw Failure("the file \(path) cannot be written: \(reason())")
      }
      let after = ContinuousClock.now
      times.append((after - now).nanoseconds)
      now = after
      written += size
      place += size
      if place + size > space { place = 0 }
    }
    latencies.record(times)
    return (Double(written) / (now - start).seconds, latencies)
  }

  private static func pwriteAll(_ file: Int32, _ data: [UInt8], at place: Int) -> Bool {
    // Safe: the bytes outlive the call.
    unsafe data.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, place) } == data.count
  }

  private static func reason() -> String { unsafe String(cString: strerror(errno)) }

  /// Follows a chain of indices that visits every cache line of a table in random order, and answers the time of a step
  /// in nanoseconds: each step needs the one before.
  package static func dependentAccesses(tableBytes: Int, seconds: Double) -> Double {
    // One index in every cache line of 64 bytes.
    let stride = 16
    let lines = max(2, tableBytes / 64)
    var next = [UInt32](repeating: 0, count: lines * stride)
    // Sattolo's shuffle makes one cycle of all lines.
    var order = (0..<UInt32(lines)).map { $0 }
    var dice = Dice(7)
    for last in Swift.stride(from: lines - 1, to: 0, by: -1) { order.swapAt(last, dice.below(last)) }
    for line in 0..<lines { next[line * stride] = order[line] }
    var line = 0
    var steps = 0
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    while ContinuousClock.now < end {
      for _ in 0..<100_000 { line = Int(next[line * stride]) }
      steps += 100_000
    }
    precondition(line < lines, "the chain stays inside its table")
    return (ContinuousClock.now - start).seconds * 1e9 / Double(steps)
  }
}
