internal import CPrefetch
internal import Synchronization

/// The requests of the recent past: a fingerprint of account and request, and the entry that answered it.
///
/// A find is a candidate; whoever asks confirms it against the journal. Entries up to the floor are forgotten.
/// Spread over shards by fingerprint, each behind its own lock, so that one busy account does not fill one shard.
@safe package final class RequestWindow: @unchecked Sendable {
  // Safe to share: shards are used under their locks only, the floor is atomic.
  private let shards: UnsafeMutablePointer<Shard>
  private let region: Region
  private let usesHugePages = Atomic<Bool>(false)
  private let floor = Atomic<UInt64>(0)
  private let floorTime = Atomic<Int64>(0)

  private static let shardBits: UInt64 = 6

  /// Makes a window with room for a number of requests. Throws `invalidArgument` if the system refuses the memory.
  package init(requests: Int) throws(StoreError) {
    let count = 1 << RequestWindow.shardBits
    // A shard is at most three quarters full; chance spreads requests unevenly, so some room above the average.
    var positions = 64
    while positions * 3 / 4 * count < requests * 9 / 8 + 4_096 { positions *= 2 }
    region = try Region(bytes: count * positions * MemoryLayout<Shard.Slot>.stride)
    unsafe shards = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Shard>.stride, alignment: 64)
      .bindMemory(to: Shard.self, capacity: count)
    for index in 0..<count {
      let slots = unsafe region.start.bindMemory(to: Shard.Slot.self, capacity: count * positions) + index * positions
      unsafe (shards + index).initialize(to: Shard(slots: slots, limit: positions))
    }
  }

  deinit {
    unsafe shards.deinitialize(count: 1 << RequestWindow.shardBits)
    unsafe shards.deallocate()
    region.destroy()
  }

  /// The last entry that is forgotten.
  package var forgotten: SequenceNumber { SequenceNumber(floor.load(ordering: .relaxed)) }

  /// The latest time of a forgotten entry: a request id that is no later is refused.
  @inline(__always) package var oldest: Timestamp { Timestamp(microseconds: floorTime.load(ordering: .relaxed)) }

  /// Forgets all entries up to one, none of which is later than a time.
  package func forget(upTo sequence: SequenceNumber, before time: Timestamp) {
    // The time first: a request must never be forgotten and yet not be refused.
    floorTime.store(time.microseconds, ordering: .relaxed)
    floor.store(sequence.value, ordering: .releasing)
  }

  /// Fetches the line that a fingerprint is looked up in, without a lock, and the lock.
  @inline(__always) func prefetch(_ fingerprint: UInt64) {
    let shard = unsafe shards + Int(fingerprint >> (64 - RequestWindow.shardBits))
    unsafe prefetch_for_writing(shard)
    unsafe shard.pointee.prefetch(fingerprint)
  }

  /// The shard of a fingerprint, locked; the caller unlocks it.
  @inline(__always) func lockedShard(of fingerprint: UInt64) -> UnsafeMutablePointer<Shard> {
    let shard = unsafe shards + Int(fingerprint >> (64 - RequestWindow.shardBits))
    unsafe shard.pointee.lock.lock()
    return unsafe shard
  }

  /// Finds the entry of a fingerprint that is not among those already looked at.
  @inline(__always) func find(
    _ fingerprint: UInt64, in shard: UnsafeMutablePointer<Shard>, besides seen: [SequenceNumber]
  ) -> SequenceNumber? {
    unsafe shard.pointee.find(fingerprint, floor: floor.load(ordering: .relaxed), besides: seen)
  }

  /// Remembers the entry of a fingerprint.
  @inline(__always) func insert(
    _ fingerprint: UInt64, _ sequence: SequenceNumber, in shard: UnsafeMutablePointer<Shard>
  ) {
    if unsafe shard.pointee.insert(fingerprint, sequence.value, floor: floor.load(ordering: .relaxed)) {
      useHugePages()
    }
  }

  @inline(never) private func useHugePages() {
    if !usesHugePages.exchange(true, ordering: .relaxed) { region.useHugePages(for: 0..<region.bytes) }
  }

  /// A request to remember, by fingerprint, and its entry.
  package typealias Remembered = (fingerprint: UInt64, sequence: SequenceNumber)

  /// Makes the table as large as a number of requests needs, while the store is being opened and nobody else uses it.
  package func reserve(_ requests: Int) {
    for index in 0..<(1 << RequestWindow.shardBits) {
      unsafe shards[index].reserve(requests >> Int(RequestWindow.shardBits))
    }
    if unsafe shards[0].isLarge, !usesHugePages.exchange(true, ordering: .relaxed) { region.useHugePages() }
  }

  /// Remembers some entries while the store is being opened and nobody else uses the window.
  ///
  /// The lines of memory of several are fetched before the first is used.
  package func restore(_ requests: [Remembered]) {
    for start in stride(from: 0, to: requests.count, by: 512) {
      let some = requests[start..<min(start + 512, requests.count)]
      for request in some { prefetch(request.fingerprint) }
      for request in some {
        let shard = unsafe shards + Int(request.fingerprint >> (64 - RequestWindow.shardBits))
        unsafe insert(request.fingerprint, request.sequence, in: shard)
      }
    }
  }

  /// The bytes of memory in use.
  package var bytes: Int {
    var sum = 0
    for index in 0..<(1 << RequestWindow.shardBits) {
      sum += unsafe shards[index].lock.withLock { unsafe shards[index].capacity * MemoryLayout<Shard.Slot>.stride }
    }
    return sum
  }
}

