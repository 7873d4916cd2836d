internal import CPrefetch
internal import Synchronization

/// The requests of the recent past: a fingerprint of account and request, and the entry that answered it.
///
/// A find is a candidate; whoever asks confirms it against the journal. Entries up to the floor are forgotten.
///
/// A hash table of groups, each one cache line: seven words, one for each request, and the last entry that found the
/// group full and went on to the next. A word that is forgotten is vacant: the next request that comes along takes it,
/// so nothing is ever moved or cleaned up. The last entry that went on tells a search when to end.
///
/// There is no lock. All requests of an account come under the lock of its stripe, so nobody looks for a request that
/// another thread remembers just then. They are remembered one at a time, under the lock of the frame, or at an opening
/// in turns; what the committer clears meanwhile was forgotten before.
@safe package final class RequestWindow: @unchecked Sendable {
  // Safe to share: words are atomic; the rest is constant, or used by the committer alone where it is marked so.
  private let words: UnsafeMutablePointer<Atomic<UInt64>>
  private let region: Region
  private let groups: Int
  private let floor = Atomic<UInt64>(0)
  private let floorTime = Atomic<Int64>(0)
  /// Held by the thread whose turn it is to remember what an opening has read.
  private let turn = Lock()
  /// The bytes that have huge pages; the committer's.
  private var hugeBytes = 0
  /// The entry up to which old words were cleared, and the group that comes next; the committer's.
  private var cleared: UInt64?
  private var hand = 0

  /// The words of a group; the last is no request.
  private static let groupSize = 8
  private static let requestsInGroup = 7
  /// The requests for each group, so that few find theirs full.
  private static let usualRequests = 4
  /// The groups in a row that are searched. In a table that is not fuller than it should be, fewer than ten are full.
  private static let farthest = 64
  /// The entries in which all words are looked at once, as a power of two.
  private static let clearingBits: UInt64 = 28

  /// Makes a window with room for a number of requests. Throws `invalidArgument` if the system refuses the memory.
  package init(requests: Int) throws(StoreError) {
    groups = max(RequestWindow.farthest, requests / RequestWindow.usualRequests)
    let count = groups * RequestWindow.groupSize
    region = try Region(bytes: count * MemoryLayout<UInt64>.stride)
    unsafe words = region.start.bindMemory(to: Atomic<UInt64>.self, capacity: count)
  }

  deinit { region.destroy() }

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

  /// The most bytes of memory that the window takes.
  package var bytes: Int { groups * RequestWindow.groupSize * MemoryLayout<UInt64>.stride }
}

// MARK: Words

extension RequestWindow {
  /// The half of a fingerprint that a word keeps; the other half chose the group. Not zero, as a word without one is.
  @inline(__always) private static func tag(_ fingerprint: UInt64) -> UInt64 { fingerprint << 32 | 1 << 32 }

  /// The word of a request: its tag, and the last 32 bits of its entry's number.
  @inline(__always) private static func word(_ fingerprint: UInt64, _ sequence: UInt64) -> UInt64 {
    tag(fingerprint) | sequence & 0xFFFF_FFFF
  }

  /// How far a word's entry comes after the floor: not above zero where it is forgotten, or where the word is zero.
  @inline(__always) private static func distance(_ word: UInt64, from floor: UInt64) -> Int32 {
    word == 0 ? 0 : Int32(bitPattern: UInt32(truncatingIfNeeded: word) &- UInt32(truncatingIfNeeded: floor))
  }

  /// The group that a fingerprint is looked up in.
  @inline(__always) private func home(_ fingerprint: UInt64) -> Int {
    Int(truncatingIfNeeded: ((fingerprint >> 32) &* UInt64(truncatingIfNeeded: groups)) >> 32)
  }

  @inline(__always) private func next(_ group: Int) -> Int { group &+ 1 == groups ? 0 : group &+ 1 }

  /// The first word of a group.
  @inline(__always) private func start(_ group: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    // Safe here and below: a group is always less than the number of groups.
    unsafe words + group &* RequestWindow.groupSize
  }

  /// Fetches the line that a fingerprint is looked up in.
  @inline(__always) func prefetch(_ fingerprint: UInt64) { unsafe prefetch_for_writing(start(home(fingerprint))) }

  /// Finds the entry of a fingerprint that is not among those already looked at.
  @inline(__always) package func find(_ fingerprint: UInt64, besides seen: [SequenceNumber]) -> SequenceNumber? {
    let floor = floor.load(ordering: .acquiring)
    let tag = RequestWindow.tag(fingerprint)
    var group = home(fingerprint)
    for _ in 0..<RequestWindow.farthest {
      let words = unsafe start(group)
      for place in 0..<RequestWindow.requestsInGroup {
        let word = unsafe words[place].load(ordering: .relaxed)
        guard word >> 32 == tag >> 32 else { continue }
        let distance = RequestWindow.distance(word, from: floor)
        guard distance > 0 else { continue }
        let found = SequenceNumber(floor &+ UInt64(distance))
        if !seen.contains(found) { return found }
      }
      let passed = unsafe words[RequestWindow.requestsInGroup].load(ordering: .relaxed)
      if passed <= floor { return nil }
      group = next(group)
    }
    return nil
  }

