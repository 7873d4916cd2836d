package import Credits
internal import Dispatch

/// The caller's own thread in place of all others: it runs tasks, and commits for a store that has no threads.
///
/// The same work is done in the same order every time: when nothing else can go on, what waits is committed. What goes
/// on elsewhere, such as a call of a payment provider, is waited for.
@safe package final class OneThread: TaskExecutor, @unchecked Sendable {
  // Safe to share: jobs are used under the lock, everything else by the thread in `run` alone.
  private let jobs: Locked<[UnownedJob]> = Locked([])
  private let hasJobs = DispatchSemaphore(value: 0)
  private var store: SimulatedStore?
  private var commits = 0

  /// Makes an executor that serves no store yet.
  package init() {}

  /// What a store is opened with that has no other thread; its secrets are the same every time.
  package var simulation: Simulation {
    Simulation(store: RequestID(high: 1, low: 2), key: HashKey(3, 5, 7)) { [weak self] in self?.commit() }
  }

  /// Commits for a store from now on.
  package func serve(_ store: CreditStore) { self.store = store.simulated }

  /// Keeps the next part of a task.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // Under the lock: once the job can be taken, it may end, and with it the last use of this object.
    jobs.withLock { jobs in
      jobs.append(job)
      hasJobs.signal()
    }
  }

  /// Runs a function to its end on the caller's thread.
  package func run<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
    // Safe: written and read by this thread alone.
    nonisolated(unsafe) var result: Result<R, any Error>?
    Task.detached(executorPreference: self) {
      do { unsafe result = .success(try await body()) } catch { unsafe result = .failure(error) }
    }
    while true {
      let ready = jobs.withLock { jobs in
        defer { jobs = [] }
        return jobs
      }
      // Safe: a job that was enqueued is run once.
      for job in ready { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
      if !ready.isEmpty { continue }
      if let result = unsafe result {
        store = nil
        return try result.get()
      }
      if !commit() { hasJobs.wait() }
    }
  }

  /// Commits what waits, and every third time images as an idle store would; false if nothing waits.
  @discardableResult
  private func commit() -> Bool {
    guard let store, store.failure == nil else { return false }
    do throws(StoreError) {
      guard try commit(store, idles: false) else { return false }
      commits += 1
      if commits % 3 == 0 { _ = try commit(store, idles: true) }
    } catch { store.fail(error) }
    return true
  }

  private func commit(_ store: SimulatedStore, idles: Bool) throws(StoreError) -> Bool {
    guard let commit = try store.begin(idles: idles) else { return false }
    try store.write(commit)
    store.finish(commit)
    return true
  }
}
