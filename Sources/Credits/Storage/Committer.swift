internal import LMDB
internal import Logging
internal import Synchronization

/// Makes frames durable: one thread, one write transaction per frame.
///
/// Each commit takes, in this order, the images of the checkpoint sweep, then the frame: so no image can be ahead of
/// the journal. While it syncs, the next frame fills.
final class Committer: @unchecked Sendable {
  // Safe to share: everything but `requests` and `stopping` is used by the committer's thread alone once it runs.
  private let database: Database
  private let ledger: Ledger
  private let queue: FrameQueue
  private let keeper: TimeKeeper
  private let followers: Followers
  private let consumers: Consumers
  /// Tells when entries have become durable.
  private let commitSignal: Signal
  private let settings: Settings
  private let logger: Logger

  /// The most positions of the sweep that go with one commit: images wait in memory until it returns.
  private static let mostPositions = 65_536
  /// The positions of the sweep that go with a commit while the store is idle.
  private static let idlePositions = 8_192

  private let batch = ImageBatch()
  private var checksum: UInt64
  private var commits: UInt64 = 0
  private var floor: WindowFloor
  private var place = SweepPosition()
  /// The last entry when the present sweep began: once it ends, the images include all up to here.
  private var sweepStart: SequenceNumber
  private var cursor: SequenceNumber
  private var sweepCredit = 0
  private var pause = Pause()
  private var runway = Runway()
  private var retention: Retention
  private let isStopping = Atomic<Bool>(false)
  private let trims: Locked<[TrimRequest]> = Locked([])
  private let counters: Counters

  /// Someone who waits for a trim of the journal.
  struct TrimRequest {
    let before: Timestamp
    let continuation: CheckedContinuation<Result<Trimmed, StoreError>, Never>
  }

  init(
    database: Database, ledger: Ledger, queue: FrameQueue, keeper: TimeKeeper, followers: Followers,
    consumers: Consumers, commitSignal: Signal, settings: Settings, recovered: Recovery.Result, counters: Counters
  ) {
    self.consumers = consumers
    self.commitSignal = commitSignal
    self.database = database
    self.ledger = ledger
    self.queue = queue
    self.keeper = keeper
    self.followers = followers
    self.settings = settings
    self.counters = counters
    logger = settings.logger
    checksum = recovered.checksum
    floor = WindowFloor(settings: settings, forgotten: recovered.forgotten, time: recovered.forgottenTime)
    cursor = recovered.cursor
    sweepStart = recovered.cursor
    retention = Retention(first: recovered.firstKept)
  }

  /// Commits until the store is closed or a commit fails.
  func run() {
    do throws(StoreError) {
      while !isStopping.load(ordering: .acquiring) {
        pause.gather(queue)
        if queue.hasWork || hasUrgentWork {
          try commit(positions: pace())
        } else if cursor < queue.last {
          // Idle: give callers a moment, then bring the images up to the journal.
          queue.sleep(atMost: .milliseconds(20))
          if !queue.hasWork { try commit(positions: Committer.idlePositions) }
        } else {
          queue.sleep(atMost: .seconds(1))
          try trimByAge()
          if !queue.hasWork { try clearStaleReaders() }
        }
      }
      queue.beginClosing()
      while queue.hasWork || cursor < queue.last { try commit(positions: Committer.mostPositions) }
      queue.stop(.closed)
      finishTrims()
    } catch {
      fail(error)
    }
  }

