/// A suspended task, which is resumed exactly once: whoever takes it off a list resumes it.
@safe struct Continuation: Sendable {
  private let continuation: UnsafeContinuation<Void, Never>

  init(_ continuation: UnsafeContinuation<Void, Never>) { unsafe self.continuation = continuation }

  @inline(__always) func resume() { unsafe continuation.resume() }
}

/// A row that goes into a commit beside the entries.
enum SideWrite: Sendable {
  /// The tables that such rows are of.
  enum Place: Sendable {
    case labels
    case meta
    case prices
    case consumers
  }

  case put([UInt8], for: [UInt8], in: Place)
  case delete([UInt8], from: Place)

  /// The text that an account was opened with.
  static func label(_ account: AccountID, _ text: String) -> SideWrite {
    var key = ByteList()
    key.add(account.high.bigEndian)
    key.add(account.low.bigEndian)
    return .put(Array(text.utf8), for: key.bytes, in: .labels)
  }
}

/// What appending an entry changes, besides the entry's own memory: all of it in one cache line, since that goes from
/// one processor to the next with each entry.
@safe final class Tail {
  // Safe: the memory is of one line, and lives as long as the object. All but the lock is used under it.
  struct Line: ~Copyable {
    /// The block that is being filled.
    var block = Frame.emptyBlock(.none)
    let lock = Lock()
    /// Whether entries may be appended; no longer once the store is being closed or has stopped.
    var isAccepting = true
    var isCommitterAsleep = false
  }

  let line: UnsafeMutablePointer<Line>

  init() {
    unsafe line = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64).bindMemory(to: Line.self, capacity: 1)
    unsafe line.initialize(to: Line())
  }

  deinit {
    unsafe line.deinitialize(count: 1)
    unsafe line.deallocate()
  }
}

/// The entries of one commit, packed into blocks, with what else goes into the commit and who waits for it.
///
/// Its memory is made once and used again for every other commit. While it is being filled, its last block is that of a
/// tail, which both frames of a queue have in turn.
@safe final class Frame {
  /// A task that waits for the frame to be durable, or for room.
  typealias Waiter = Continuation

  private static let stride = 32_768

  private let memory: UnsafeMutableRawBufferPointer
  private let marks: UnsafeMutablePointer<Block.Header>
  /// The most blocks.
  let limit: Int
  /// The number of blocks that are full; while the frame is open, the tail's comes after them.
  private var full = 0
  private let tail: Tail
  private var isOpen = false
  /// The number of the first entry.
  private(set) var first = SequenceNumber.none
  private var end = SequenceNumber.none

  /// The rows that go with the entries.
  var writes: [SideWrite] = []
  /// The balances that followers are to be told once the frame is durable.
  var notices: [(account: AccountID, balance: Balance)] = []
  /// The tasks that wait for the frame to be durable.
  var waiters: [Waiter] = []

  init(kibibytes: Int, tail: Tail) {
    self.tail = tail
    limit = max(2, kibibytes * 1024 / Frame.stride)
    unsafe memory = .allocate(byteCount: limit * Frame.stride, alignment: 4096)
    unsafe marks = .allocate(capacity: limit)
  }

  deinit {
    unsafe memory.deallocate()
    unsafe marks.deallocate()
  }

  /// The block that is being filled.
  @inline(__always) private var current: Block.Header {
    get { unsafe tail.line.pointee.block }
    set { unsafe tail.line.pointee.block = newValue }
  }

  fileprivate static func emptyBlock(_ first: SequenceNumber) -> Block.Header {
    Block.Header(first: first, count: 0, bytes: 0, earliest: .never, latest: .zero, previous: 0)
  }

  /// Empties the frame and opens it for the entries from a sequence number on.
  func begin(at first: SequenceNumber) {
    isOpen = true
    self.first = first
    full = 0
    current = Frame.emptyBlock(first)
    writes.removeAll(keepingCapacity: true)
    notices.removeAll(keepingCapacity: true)
    waiters.removeAll(keepingCapacity: true)
  }

  /// Takes the block that is being filled into the frame; no entry is added afterwards.
  func close() {
    end = next
    if current.count > 0 { finishBlock() }
    isOpen = false
  }