  /// Remembers the entry of a fingerprint; called by one thread at a time.
  @inline(__always) package func insert(_ fingerprint: UInt64, _ sequence: SequenceNumber) {
    let floor = floor.load(ordering: .acquiring)
    let new = RequestWindow.word(fingerprint, sequence.value)
    var group = home(fingerprint)
    for _ in 0..<RequestWindow.farthest {
      let words = unsafe start(group)
      for place in 0..<RequestWindow.requestsInGroup {
        let old = unsafe words[place].load(ordering: .relaxed)
        guard RequestWindow.distance(old, from: floor) <= 0 else { continue }
        unsafe words[place].store(new, ordering: .relaxed)
        return
      }
      unsafe words[RequestWindow.requestsInGroup].max(sequence.value, ordering: .relaxed)
      group = next(group)
    }
    replaceOldest(of: home(fingerprint), by: new, floor: floor)
  }

  /// Puts a request in the place of the oldest one of a group: where more are remembered than the window was made for,
  /// the oldest make way.
  @inline(never) private func replaceOldest(of group: Int, by new: UInt64, floor: UInt64) {
    let words = unsafe start(group)
    var oldest = (place: 0, distance: Int32.max)
    for place in 0..<RequestWindow.requestsInGroup {
      let distance = RequestWindow.distance(unsafe words[place].load(ordering: .relaxed), from: floor)
      if distance < oldest.distance { oldest = (place, distance) }
    }
    unsafe words[oldest.place].store(new, ordering: .relaxed)
  }
}

// MARK: Opening and looking after

extension RequestWindow {
  /// A request to remember, by fingerprint, and its entry.
  package typealias Remembered = (fingerprint: UInt64, sequence: SequenceNumber)

  private static let restoredAtOnce = 2_048
  private static let fetchedAtOnce = 512

  /// Asks for huge pages where a number of requests will be remembered at once, while the store is being opened.
  package func prepare(for requests: Int) {
    guard isMany(requests) else { return }
    region.useHugePages()
    hugeBytes = region.bytes
  }

  /// Remembers requests and empties their list, unless another thread does so just then: that is worth no waiting until
  /// the last.
  ///
  /// The lines of memory of several are fetched before the first is used.
  package func restore(_ requests: inout [Remembered], isLast: Bool) {
    guard isLast || requests.count >= RequestWindow.restoredAtOnce else { return }
    if isLast { turn.lock() } else if !turn.tryLock() { return }
    defer { turn.unlock() }
    for start in stride(from: 0, to: requests.count, by: RequestWindow.fetchedAtOnce) {
      let some = requests[start..<min(start + RequestWindow.fetchedAtOnce, requests.count)]
      for request in some { prefetch(request.fingerprint) }
      for request in some { insert(request.fingerprint, request.sequence) }
    }
    requests.removeAll(keepingCapacity: true)
  }

  /// Whether so many requests touch all pages of the table, so that huge ones take no more memory.
  private func isMany(_ requests: Int) -> Bool { requests >= groups / 4 }

  /// Does a little of what is to be done from time to time, when the journal has come to an entry; for the committer.
  ///
  /// Clears words that have long been forgotten: of an entry's number they keep 32 bits, which would mean a later entry
  /// after 2,000 million more. And asks for one huge page, once there is enough to remember.
  package func tend(at sequence: SequenceNumber) {
    let floor = floor.load(ordering: .relaxed)
    if hugeBytes < region.bytes, isMany(Int(truncatingIfNeeded: sequence.value &- floor)) {
      let end = min(hugeBytes + Region.hugePage, region.bytes)
      region.useHugePages(for: hugeBytes..<end)
      hugeBytes = end
    }
    guard let start = cleared else {
      cleared = sequence.value
      return
    }
    let due = ((sequence.value - start) * UInt64(groups)) >> RequestWindow.clearingBits
    guard due > 0 else { return }
    for _ in 0..<min(due, UInt64(groups)) {
      clear(hand, floor: floor)
      hand = next(hand)
    }
    cleared = sequence.value
  }

  /// Makes the words of a group zero that are forgotten.
  private func clear(_ group: Int, floor: UInt64) {
    let words = unsafe start(group)
    for place in 0..<RequestWindow.requestsInGroup {
      let old = unsafe words[place].load(ordering: .relaxed)
      guard old != 0, RequestWindow.distance(old, from: floor) <= 0 else { continue }
      // Where another request takes the place meanwhile, that is as well.
      _ = unsafe words[place].compareExchange(expected: old, desired: 0, ordering: .relaxed)
    }
  }
}
