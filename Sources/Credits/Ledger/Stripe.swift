/// A part of the ledger: the accounts whose hash begins alike, behind one lock.
struct Stripe: ~Copyable {
  /// The number of leading bits of a hash that choose the stripe.
  static let bits = 6
  /// The number of stripes.
  static let count = 1 << bits

  // The table is first, since it begins with what hardly changes, in a cache line of its own; the rest fills another.
  // The lock is not first, also because the thread sanitizer takes a change of any property for one of the first.
  var table: AccountTable
  let lock = Lock()
  /// The number of evictions so far: whoever reads an image without the lock must see it unchanged.
  var evictions: UInt64 = 0
  var timers = Timers()
  /// The accounts whose balance somebody follows, in memory or not, and by how many.
  var followed: [AccountID: Int] = [:]
  private let padding = 0

  init(table: consuming AccountTable) { self.table = table }

  /// Makes the timers anew, with one row for each account that has one.
  mutating func pushTimers() {
    timers.removeAll()
    for number in 0..<table.capacity where table.isOccupied(number) {
      let time = unsafe table.pointer(number).pointee.timer
      if time != .never { timers.push(time, UInt32(number)) }
    }
  }

  func destroy() { table.destroy() }
}

/// The next moments at which something happens by itself to the accounts of a stripe: a heap, soonest first.
///
/// An account has at most one valid row, the one its slot names; others are left where they are and skipped.
struct Timers {
  private var heap: [(time: Timestamp, slot: UInt32)] = []

  /// The soonest moment, valid or not.
  var soonest: Timestamp { heap.first?.time ?? .never }

  /// The number of rows, valid or not.
  var count: Int { heap.count }

  /// Drops all rows, to be pushed anew.
  mutating func removeAll() { heap.removeAll() }

  mutating func push(_ time: Timestamp, _ slot: UInt32) {
    heap.append((time, slot))
    var child = heap.count - 1
    while child > 0, heap[child].time < heap[(child - 1) / 2].time {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (time: Timestamp, slot: UInt32)? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].time < heap[least].time {
        least = child
      }
      if least == parent { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
