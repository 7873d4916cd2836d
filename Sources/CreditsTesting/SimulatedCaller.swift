internal import Credits

/// A caller of a simulated store: a task, and the executor of its jobs, which run when the scheduler says so.
final class SimulatedCaller: TaskExecutor, @unchecked Sendable {
  // Safe to share: a simulation and all of its tasks use one thread.

  /// What a caller wants.
  enum Errand {
    case requests([ReferenceRequest], Acknowledgement, isBatch: Bool)
    case take(ChargeID)
    case settle(SimulatedStore.Call, ChargeOutcome)
    case report(ChargeOutcome, ChargeID, key: String?)
    case publish(PriceBook)
    case explain(ReferenceEntry)
    case trim(Timestamp)
  }

  /// What a caller gets.
  enum Answer {
    case answers([ReferenceAnswer])
    case call(SimulatedStore.Call?)
    case booked(Denial?)
    case published(UInt32)
    case explained(Explanation?)
    case done
  }

  let number: Int
  /// What it is about; nil if it is free.
  private(set) var errand: Errand?
  /// What came of it.
  private(set) var result: Result<Answer, StoreError>?
  /// When it began.
  private(set) var since = Timestamp.zero
  /// The latest time at which it went on.
  var until = Timestamp.zero
  /// How many parts of its errand were decided, and what the reference ledger answered.
  var decided = 0
  var expected: [ReferenceAnswer] = []
  /// Whether it has gone on at least once, and what the usage it is about cost then.
  var hasAsked = false
  var price: ReferencePrice?
  var call: ReferenceLedger.Call?
  /// Whether its errand may have been decided without a trace.
  var mayBeVain = false
  private var job: UnownedJob?

  init(_ number: Int) { self.number = number }

  /// Whether it can go on.
  var isReady: Bool { job != nil }

  /// Keeps the next part of the task.
  func enqueue(_ job: consuming ExecutorJob) {
    precondition(!isReady, "a task goes on at one place at a time")
    self.job = UnownedJob(job)
  }

  /// Goes on until the task waits or ends.
  func run() {
    guard let next = job else { return }
    job = nil
    // Safe: a job that was enqueued is run once.
    unsafe next.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Begins an errand.
  func begin(
    _ errand: Errand, at time: Timestamp, _ body: @escaping @Sendable () async throws(StoreError) -> Answer
  ) {
    self.errand = errand
    (since, until, hasAsked, price) = (time, time, false, nil)
    (result, decided, expected, call, mayBeVain) = (nil, 0, [], nil, false)
    Task(executorPreference: self) {
      let result: Result<Answer, StoreError>
      do throws(StoreError) { result = .success(try await body()) } catch { result = .failure(error) }
      self.result = result
    }
  }

  /// Is free again.
  func end() { (errand, result, expected) = (nil, nil, []) }
}
