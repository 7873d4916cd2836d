internal import Dispatch
internal import Glibc

/// A mutual exclusion for sections of some tens of nanoseconds: it spins a little before it sleeps.
///
/// It is a pthread mutex of the adaptive kind, which the thread sanitizer understands.
@safe struct Lock: @unchecked Sendable {
  // Safe to share: a pthread mutex is made for it, and lives at one address from `init` to `destroy`.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  /// Where, in the memory of a mutex, eight bytes are free.
  static let spare = 48

  init() { unsafe mutex = unsafe Lock.makeMutex().bindMemory(to: pthread_mutex_t.self, capacity: 1) }

  /// Makes a mutex in memory of its own: a cache line, so that two locks never share one.
  static func makeMutex() -> UnsafeMutableRawPointer {
    guard let memory = unsafe aligned_alloc(64, 64) else { preconditionFailure("no memory is left for a lock") }
    let size = unsafe MemoryLayout<pthread_mutex_t>.size
    precondition(size <= spare, "a mutex leaves room on its cache line")
    let mutex = unsafe memory.bindMemory(to: pthread_mutex_t.self, capacity: 1)
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
    unsafe pthread_mutex_init(mutex, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
    return unsafe memory
  }

  /// Gives the lock's memory back; it must not be held or used again.
  func destroy() {
    unsafe pthread_mutex_destroy(mutex)
    unsafe free(mutex)
  }

  @inline(__always) func lock() { unsafe pthread_mutex_lock(mutex) }

  @inline(__always) func unlock() { unsafe pthread_mutex_unlock(mutex) }

  @inline(__always) func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    lock()
    defer { unlock() }
    return try body()
  }
}

/// A place where one thread sleeps until another wakes it; wake-ups before the sleep are not lost.
struct Bell: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)

  func ring() { semaphore.signal() }

  /// Sleeps until the bell rings or a duration has passed, by a clock that nobody sets.
  func wait(atMost duration: Duration) {
    _ = semaphore.wait(timeout: .now() + .microseconds(Int(duration.wholeMicroseconds)))
  }
}
