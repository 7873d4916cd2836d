internal import Synchronization
internal import Foundation
internal import Glibc

/// What one run came to.
package struct Run: Sendable {
  package var debits: Int
  package var seconds: Double
  /// The processor time of this process, and of the server that it measures, if any.
  package var ownSeconds: Double
  /// The processor time of all others.
  package var otherSeconds: Double
  /// The bytes that all processes wrote to the block device, from one sync to the next; nil if it has no counters.
  package var bytes: Int?
  /// The most memory without files that was seen meanwhile, in bytes.
  package var memory: Int
  package var latencies: Latencies
  /// How much later than meant the harness itself started calls of an open loop; empty for a closed one.
  package var lateness = Latencies()

  package init(
    debits: Int, seconds: Double, ownSeconds: Double = 0, otherSeconds: Double = 0, bytes: Int? = nil, memory: Int = 0,
    latencies: Latencies = Latencies()
  ) {
    self.debits = debits
    self.seconds = seconds
    self.ownSeconds = ownSeconds
    self.otherSeconds = otherSeconds
    self.bytes = bytes
    self.memory = memory
    self.latencies = latencies
  }

  package var rate: Double { Double(debits) / seconds }
  package var bytesPerDebit: Double? { bytes.map { Double($0) / Double(max(1, debits)) } }
  package var nanosecondsPerDebit: Double { ownSeconds / Double(max(1, debits)) * 1e9 }
  /// What others used of the processors, in percent of one core.
  package var othersPercent: Double { otherSeconds / seconds * 100 }
}

/// Reads all counters around a piece of work.
package struct Meter: ~Copyable {
  private let folder: String
  private let servers: [Int32]
  private let isSynced: Bool
  private let watch: MemoryWatch
  private let bytes: Int?
  private let own: Double
  private let all: Double
  private let start: ContinuousClock.Instant

  /// Starts to measure.
  ///
  /// - Parameters:
  ///   - folder: A folder on the disk whose bytes are counted.
  ///   - servers: Processes whose processor time and memory belong to what is measured.
  ///   - isSynced: Whether the disk is synced before and after, which the count of bytes needs.
  package init(folder: String, servers: [Int32] = [], isSynced: Bool = true) {
    self.folder = folder
    self.servers = servers
    self.isSynced = isSynced
    if isSynced { sync() }
    bytes = isSynced ? Machine.bytesWritten(under: folder) : nil
    watch = MemoryWatch(servers)
    all = Machine.allSeconds
    own = Machine.ownSeconds + Machine.seconds(of: servers)
    start = .now
  }

  /// Ends the measurement.
  package consuming func end(debits: Int, latencies: Latencies = Latencies()) -> Run {
    let seconds = (ContinuousClock.now - start).seconds
    let ownSeconds = Machine.ownSeconds + Machine.seconds(of: servers) - own
    let otherSeconds = max(0, Machine.allSeconds - all - ownSeconds)
    let memory = watch.end()
    if isSynced { sync() }
    var written: Int?
    if let bytes, let now = Machine.bytesWritten(under: folder) { written = now - bytes }
    return Run(
      debits: debits, seconds: seconds, ownSeconds: ownSeconds, otherSeconds: otherSeconds, bytes: written,
      memory: memory, latencies: latencies)
  }
}

/// A thread that looks at the memory a few times a second and remembers the most.
private final class MemoryWatch: Sendable {
  private let most: Mutex<Int>
  private let isOver = Atomic(false)
  private let servers: [Int32]

  init(_ servers: [Int32]) {
    self.servers = servers
    most = Mutex(Machine.memory(with: servers))
    Thread.detachNewThread { [self] in
      while !isOver.load(ordering: .relaxed) {
        usleep(200_000)
        look()
      }
    }
  }

  private func look() {
    let now = Machine.memory(with: servers)
    most.withLock { $0 = max($0, now) }
  }

  func end() -> Int {
    isOver.store(true, ordering: .relaxed)
    look()
    return most.withLock { $0 }
  }
}
