internal import Glibc
internal import Synchronization

/// A lock whose holders change things that others read without it: a sequence lock.
///
/// A version is odd while somebody holds the lock, and another one afterwards. Whoever reads without the lock looks at
/// it before and after: only where both are the same even number did nothing change meanwhile, and what was read
/// counts. So readers write no memory that others use, wait for nobody, and the processor overlaps their accesses.
///
/// The version lies beside the mutex, on a cache line of their own, which the holder has anyway. The thread sanitizer
/// cannot follow this: built for it, `read` never succeeds, and readers take the lock.
@safe struct SequenceLock: @unchecked Sendable {
  // Safe to share: the mutex is safe by itself, the version is atomic and written under the mutex only.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let version: UnsafeMutablePointer<Atomic<UInt64>>

  init() {
    let memory = unsafe Lock.makeMutex()
    unsafe mutex = memory.bindMemory(to: pthread_mutex_t.self, capacity: 1)
    unsafe version = (memory + Lock.spare).bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe version.initialize(to: Atomic(0))
  }

  /// Gives the lock's memory back; it must not be held or used again.
  func destroy() {
    unsafe pthread_mutex_destroy(mutex)
    unsafe free(mutex)
  }

  @inline(__always) func lock() {
    unsafe pthread_mutex_lock(mutex)
    let number = unsafe version.pointee.load(ordering: .relaxed)
    unsafe version.pointee.store(number &+ 1, ordering: .relaxed)
    // The odd number is seen before any change that follows.
    #if !TSAN
      atomicMemoryFence(ordering: .releasing)
    #endif
  }

  @inline(__always) func unlock() {
    let number = unsafe version.pointee.load(ordering: .relaxed)
    unsafe version.pointee.store(number &+ 1, ordering: .releasing)
    unsafe pthread_mutex_unlock(mutex)
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
      let before = unsafe version.pointee.load(ordering: .acquiring)
      if before & 1 == 1 { return nil }
      let result = body()
      atomicMemoryFence(ordering: .acquiring)
      return unsafe version.pointee.load(ordering: .relaxed) == before ? result : nil
    #endif
  }
}
