/// A task executor for tasks that debit one at a time, thousands of them at once: one thread, one queue.
///
/// A commit resumes all tasks that wait for it. On the default executor each of these resumptions costs more than a
/// debit; here it is an append to a list, and the thread takes the whole list at once.
///
/// Prefer it where tasks are made: `group.addTask(executorPreference: executor) { … }`.
///
/// Do not block its thread: work that takes long belongs on another executor.
public final class RequestExecutor: TaskExecutor {
  private let queue = Queue()

  /// Makes an executor with a thread of its own, which ends when nobody refers to the executor any more.
  ///
  /// Traps if the system gives no thread: make executors when a service starts, not while it is under load.
  public init() {
    let queue = queue
    let hasThread = Worker.detached { queue.run() }
    precondition(hasThread, "the system gives a request executor no thread")
  }

  deinit { queue.stop() }

  /// Takes a job to be run on the executor's thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    unsafe queue.append(UnownedJob(job), for: asUnownedTaskExecutor())
  }

  /// The jobs that wait, behind a lock, and the bell for the thread that runs them.
  private final class Queue: Sendable {
    // Safe: the executor lives until the task that runs on it has ended, which keeps it.
    @safe private struct State {
      var jobs: [(job: UnownedJob, executor: UnownedTaskExecutor)] = unsafe []
      var isAsleep = false
      var isStopping = false
    }

    private let state = Locked(State())
    private let bell = Bell()

    func append(_ job: UnownedJob, for executor: UnownedTaskExecutor) {
      let woken = unsafe state.withLock { state -> Unmanaged<Queue>? in
        unsafe state.jobs.append((job, executor))
        guard state.isAsleep else { return nil }
        state.isAsleep = false
        // Once the job can be taken, it may end, and with it the last use of the executor and of this queue.
        return unsafe Unmanaged.passRetained(self)
      }
      guard let queue = unsafe woken else { return }
      unsafe queue.takeRetainedValue().bell.ring()
    }

    func stop() {
      state.withLock { $0.isStopping = true }
      bell.ring()
    }

    func run() {
      var jobs: [(job: UnownedJob, executor: UnownedTaskExecutor)] = unsafe []
      while true {
        let isOver = state.withLock { state in
          unsafe swap(&jobs, &state.jobs)
          state.isAsleep = unsafe jobs.isEmpty
          return unsafe jobs.isEmpty && state.isStopping
        }
        if isOver { return }
        if unsafe jobs.isEmpty { bell.wait(atMost: .seconds(60)) }
        for unsafe(job, executor) in unsafe jobs { unsafe job.runSynchronously(on: executor) }
        unsafe jobs.removeAll(keepingCapacity: true)
      }
    }
  }
}
