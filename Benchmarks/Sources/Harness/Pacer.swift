internal import Foundation
internal import Glibc
internal import Synchronization

/// Lets callers start their calls when they are due, by a thread that sleeps from one moment to the next.
///
/// Calls that are late already start at once; callers that are early wait in line.
package final class Pacer: Sendable {
  private typealias Waiting = (call: Int, continuation: CheckedContinuation<Void, Never>)

  private struct State {
    var next = 0
    /// The last call that may start.
    var due = -1
    var line: [Waiting] = []
    var head = 0
    var isOver = false
  }

  /// How late callers were released that had waited in line: what the harness adds to their latency.
  package let lateness = Latencies()
  private let schedule: Schedule
  private let calls: Int
  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Starts the thread for some calls.
  package init(_ schedule: Schedule, calls: Int) {
    self.schedule = schedule
    self.calls = calls
    Thread.detachNewThread { [self] in pace() }
  }

  /// The number of the next call, once it is due; nil after the last.
  package func next() async -> Int? {
    let (call, isDue) = state.withLock { state in
      defer { state.next += 1 }
      return (state.next, state.next <= state.due)
    }
    guard call < calls else { return nil }
    if !isDue, schedule.instant(of: call) > .now {
      await withCheckedContinuation { continuation in
        let goesOn = state.withLock { state in
          if call <= state.due || state.isOver { return true }
          state.line.append((call, continuation))
          return false
        }
        if goesOn { continuation.resume() }
      }
    }
    return call
  }

  /// Ends the thread, and waits for its end; whoever is still in line goes on.
  package func end() {
    state.withLock { $0.isOver = true }
    ended.wait()
  }

  private func pace() {
    // The kernel otherwise adds up to 50 microseconds to every sleep of a thread.
    if let thread = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self").split(
      separator: "/"
    ).last {
      try? Data("1".utf8).write(to: URL(fileURLWithPath: "/proc/\(thread)/timerslack_ns"))
    }
    var due = -1
    var late: [Int64] = []
    while true {
      let elapsed = (ContinuousClock.now - schedule.start).seconds
      due = max(due, Int((elapsed * schedule.rate).rounded(.down)))
      if elapsed < 0 { due = -1 }
      let (released, isOver) = release(until: due)
      for (call, continuation) in released {
        late.append((.now - schedule.instant(of: call)).nanoseconds)
        continuation.resume()
      }
      if late.count > 65_536 || isOver {
        lateness.record(late)
        late.removeAll(keepingCapacity: true)
      }
      if isOver {
        ended.signal()
        return
      }
      let wait = schedule.instant(of: due + 1) - .now
      // Sleeping for less than this costs more than it gives.
      usleep(UInt32(min(max(wait.seconds * 1e6, 20), 10_000)))
    }
  }

  /// Takes those from the line whose calls are due.
  private func release(until due: Int) -> (released: [Waiting], isOver: Bool) {
    state.withLock { state in
      state.due = due
      var released: [Waiting] = []
      while state.head < state.line.count, state.line[state.head].call <= due || state.isOver {
        released.append(state.line[state.head])
        state.head += 1
      }
      if state.head > 4_096 || state.head == state.line.count {
        state.line.removeFirst(state.head)
        state.head = 0
      }
      return (released, state.isOver)
    }
  }
}
