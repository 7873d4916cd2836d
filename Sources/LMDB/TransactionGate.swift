internal import Glibc
internal import Synchronization

/// Counts the calls that are inside an environment, and keeps new ones out while it is resized or closed.
///
/// LMDB unmaps its file when it resizes or closes; whoever still reads would crash. One atomic addition on the way in
/// and one on the way out make that impossible.
struct TransactionGate: ~Copyable, Sendable {
  /// How many are inside; far below zero while resizing, and farther once closed.
  private let inside = Atomic<Int>(0)

  /// How many transactions are parked: reset, but not yet given back to LMDB.
  private let parked = Atomic<Int>(0)

  private static let resizing = Int.min / 4
  private static let closed = Int.min / 2

  private static func isClosed(_ inside: Int) -> Bool { inside < (resizing + closed) / 2 }

  /// Goes in; waits while the map is being resized (microseconds). Traps once the environment is closed.
  func enter() {
    while inside.wrappingAdd(1, ordering: .acquiring).newValue <= 0 {
      let now = inside.wrappingSubtract(1, ordering: .relaxed).newValue
      precondition(!Self.isClosed(now), "An Environment was used after it was closed.")
      sched_yield()
    }
  }

  /// Goes out.
  func leave() {
    inside.wrappingSubtract(1, ordering: .releasing)
  }

  func park() { parked.wrappingAdd(1, ordering: .relaxed) }

  func unpark() { parked.wrappingSubtract(1, ordering: .relaxed) }

  /// Shuts everybody out to resize; false if somebody is inside.
  func beginResizing() -> Bool {
    inside.compareExchange(expected: 0, desired: Self.resizing, ordering: .acquiringAndReleasing).exchanged
  }

  func endResizing() {
    inside.wrappingSubtract(Self.resizing, ordering: .releasing)
  }

  /// Shuts everybody out for good; false if that was done before. Traps if somebody is inside.
  func close() -> Bool {
    let answer = inside.compareExchange(
      expected: 0, desired: Self.closed, ordering: .acquiringAndReleasing)
    if answer.exchanged {
      precondition(
        parked.load(ordering: .acquiring) == 0,
        "An Environment was closed before its ReaderPool. Close the pool first.")
      return true
    }
    precondition(
      Self.isClosed(answer.original),
      "An Environment was closed while a transaction or another call was inside.")
    return false
  }
}
