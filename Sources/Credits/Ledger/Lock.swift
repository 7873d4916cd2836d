internal import CPrefetch
internal import Dispatch
internal import Glibc
internal import Synchronization

/// A mutual exclusion for sections of some tens of nanoseconds, under which things change that others read without it:
/// a sequence lock.
///
/// It is one word, a version: odd while somebody holds the lock, another even number afterwards. Taking it is one
/// atomic exchange, giving it back one store. Who finds it taken spins a little, then lets other threads run, then
/// sleeps in between.
///
/// Whoever reads without the lock looks at the version before and after: only where both are the same even number did
/// nothing change meanwhile, and what was read counts. So readers write no memory that others use, wait for nobody, and
/// the processor overlaps their accesses. The thread sanitizer cannot follow this: built for it, `read` never
/// succeeds, and readers take the lock.
struct Lock: ~Copyable {
  private let version = Atomic<UInt64>(0)

  init() {}

  @inline(__always) func lock() { if !tryLock() { waitAndLock() } }

  /// Takes the lock unless somebody holds it; answers whether it was taken.
  @inline(__always) func tryLock() -> Bool {
    let seen = version.load(ordering: .relaxed)
    guard seen & 1 == 0,
      version.compareExchange(
        expected: seen, desired: seen &+ 1, successOrdering: .acquiring, failureOrdering: .relaxed
      ).exchanged
    else { return false }
    // The odd number is seen before any change that follows.
    #if !TSAN
      atomicMemoryFence(ordering: .releasing)
    #endif
    return true
  }

  @inline(__always) func unlock() {
    version.store(version.load(ordering: .relaxed) &+ 1, ordering: .releasing)
  }

  /// Takes the lock from others: some microseconds of spinning, then letting others run, then sleeping.
  @inline(never) private func waitAndLock() {
    var tries = 0
    while !tryLock() {
      tries += 1
      if tries < 128 {
        pause_processor()
      } else if tries < 160 {
        sched_yield()
      } else {
        usleep(50)
      }
    }
  }

  @inline(__always) func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    lock()
    defer { unlock() }
    return try body()
  }

  /// Runs a function that only reads, without the lock; nil where somebody held it meanwhile.
  ///
  /// The function may see any mixture of old and new values, so it must come to an end whatever it sees.
  @inline(__always) func read<R>(_ body: () -> R) -> R? {
    #if TSAN
      return nil
    #else
      let before = version.load(ordering: .acquiring)
      if before & 1 == 1 { return nil }
      let result = body()
      atomicMemoryFence(ordering: .acquiring)
      return version.load(ordering: .relaxed) == before ? result : nil
    #endif
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