  /// The number that the next entry gets.
  @inline(__always) var next: SequenceNumber {
    isOpen ? SequenceNumber(current.first.value + UInt64(current.count)) : end
  }

  /// Whether no entry is there.
  var isEmpty: Bool { blockCount == 0 }

  /// Whether syncing the frame takes longer than writing it.
  var isSmall: Bool { blockCount <= 4 }

  /// The blocks in use.
  var blockCount: Int { full + (isOpen && current.count > 0 ? 1 : 0) }

  /// Makes room for an entry in the current block or the next one; false if the frame is full.
  @inline(__always) func makeRoom(_ bytes: Int) -> Bool {
    if Block.Header.size + current.bytes + bytes <= Block.capacity { return true }
    guard full + 1 < limit else { return false }
    finishBlock()
    return true
  }

  private func finishBlock() {
    unsafe (marks + full).initialize(to: current)
    full += 1
    current = Frame.emptyBlock(SequenceNumber(current.last.value + 1))
  }

  /// Whether records of some sizes would all fit, wherever blocks end.
  func hasRoom(for records: [Record]) -> Bool {
    var blocks = full
    var bytes = current.bytes
    for record in records {
      if Block.Header.size + bytes + record.size > Block.capacity {
        blocks += 1
        bytes = 0
      }
      bytes += record.size
    }
    return blocks < limit
  }

  /// Adds an entry without items, for which there is room.
  @inline(__always) func add(_ entry: Entry) {
    unsafe entry.store(to: place)
    count(Entry.size, entry.time)
  }

  /// Adds an entry with the count of its second kind of units, for which there is room.
  @inline(__always) func add(_ entry: Entry, furtherUnits: UInt32) {
    unsafe entry.store(to: place, furtherUnits: furtherUnits)
    count(Entry.sizeWithCount, entry.time)
  }

  /// Adds a record, for which there is room.
  func add(_ record: borrowing Record) {
    unsafe record.store(to: UnsafeMutableRawBufferPointer(start: place, count: record.size))
    count(record.size, record.entry.time)
  }

  /// The address of the next entry.
  @inline(__always) private var place: UnsafeMutableRawPointer {
    // Safe: `makeRoom` was called for the entry, so it ends within the frame's memory, which is never empty.
    unsafe memory.baseAddress.unsafelyUnwrapped + full * Frame.stride + Block.Header.size + current.bytes
  }

  @inline(__always) private func count(_ bytes: Int, _ time: Timestamp) {
    let line = unsafe tail.line
    unsafe line.pointee.block.bytes += bytes
    unsafe line.pointee.block.count += 1
    if unsafe time < line.pointee.block.earliest { unsafe line.pointee.block.earliest = time }
    if unsafe time > line.pointee.block.latest { unsafe line.pointee.block.latest = time }
  }

  /// Closes the frame and writes the headers of all blocks, each chained to the one before; answers the last checksum.
  ///
  /// Entries of different accounts may be out of order by a hair, blocks are not: the latest time of a block is never
  /// earlier than that of one before it. So whoever forgets all up to a block knows a time that none of it is after.
  ///
  /// - Parameter latest: A time that no entry of the blocks before is after.
  func seal(after checksum: UInt64, at latest: Timestamp = .zero) -> UInt64 {
    if isOpen { close() }
    var (checksum, latest) = (checksum, latest)
    for index in 0..<full {
      latest = max(latest, unsafe marks[index].latest)
      unsafe marks[index].latest = latest
      unsafe marks[index].previous = checksum
      checksum = unsafe Block.seal(marks[index], in: bytes(ofBlock: index))
    }
    return checksum
  }

  /// The header of a block of a sealed frame.
  func header(ofBlock index: Int) -> Block.Header { unsafe marks[index] }

  /// Calls a function with the bytes of each block of a sealed frame.
  func forEachBlock<E: Error>(_ body: (SequenceNumber, RawSpan) throws(E) -> Void) throws(E) {
    for index in 0..<full {
      let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(self.bytes(ofBlock: index)))
      try body(unsafe marks[index].first, bytes)
    }
  }

  private func bytes(ofBlock index: Int) -> UnsafeMutableRawBufferPointer {
    let start = index * Frame.stride
    return unsafe UnsafeMutableRawBufferPointer(
      rebasing: memory[start..<start + Block.Header.size + marks[index].bytes])
  }
}