extension RequestWindow {
  /// A hash table with linear probing that grows in place.
  ///
  /// Once it is half full, a hand goes round with the inserts and takes out what is forgotten: fast enough that no more
  /// than an eighth of all slots is, and a few slots at a time, so that no insert takes long.
  @safe struct Shard: ~Copyable {
    struct Slot: BitwiseCopyable {
      var fingerprint: UInt64
      var sequence: UInt64
    }

    // What changes, in a cache line of its own, and what hardly does, in another. First comes what only the lock's
    // owner uses: the thread sanitizer takes a change of any property for one of the first.
    private var used = 0
    let lock = Lock()
    /// The next slot that the hand looks at, and the inserts since it last moved.
    private var hand = 0
    private var inserts = 0
    private let padding = InlineArray<4, Int>(repeating: 0)
    private let slots: UnsafeMutablePointer<Slot>
    private let limit: Int
    private let positions = Atomic<Int>(64)
    private let morePadding = InlineArray<5, Int>(repeating: 0)

    /// How many inserts the hand waits for, and how many slots it then looks at.
    private static let stride = (inserts: 16, slots: 64)

    /// The number of slots in use of those that are reserved.
    @inline(__always) var capacity: Int { positions.load(ordering: .relaxed) }

    init(slots: UnsafeMutablePointer<Slot>, limit: Int) {
      unsafe self.slots = slots
      self.limit = limit
    }

    /// Fetches the line that a fingerprint is looked up in. Needs no lock.
    @inline(__always) func prefetch(_ fingerprint: UInt64) {
      unsafe prefetch_for_writing(slots + Int(truncatingIfNeeded: fingerprint) & (capacity - 1))
    }

    @inline(__always) func find(_ fingerprint: UInt64, floor: UInt64, besides seen: [SequenceNumber]) -> SequenceNumber?
    {
      let mask = capacity - 1
      var index = Int(truncatingIfNeeded: fingerprint) & mask
      while true {
        // Safe here and below: an index is always masked by the capacity.
        let slot = unsafe slots[index]
        if slot.sequence == 0 { return nil }
        if slot.fingerprint == fingerprint, slot.sequence > floor {
          let found = SequenceNumber(slot.sequence)
          if !seen.contains(found) { return found }
        }
        index = (index + 1) & mask
      }
    }

    /// Whether the table has at least half a mebibyte, where huge pages begin to pay.
    var isLarge: Bool { capacity * MemoryLayout<Slot>.stride >= 1 << 19 }

    /// Makes the table, which is empty, large enough for a number of requests.
    func reserve(_ requests: Int) {
      while capacity / 8 * 5 < requests, capacity < limit { positions.store(2 * capacity, ordering: .relaxed) }
    }

    /// Inserts a request; answers whether the table has just become large.
    @inline(__always) mutating func insert(_ fingerprint: UInt64, _ sequence: UInt64, floor: UInt64) -> Bool {
      var hasGrown = false
      if used >= capacity / 2 {
        inserts += 1
        if inserts >= Shard.stride.inserts { clean(floor: floor) }
      }
      if used >= capacity / 4 * 3 {
        let wasLarge = isLarge
        rebuild(floor: floor)
        hasGrown = isLarge && !wasLarge
      }
      place(Slot(fingerprint: fingerprint, sequence: sequence))
      return hasGrown
    }

    /// Moves the hand on, and takes out what is forgotten on its way.
    @inline(never) private mutating func clean(floor: UInt64) {
      inserts = 0
      let mask = capacity - 1
      for _ in 0..<min(Shard.stride.slots, capacity) {
        hand &= mask
        while unsafe slots[hand].sequence != 0, unsafe slots[hand].sequence <= floor { remove(hand) }
        hand += 1
      }
    }

    /// Empties a slot, and moves those behind it up that could not be found across an empty one.
    private mutating func remove(_ index: Int) {
      let mask = capacity - 1
      var hole = index
      var next = (index + 1) & mask
      while true {
        let slot = unsafe slots[next]
        if slot.sequence == 0 { break }
        let distance = (next &- Int(truncatingIfNeeded: slot.fingerprint)) & mask
        if distance >= (next - hole) & mask {
          unsafe slots[hole] = slot
          hole = next
        }
        next = (next + 1) & mask
      }
      unsafe slots[hole].sequence = 0
      used -= 1
    }

    @inline(__always) private mutating func place(_ slot: Slot) {
      var index = Int(truncatingIfNeeded: slot.fingerprint) & (capacity - 1)
      while unsafe slots[index].sequence != 0 { index = (index + 1) & (capacity - 1) }
      unsafe slots[index] = slot
      used += 1
    }

    @inline(never) private mutating func rebuild(floor: UInt64) {
      var live: [Slot] = []
      live.reserveCapacity(used)
      for index in 0..<capacity where unsafe slots[index].sequence > floor { unsafe live.append(slots[index]) }
      while live.count > capacity / 8 * 5, capacity < limit { positions.store(2 * capacity, ordering: .relaxed) }
      if live.count >= capacity / 4 * 3 {
        // More than its share of requests fell to this shard: the oldest make way.
        live.sort { $0.sequence > $1.sequence }
        live.removeLast(live.count - capacity / 8 * 5)
      }
      unsafe slots.update(repeating: Slot(fingerprint: 0, sequence: 0), count: capacity)
      used = 0
      for slot in live { place(slot) }
    }
  }
}
