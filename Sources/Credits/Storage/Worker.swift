internal import Glibc

/// A thread of the store's own, for work that sleeps or takes long: committing, timing, verifying.
@safe final class Worker: @unchecked Sendable {
  // Safe to share: the handle is written once, before anybody else has the object, and read by `join` only.
  private var thread = pthread_t()

  /// Starts a thread that runs a function and ends; nil if the system gives no more threads.
  init?(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        // Safe: the box was retained for this thread alone.
        unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, box)
    guard code == 0 else {
      // Safe: the thread that it was retained for does not exist.
      unsafe Unmanaged<Box>.fromOpaque(box).release()
      return nil
    }
  }

  /// Waits until the function has returned. Call once.
  func join() { pthread_join(thread, nil) }

  /// Starts a thread that runs a function and ends, and that nobody waits for; false if the system gives no more.
  static func detached(_ body: @escaping @Sendable () -> Void) -> Bool {
    let worker = Worker(body)
    worker?.detach()
    return worker != nil
  }

  /// Runs a function on a thread of its own and suspends the caller meanwhile; where the system gives no more threads,
  /// on the caller's.
  static func run<R: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> R
  ) async throws(StoreError) -> R {
    let result: Result<R, StoreError> = await withCheckedContinuation { continuation in
      let work: @Sendable () -> Void = {
        continuation.resume(returning: Result { () throws(StoreError) -> R in try body() })
      }
      if !detached(work) { work() }
    }
    return try result.get()
  }

  private func detach() { pthread_detach(thread) }
}
