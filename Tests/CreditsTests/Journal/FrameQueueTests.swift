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
    while waiters.isEmpty {
      await Task.yield()
      swap(&waiters, &frame.waiters)
    }
    for waiter in waiters { waiter.resume() }
    #expect(await waiter == .stopped(reason: "an entry was lost"))
  }

  @Test("more callers than allowed who wait for room are turned away")
  func overload() async throws {
    let queue = queue(waiting: 1)
    async let first: Void = queue.waitForRoom()
    while !queue.isCrowded { await Task.yield() }
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
