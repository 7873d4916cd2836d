internal import Synchronization

/// A value that only one thread at a time can reach.
///
/// It is a `Mutex` that the thread sanitizer understands: the futex of `Mutex` lies in a library without
/// instrumentation, so a build with `-DTSAN` tells the sanitizer of each acquisition and release itself.
struct Locked<Value: Sendable>: ~Copyable, Sendable {
  private let mutex: Mutex<Value>
  #if TSAN
    private let name = SanitizerName()
  #endif

  init(_ value: Value) {
    mutex = Mutex(value)
  }

  func withLock<Result: Sendable, E: Error>(
    _ body: (inout Value) throws(E) -> Result
  ) throws(E) -> Result {
    try mutex.withLock { (value: inout Value) throws(E) -> Result in
      #if TSAN
        name.acquire()
        defer { name.release() }
      #endif
      return try body(&value)
    }
  }
}

#if TSAN
  /// What the thread sanitizer knows a lock by: the address of an object that lives as long as the lock.
  private final class SanitizerName: Sendable {
    func acquire() {
      // The sanitizer uses the address as a name only.
      unsafe threadSanitizerAcquire(Unmanaged.passUnretained(self).toOpaque())
    }

    func release() {
      // As above.
      unsafe threadSanitizerRelease(Unmanaged.passUnretained(self).toOpaque())
    }
  }

  @_silgen_name("__tsan_acquire")
  private func threadSanitizerAcquire(_ address: UnsafeMutableRawPointer)

  @_silgen_name("__tsan_release")
  private func threadSanitizerRelease(_ address: UnsafeMutableRawPointer)
#endif
