internal import Synchronization

/// What the store has done since it was opened.
final class Counters: Sendable {
  private let commits = Atomic<UInt64>(0)
  private let entries = Atomic<UInt64>(0)
  private let images = Atomic<UInt64>(0)
  private let last = Atomic<Int>(0)

  /// The number of entries in the last commit.
  var lastEntries: Int { last.load(ordering: .relaxed) }
  var commitCount: UInt64 { commits.load(ordering: .relaxed) }
  var entryCount: UInt64 { entries.load(ordering: .relaxed) }
  var imageCount: UInt64 { images.load(ordering: .relaxed) }

  func note(entries count: Int, images imageCount: Int) {
    commits.wrappingAdd(1, ordering: .relaxed)
    entries.wrappingAdd(UInt64(count), ordering: .relaxed)
    images.wrappingAdd(UInt64(imageCount), ordering: .relaxed)
    last.store(count, ordering: .relaxed)
  }
}
