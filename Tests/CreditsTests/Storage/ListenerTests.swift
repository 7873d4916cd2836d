import CreditsTesting
import Dispatch
import Synchronization
import Testing

@testable import Credits

/// Whoever resumes a task holds locks of the language, and whoever cancels one, too: a store that told listeners under
/// a lock of its own, which they need to leave, would stand still.
@Suite("Listeners are told without a lock", .timeLimit(.minutes(5)))
struct ListenerTests {
  /// An executor that looks, whenever it is given a job, whether something can be done meanwhile by another thread.
  private final class Observer: TaskExecutor {
    private let queue = DispatchQueue(label: "observer")
    private let probe = Locked<(@Sendable () -> Void)?>(nil)
    private let looks = Atomic<Int>(0)
    private let waits = Atomic<Int>(0)

    /// How often it looked, and how often the other thread had to wait.
    var counts: (looks: Int, waits: Int) { (looks.load(ordering: .relaxed), waits.load(ordering: .relaxed)) }

    func look(for probe: @escaping @Sendable () -> Void) { self.probe.withLock { $0 = probe } }

    func enqueue(_ job: consuming ExecutorJob) {
      if let probe = probe.withLock({ $0 }) {
        let end = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
          probe()
          end.signal()
        }
        if end.wait(timeout: .now() + 10) == .timedOut { waits.add(1, ordering: .relaxed) }
        looks.add(1, ordering: .relaxed)
      }
      let job = UnownedJob(job)
      queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }

  private let observer = Observer()

  /// Tells a listener on the observer's executor until the observer has looked a few times.
  private func tell(_ count: Int = 3, _ body: () async throws -> Void) async throws {
    while observer.counts.looks < count, observer.counts.waits == 0 {
      try await body()
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(observer.counts.waits == 0)
  }

  @Test("somebody else can begin to listen while listeners are told of a change")
  func signal() async throws {
    let signal = Signal()
    let changes = signal.changes()
    let task = Task(executorPreference: observer) { for await _ in changes {} }
    observer.look { _ = signal.changes() }
    try await tell { signal.send() }
    signal.finish()
    await task.value
  }

  @Test("a follower can leave while others are told a balance")
  func followers() async throws {
    let followers = Followers()
    let (stream, continuation) = AsyncStream.makeStream(of: Balance.self, bufferingPolicy: .bufferingNewest(1))
    let number = followers.add("alice", continuation)
    let task = Task(executorPreference: observer) { () -> [SequenceNumber] in
      var versions: [SequenceNumber] = []
      for await balance in stream { versions.append(balance.version) }
      return versions
    }
    observer.look { followers.remove(number + 1) }
    var version: UInt64 = 0
    try await tell {
      version += 1
      followers.tell("alice", Balance(available: 1, held: 0, version: SequenceNumber(version)))
    }
    followers.finish()
    let versions = await task.value
    #expect(!versions.isEmpty && versions == versions.sorted())
  }

  @Test("accounts can be used while a worker is told of a charge")
  func charges() async throws {
    let (store, alice) = try await StoreFixture().openWithRefill(150)
    let engine = store.engine
    let changes = engine.ledger.openCharges.signal.changes()
    let task = Task(executorPreference: observer) { for await _ in changes {} }
    // Every account, so that those of all stripes are among them.
    observer.look {
      for number in UInt64(0)..<1_000 { _ = engine.ledger.account(AccountID(number), at: engine.keeper.last) }
      _ = engine.ledger.account(alice, at: engine.keeper.last)
    }
    let gateway = ScriptedGateway()
    let worker = RefillWorker(store: store, gateway: gateway)
    var round: UInt64 = 0
    try await tell {
      round += 1
      let left = try #require(try store.available(alice))
      _ = try await store.debit(left, from: alice, request: RequestID(round))
      _ = try await worker.work()
    }
    try await store.close()
    await task.value
  }
}
