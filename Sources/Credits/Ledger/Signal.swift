/// Tells whoever listens that something has changed; changes that come together are told once.
///
/// Listeners are told without the lock: to resume a task, the language locks the task, and whoever cancels that holds
/// this while it asks for ours.
final class Signal: Sendable {
  private struct State {
    var listeners: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var next: UInt64 = 0
    var isFinished = false
  }

  private let state = Locked(State())

  /// A sequence with an element after every change, until the store is closed.
  func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.next += 1
      state.listeners[state.next] = continuation
      if state.isFinished { continuation.finish() }
      return state.next
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
    }
    return stream
  }

  /// Tells all who listen.
  func send() {
    let all = state.withLock { $0.listeners }
    for listener in all.values { listener.yield() }
  }

  /// Ends all sequences.
  func finish() {
    let all = state.withLock { state in
      state.isFinished = true
      return Array(state.listeners.values)
    }
    for listener in all { listener.finish() }
  }
}
