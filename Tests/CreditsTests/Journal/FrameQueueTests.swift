import Testing

@testable import Credits

@Suite("The frame queue")
struct FrameQueueTests {
  private func queue(waiting: Int = 10) -> FrameQueue {
    var settings = Settings()
    settings.frameKibibytes = 64
    settings.waitingCallers = waiting
    return FrameQueue(next: SequenceNumber(7), settings: settings)
  }

  private let entry = EntryTests.debit

  @Test("entries are numbered on, over frames, and are durable once their frame is complete")
  func numbers() {
    let queue = queue()
    #expect(queue.last.value == 6 && queue.durable.value == 6 && !queue.hasWork)
    #expect(queue.append(entry).value == 7 && queue.append(entry).value == 8)
    #expect(queue.hasWork && queue.durable.value == 6 && queue.last.value == 8)
    let frame = queue.exchange()
    #expect(frame.first.value == 7 && frame.next.value == 9 && !queue.hasWork)
    #expect(queue.append(entry).value == 9)
    #expect(queue.complete(frame).isEmpty && queue.durable.value == 8)
  }

  @Test("a full frame refuses, and takes entries again after the exchange")
  func full() {
    let queue = queue()
    var count = 0
    while queue.append(entry) != .none { count += 1 }
    #expect(count == 816)
    #expect(queue.append(entry) == .none)
    let frame = queue.exchange()
    #expect(queue.append(entry).value == 7 + UInt64(count))
    _ = queue.complete(frame)
  }

  @Test("who waits for an entry goes on when it is durable")
  func waiting() async throws {
    let queue = queue()
    let sequence = queue.append(entry)
    try await queue.waitUntilDurable(SequenceNumber(6))
    async let waiter: Void = queue.waitUntilDurable(sequence)
    let frame = queue.exchange()
    var waiters: [Frame.Waiter] = []
    while queue.durable < sequence { waiters += queue.complete(frame) }
    for waiter in waiters { waiter.resume() }
    try await waiter
  }

  @Test("G10: a stopped queue takes nothing, and tells everyone why")
  func stopped() async {
    let queue = queue()
    let sequence = queue.append(entry)
    async let waiter: StoreError? = failure { () throws(StoreError) in try await queue.waitUntilDurable(sequence) }
    async let other: StoreError? = failure { () throws(StoreError) in try await queue.waitUntilDurable(sequence) }
    queue.stop(.diskFull(path: "/p"))
    #expect(await waiter == .diskFull(path: "/p"))
    #expect(await other == .diskFull(path: "/p"))
    queue.stop(.closed)
    #expect(queue.state == .failed(.diskFull(path: "/p")), "the first failure is the cause")
    #expect(queue.append(entry) == .none)
    #expect(await failure { () throws(StoreError) in try await queue.waitForRoom() } == .diskFull(path: "/p"))
    #expect(throws: StoreError.diskFull(path: "/p")) { try queue.check() }
  }

  @Test("G3: who is woken though the entry never became durable is told so")
  func lost() async {
    let queue = queue()
    let sequence = queue.append(entry)
    async let waiter: StoreError? = failure { () throws(StoreError) in try await queue.waitUntilDurable(sequence) }
    var waiters: [Frame.Waiter] = []
    let frame = queue.exchange()
    while queue.waitingForCommit == 0 { await Task.yield() }
    swap(&waiters, &frame.waiters)
    for waiter in waiters { waiter.resume() }
    #expect(await waiter == .stopped(reason: "an entry was lost"))
  }

  /// A queue whose last frame was waited for by a number of callers, who have just been told that it is durable.
  private func queueAfterFrame(waiters count: Int) async throws -> FrameQueue {
    let queue = queue()
    let sequence = queue.append(entry)
    let frame = queue.exchange()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<count { group.addTask { try await queue.waitUntilDurable(sequence) } }
      while queue.waitingForCommit < count { await Task.yield() }
      for waiter in queue.complete(frame) { waiter.resume() }
      try await group.waitForAll()
    }
    return queue
  }

  @Test("the committer sleeps until as many callers wait again, and then no more before the next frame")
  func gathering() async throws {
    let queue = try await queueAfterFrame(waiters: 3)
    let gathering = Task { try await Worker.run { () throws(StoreError) in queue.gather(atMost: .seconds(600)) } }
    let sequence = queue.append(entry)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 { group.addTask { try await queue.waitUntilDurable(sequence) } }
      #expect(try await gathering.value)
      let frame = queue.exchange()
      #expect(frame.waiters.count == 3)
      #expect(queue.gather(atMost: .seconds(600)), "nobody is expected before the next frame is complete")
      for waiter in queue.complete(frame) { waiter.resume() }
      try await group.waitForAll()
    }
  }

  @Test("callers who do not come back are waited for no longer than allowed")
  func missed() async throws {
    let queue = try await queueAfterFrame(waiters: 2)
    #expect(!queue.gather(atMost: .milliseconds(2)))
    #expect(queue.gather(atMost: .seconds(600)), "and once only")
  }

  @Test("who waits for room ends the gathering, and so does the end of the queue")
  func gatheringEnds() async throws {
    let queue = try await queueAfterFrame(waiters: 2)
    async let hasGathered = Worker.run { () throws(StoreError) in queue.gather(atMost: .seconds(600)) }
    async let waiter: Void = queue.waitForRoom()
    _ = try await hasGathered
    _ = queue.complete(queue.exchange())
    try await waiter
    let other = try await queueAfterFrame(waiters: 2)
    async let hasGatheredOther = Worker.run { () throws(StoreError) in other.gather(atMost: .seconds(600)) }
    other.stop(.closed)
    _ = try await hasGatheredOther
  }

  @Test("after each miss twice as many commits go without a pause, and after a hit none")
  func pauses() async throws {
    var pause = Pause()
    /// The number of commits without a pause before the next one, in which the callers are missed.
    func commitsBeforeMiss() async throws -> Int {
      for count in 0... {
        let queue = try await queueAfterFrame(waiters: 1)
        pause.note(commit: .microseconds(2), isSmall: true)
        pause.gather(queue)
        // A queue that was asked expects nobody any more.
        if queue.gather(atMost: .zero) { return count }
      }
      return 0
    }
    var counts: [Int] = []
    for _ in 0..<8 { counts.append(try await commitsBeforeMiss()) }
    #expect(counts == [0, 1, 3, 7, 15, 31, 63, 63])
    let complete = try await queueAfterFrame(waiters: 0)
    for _ in 0..<64 {
      pause.note(commit: .microseconds(2), isSmall: true)
      pause.gather(complete)
    }
    #expect(try await [commitsBeforeMiss(), commitsBeforeMiss()] == [0, 1])
  }

  @Test("a large commit is followed by no pause")
  func largeCommit() async throws {
    let queue = try await queueAfterFrame(waiters: 1)
    var pause = Pause()
    pause.note(commit: .seconds(600), isSmall: false)
    pause.gather(queue)
    #expect(!queue.gather(atMost: .zero), "the queue was not asked")
  }

  @Test("more callers than allowed who wait for room are turned away")
  func overload() async throws {
    let queue = queue(waiting: 1)
    async let first: Void = queue.waitForRoom()
    while queue.waitingForRoom == 0 { await Task.yield() }
    #expect(await failure { () throws(StoreError) in try await queue.waitForRoom() } == .overloaded(waiting: 1))
    _ = queue.complete(queue.exchange())
    try await first
  }
}

/// The error that a function throws, if it does.
func failure(_ body: () async throws(StoreError) -> Void) async -> StoreError? {
  do throws(StoreError) {
    try await body()
    return nil
  } catch { return error }
}
