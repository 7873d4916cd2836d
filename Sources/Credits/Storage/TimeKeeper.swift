internal import Synchronization

/// The store's time: that of its clock, but never earlier than before and never far ahead of what passed.
final class TimeKeeper: Sendable {
  private let clock: StoreClock
  private let limit: Int64
  private let latest: Atomic<Int64>

  init(clock: StoreClock, limit: Duration, latest: Timestamp) {
    self.clock = clock
    self.limit = limit.wholeMicroseconds
    self.latest = Atomic(latest.microseconds)
  }

  /// The time to decide at; throws where the clock is too far ahead of the latest time.
  @inline(__always) func now() throws(StoreError) -> Timestamp { try bounded(clock.now) }

  /// The time to show balances for; a few milliseconds old at most, and never ahead of what debits would use.
  @inline(__always) var approximate: Timestamp {
    let latest = latest.load(ordering: .relaxed)
    let time = clock.coarse.microseconds
    return Timestamp(microseconds: time < latest || time - latest > limit ? latest : time)
  }

  @inline(__always) private func bounded(_ time: Timestamp) throws(StoreError) -> Timestamp {
    let latest = latest.load(ordering: .relaxed)
    if time.microseconds < latest { return Timestamp(microseconds: latest) }
    if time.microseconds - latest > limit { throw .clockJumped(from: Timestamp(microseconds: latest), to: time) }
    return time
  }

  /// Makes a time that an entry carries, or that the clock has reached in small steps, the latest.
  func advance(to time: Timestamp) { latest.max(time.microseconds, ordering: .relaxed) }

  /// Takes the clock's time as it is, however far ahead.
  func accept() { advance(to: clock.now) }

  /// The latest time.
  var last: Timestamp { Timestamp(microseconds: latest.load(ordering: .relaxed)) }
}
