/// A value behind a lock, for what is off the hot path; one that the thread sanitizer understands.
package final class Locked<Value>: @unchecked Sendable {
  // Safe to share: the value is used under the lock only.
  private let lock = Lock()
  private var value: Value

  package init(_ value: Value) { self.value = value }

  package func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
