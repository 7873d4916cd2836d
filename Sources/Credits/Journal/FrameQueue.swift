internal import Synchronization

/// The way from callers to the committer: the frame that is being filled, and the one that is being committed.
///
/// Appending hands out the sequence number, under a lock of its own that is held for some tens of nanoseconds. A frame
/// that is full refuses: the caller then waits for room and tries again, with nothing applied.
@safe package final class FrameQueue: @unchecked Sendable {
  // Safe to share: everything below `tail` is used under its lock, or by the committer alone where noted; the rest is
  // atomic.

  /// The state of the queue.
  enum Condition: Hashable, Sendable {
    case running
    case failed(StoreError)
  }

  /// Rings when there is something to commit.
  let bell = Bell()
  /// The last entry that is durable.
  private let durableSequence: Atomic<UInt64>
  private let tail = Tail()
  private var filling: Frame
  /// The frame that is being committed, or is empty between two commits.
  private var committing: Frame
  private var roomWaiters: [Frame.Waiter] = []
  /// How many callers may soon wait for the open frame: those who do, and those who were told of the last one.
  private var expected = 0
  /// The number of callers in wait at which a gathering committer is woken; 0 where it does not gather.
  private var gathered = 0
  private var condition = Condition.running
  /// Whether frames are still being committed.
  private var isRunning = true
  /// The number of frames that were taken to be committed, and of those that are durable.
  private var taken: UInt64 = 0
  private var completed: UInt64 = 0
  private let waitingLimit: Int
  private var waiting = 0

  init(next: SequenceNumber, settings: Settings) {
    durableSequence = Atomic(next.value - 1)
    filling = Frame(kibibytes: settings.frameKibibytes, tail: tail)
    committing = Frame(kibibytes: settings.frameKibibytes, tail: tail)
    committing.begin(at: next)
    committing.close()
    filling.begin(at: next)
    waitingLimit = settings.waitingCallers
  }

  @inline(__always) private var line: UnsafeMutablePointer<Tail.Line> { unsafe tail.line }

  @inline(__always) private func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try unsafe line.pointee.lock.withLock(body)
  }

  /// The last entry that is durable.
  @inline(__always) var durable: SequenceNumber { SequenceNumber(durableSequence.load(ordering: .acquiring)) }

  /// The last entry that was appended.
  var last: SequenceNumber { withLock { SequenceNumber(filling.next.value - 1) } }

  /// Appends an entry without items, or with a second count of units, and answers its sequence number; none if the
  /// frame is full or the queue stopped.
  ///
  /// - Parameter then: Called with the number, by one thread at a time.
  @inline(__always) func append(
    _ entry: Entry, furtherUnits: UInt32 = 0, then: (SequenceNumber) -> Void = { _ in }
  ) -> SequenceNumber {
    unsafe line.pointee.lock.lock()
    guard unsafe line.pointee.isAccepting, filling.makeRoom(furtherUnits == 0 ? Entry.size : Entry.sizeWithCount) else {
      unsafe line.pointee.lock.unlock()
      return .none
    }
    let sequence = filling.next
    if furtherUnits == 0 { filling.add(entry) } else { filling.add(entry, furtherUnits: furtherUnits) }
    then(sequence)
    let wakes = takeSleep()
    unsafe line.pointee.lock.unlock()
    if wakes { bell.ring() }
    return sequence
  }

  /// Whether the committer sleeps and must be woken; whoever is told so wakes it.
  @inline(__always) private func takeSleep() -> Bool {
    guard unsafe line.pointee.isCommitterAsleep else { return false }
    unsafe line.pointee.isCommitterAsleep = false
    return true
  }

  /// Appends the records of a draft, all or none, numbers them, and answers the first number; none as above.
  ///
  /// - Parameter then: Called with each record and its number, by one thread at a time.
  func append(
    _ draft: inout Draft, label: String? = nil, follows: Bool, then: (borrowing Record, SequenceNumber) -> Void
  ) -> SequenceNumber {
    unsafe line.pointee.lock.lock()
    guard unsafe line.pointee.isAccepting, filling.hasRoom(for: draft.records) else {
      unsafe line.pointee.lock.unlock()
      return .none
    }
    let first = filling.next
    draft.number(from: first)
    for record in draft.records {
      let hasRoom = filling.makeRoom(record.size)
      precondition(hasRoom, "a frame that has room for all records has room for each")
      let sequence = filling.next
      filling.add(record)
      then(record, sequence)
    }
    if let label { filling.writes.append(.label(draft.account.id, label)) }
    if follows { filling.notices.append((draft.account.id, draft.account.balance)) }
    let wakes = takeSleep()
    unsafe line.pointee.lock.unlock()
    if wakes { bell.ring() }
    return first
  }

  // MARK: Waiting

  /// Waits until an entry is durable.
  func waitUntilDurable(_ sequence: SequenceNumber) async throws(StoreError) {
    if durable >= sequence { return }
    unsafe await withUnsafeContinuation { suspended in
      let waiter = unsafe Continuation(suspended)
      if !enlist(waiter, for: sequence) { waiter.resume() }
    }
    if durable >= sequence { return }
    throw failure
  }

  private func enlist(_ waiter: Frame.Waiter, for sequence: SequenceNumber) -> Bool {
    var isLast = false
    let isEnlisted = withLock {
      // An entry that was never appended is waited for by nobody.
      guard isRunning, durable < sequence, sequence < filling.next else { return false }
      if sequence >= filling.first {
        filling.waiters.append(waiter)
        isLast = filling.waiters.count == gathered
      } else {
        committing.waiters.append(waiter)
      }
      return true
    }
    if isLast { bell.ring() }
    return isEnlisted
  }

  /// Writes rows beside the entries, all in one commit, and waits until they are durable.
  func write(_ rows: [SideWrite]) async throws(StoreError) {
    let frame = try add(rows)
    try await waitUntilDurable(frame: frame)
  }

  /// Adds rows to the open frame and answers its number.
  func add(_ rows: [SideWrite]) throws(StoreError) -> UInt64 {
    let (frame, wakes) = try withLock { () throws(StoreError) -> (UInt64, Bool) in
      if case .failed(let error) = condition { throw error }
      filling.writes += rows
      return (taken, takeSleep())
    }
    if wakes { bell.ring() }
    return frame
  }

  /// Waits until a frame is durable.
  func waitUntilDurable(frame: UInt64) async throws(StoreError) {
    unsafe await withUnsafeContinuation { suspended in
      let waiter = unsafe Continuation(suspended)
      let isEnlisted = withLock {
        guard isRunning, completed <= frame else { return false }
        if frame == taken { filling.waiters.append(waiter) } else { committing.waiters.append(waiter) }
        return true
      }
      if !isEnlisted { waiter.resume() }
    }
    if withLock({ completed }) <= frame { throw failure }
  }

  /// Waits until the next frame begins, which has room.
  func waitForRoom() async throws(StoreError) {
    let count = withLock { () -> Int in
      waiting += 1
      return waiting
    }
    defer { withLock { waiting -= 1 } }
    guard count <= waitingLimit else { throw .overloaded(waiting: waitingLimit) }
    unsafe await withUnsafeContinuation { suspended in
      let waiter = unsafe Continuation(suspended)
      let wakes = withLock { () -> Bool? in
        guard unsafe line.pointee.isAccepting else { return nil }
        roomWaiters.append(waiter)
        return takeSleep() || gathered > 0
      }
      // A sleeping committer begins a new frame only when it is woken.
      if wakes == true { bell.ring() }
      if wakes == nil { waiter.resume() }
    }
    try check()
  }

  /// Throws if the queue has stopped.
  func check() throws(StoreError) {
    if case .failed(let error) = withLock({ condition }) { throw error }
  }

  /// Whether the queue runs or why it stopped.
  var state: Condition { withLock { condition } }

  private var failure: StoreError {
    if case .failed(let error) = withLock({ condition }) { return error }
    return .stopped(reason: "an entry was lost")
  }

  // MARK: The committer's side

  /// Whether entries are waiting to be committed, or callers for room.
  var hasWork: Bool { withLock { !isIdle } }

  private var isIdle: Bool { filling.isEmpty && filling.writes.isEmpty && roomWaiters.isEmpty }

  /// The number of callers that wait for room.
  var waitingForRoom: Int { withLock { roomWaiters.count } }

  /// The number of callers that wait for a commit.
  var waitingForCommit: Int { withLock { filling.waiters.count + committing.waiters.count } }

  /// Sleeps until an entry is appended, or for a duration; returns at once if there is work.
  func sleep(atMost duration: Duration) {
    let mustSleep = withLock { () -> Bool in
      guard isRunning, isIdle else { return false }
      unsafe line.pointee.isCommitterAsleep = true
      return true
    }
    guard mustSleep else { return }
    bell.wait(atMost: duration)
    withLock { _ = takeSleep() }
  }

  /// Sleeps until all callers who were told of the last frame wait for the open one, or for a duration; answers whether
  /// they came.
  ///
  /// Many callers call again at once. Without this, the first of them would begin a commit that the others miss.
  func gather(atMost duration: Duration) -> Bool {
    let mustSleep = withLock { () -> Bool in
      guard isRunning, filling.waiters.count < expected, roomWaiters.isEmpty else { return false }
      gathered = expected
      return true
    }
    if mustSleep { bell.wait(atMost: duration) }
    return withLock {
      defer { (expected, gathered) = (0, 0) }
      return filling.waiters.count >= expected
    }
  }

  /// Wakes the committer, though nothing was appended.
  func wake() { bell.ring() }

  /// Takes the filled frame away to be committed and begins the other one.
  func exchange() -> Frame {
    var waiters: [Frame.Waiter] = []
    let frame = withLock { () -> Frame in
      filling.close()
      swap(&filling, &committing)
      filling.begin(at: committing.next)
      taken += 1
      swap(&waiters, &roomWaiters)
      return committing
    }
    for waiter in waiters { waiter.resume() }
    return frame
  }

  /// Makes the frame that was taken away durable, and answers who waits for it.
  func complete(_ frame: Frame) -> [Frame.Waiter] {
    withLock {
      durableSequence.store(frame.next.value - 1, ordering: .releasing)
      completed = taken
      expected = frame.waiters.count + filling.waiters.count
      var waiters: [Frame.Waiter] = []
      swap(&waiters, &frame.waiters)
      return waiters
    }
  }

  /// Refuses further entries, and those who wait for room; what has been appended will still be committed.
  func beginClosing() {
    let waiters = withLock { () -> [Frame.Waiter] in
      unsafe line.pointee.isAccepting = false
      if condition == .running { condition = .failed(.closed) }
      defer { roomWaiters.removeAll() }
      return roomWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Stops the queue for good: every waiter and every later caller gets the error.
  func stop(_ error: StoreError) {
    let waiters = withLock { () -> [Frame.Waiter] in
      guard isRunning else { return [] }
      isRunning = false
      unsafe line.pointee.isAccepting = false
      condition = .failed(error)
      let all = filling.waiters + committing.waiters + roomWaiters
      filling.waiters.removeAll()
      committing.waiters.removeAll()
      roomWaiters.removeAll()
      return all
    }
    for waiter in waiters { waiter.resume() }
    bell.ring()
  }
}