  /// Asks the committer to make everything durable, write all images, and end.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    queue.wake()
  }

  private var hasUrgentWork: Bool { ledger.isCrowded.load(ordering: .relaxed) || trims.withLock { !$0.isEmpty } }

  /// The number of positions of the sweep to go with the next commit.
  private func pace() -> Int {
    let length = ledger.sweepLength
    if ledger.isCrowded.exchange(false, ordering: .relaxed) { return min(length, Committer.mostPositions) }
    // As far as entries have come in since the last commit, and far enough to clean twice what was brought into memory.
    let loads = ledger.loads.exchange(0, ordering: .relaxed)
    sweepCredit += counters.lastEntries * length / settings.checkpointEntries + 2 * loads
    guard sweepCredit >= 64 else { return 0 }
    let positions = min(sweepCredit, length, Committer.mostPositions)
    sweepCredit = min(sweepCredit - positions, length)
    return positions
  }

  private func commit(positions: Int) throws(StoreError) {
    let start = ContinuousClock.now
    let work = try begin(positions: positions)
    try write(work)
    finish(work)
    pause.note(commit: ContinuousClock.now - start, isSmall: work.frame.isSmall)
  }

  /// What is taken to be made durable in one commit.
  struct Work {
    fileprivate let frame: Frame
    fileprivate let checkpoint: Meta.Checkpoint?
    fileprivate let trim: Retention.Plan?
    fileprivate let latest: Timestamp
    /// The number of those who had asked for a trim.
    fileprivate let asked: Int

    /// The last entry of the frame.
    var last: SequenceNumber { SequenceNumber(frame.next.value - 1) }
  }

  /// Takes images and frame; nothing, where there is nothing to be done, unless it is to idle. For simulations.
  func beginStep(idles: Bool) throws(StoreError) -> Work? {
    if queue.hasWork || hasUrgentWork { return try begin(positions: pace()) }
    return idles && cursor < queue.last ? try begin(positions: Committer.idlePositions) : nil
  }

  /// Stops the store after a failure.
  func fail(_ error: StoreError) {
    let (reason, path) = ("\(error)".escapedForTerminal, database.path.escapedForTerminal)
    logger.critical("the store has stopped", metadata: ["reason": "\(reason)", "path": "\(path)"])
    queue.stop(error)
    finishTrims()
  }

  private func begin(positions: Int) throws(StoreError) -> Work {
    commits += 1
    if commits % 1_024 == 0 { try clearStaleReaders() }
    batch.removeAll()
    var reached: SequenceNumber?
    if positions > 0 {
      if place == SweepPosition() { sweepStart = queue.last }
      if ledger.sweep(from: &place, positions: positions, commit: commits, into: batch) { reached = sweepStart }
    }
    let frame = queue.exchange()
    var latest = keeper.last
    checksum = frame.seal(after: checksum, at: latest)
    if !frame.isEmpty { latest = frame.header(ofBlock: frame.blockCount - 1).latest }
    keeper.advance(to: latest)
    let checkpoint = reached.flatMap { $0 > cursor ? Meta.Checkpoint(cursor: $0, time: latest) : nil }
    let asked = trims.withLock { $0.map(\.before) }
    let trim = try retention.plan(
      in: database, cursor: cursor, forgotten: min(ledger.window.forgotten, consumers.least), settings: settings,
      now: latest, requested: asked.max())
    return Work(frame: frame, checkpoint: checkpoint, trim: trim, latest: latest, asked: asked.count)
  }

  /// Writes what was taken, in one transaction.
  func write(_ work: Work) throws(StoreError) {
    let frame = work.frame
    if frame.isEmpty, frame.writes.isEmpty, batch.isEmpty, work.checkpoint == nil, work.trim == nil { return }
    do throws(LMDBError) { try write(frame, work.checkpoint, work.trim) } catch { throw database.storeError(error) }
  }

  /// Acknowledges what was written.
  func finish(_ work: Work) {
    let (frame, latest) = (work.frame, work.latest)
    ledger.durableCommit.store(commits, ordering: .releasing)
    if let checkpoint = work.checkpoint { cursor = checkpoint.cursor }
    // Before anybody is told: who knows of a commit finds it counted.
    counters.note(entries: Int(work.last.value + 1 - frame.first.value), images: batch.marks.count)
    let waiters = queue.complete(frame)
    for waiter in waiters { waiter.resume() }
    if !frame.isEmpty { commitSignal.send() }
    ledger.openCharges.tell()
    for notice in frame.notices { followers.tell(notice.account, notice.balance) }
    if let moved = floor.advance(to: work.last, latest) {
      ledger.window.forget(upTo: moved.sequence, before: moved.time)
    }
    ledger.window.tend(at: work.last)
    if let trim = work.trim { retention.done(trim) } else { finishTrims(work.asked) }
  }

  private func write(
    _ frame: Frame, _ checkpoint: Meta.Checkpoint?, _ trim: Retention.Plan?
  ) throws(LMDBError) {
    var transaction = try database.environment.beginWrite()
    if frame.isSmall, settings.durability == .synced { runway.extend(&transaction) }
    try frame.forEachBlock { (first, bytes) throws(LMDBError) in
      try transaction.append(bytes, for: first.value, to: database.journal)
    }
    for row in frame.writes { try database.write(row, to: &transaction) }
    try database.put(batch, to: &transaction)
    if let checkpoint { try Meta.write(checkpoint, to: &transaction, database.meta) }
    if let trim {
      for first in trim.blocks { try transaction.delete(first.value, from: database.journal) }
      try Meta.write(trim.mark, to: &transaction, database.meta)
    }
    try transaction.commit()
  }

  /// Frees the slots of readers that were killed, whose snapshots would keep freed pages from being used again.
  private func clearStaleReaders() throws(StoreError) {
    do throws(LMDBError) { try database.environment.clearStaleReaders() } catch { throw database.storeError(error) }
  }

  // MARK: Trimming

  /// Deletes journal by age, when the store is idle.
  private func trimByAge() throws(StoreError) {
    if case .age = settings.retention, retention.isDue(at: keeper.last) { try commit(positions: 0) }
  }

  /// Deletes the journal's entries that are older than a time and needed by nothing.
  func trim(before time: Timestamp) async throws(StoreError) -> Trimmed {
    let result: Result<Trimmed, StoreError> = await withCheckedContinuation { continuation in
      trims.withLock { $0.append(TrimRequest(before: time, continuation: continuation)) }
      queue.wake()
      if case .failed = queue.state { finishTrims() }
    }
    return try result.get()
  }

  /// Answers the first requests for a trim; all of them where the store has stopped.
  private func finishTrims(_ count: Int = .max) {
    let requests = trims.withLock { waiting in
      defer { waiting.removeFirst(min(count, waiting.count)) }
      return waiting.prefix(count)
    }
    guard !requests.isEmpty else { return }
    let result: Result<Trimmed, StoreError>
    if case .failed(let error) = queue.state {
      result = .failure(error)
    } else {
      result = .success(retention.takeTotal())
    }
    for request in requests { request.continuation.resume(returning: result) }
  }
}
