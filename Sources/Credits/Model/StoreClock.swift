internal import Glibc
internal import Synchronization

/// The source of a store's time: the system's wall clock, or a clock that a test moves by hand.
public struct StoreClock: Sendable {
  /// A clock that stands still until it is moved.
  public final class Manual: Sendable {
    private let microseconds: Atomic<Int64>

    /// Makes a clock that shows a moment.
    public init(_ time: Timestamp) { microseconds = Atomic(time.microseconds) }

    /// The moment that the clock shows; it may be set to any other, also an earlier one.
    public var now: Timestamp {
      get { Timestamp(microseconds: microseconds.load(ordering: .acquiring)) }
      set { microseconds.store(newValue.microseconds, ordering: .releasing) }
    }

    /// Moves the clock ahead, or back where the duration is negative.
    public func advance(by duration: Duration) { now = now + duration }
  }

  private let manual: Manual?

  /// The system's wall clock.
  public static let system = StoreClock(manual: nil)

  /// A clock that a test moves by hand; the store then applies what time does by itself on `CreditStore.tick()` and on
  /// touch only.
  public static func manual(_ clock: Manual) -> StoreClock { StoreClock(manual: clock) }

  /// Whether the clock is moved by hand.
  var isManual: Bool { manual != nil }

  /// The moment that the clock shows.
  @inline(__always) var now: Timestamp {
    if let manual { return manual.now }
    return StoreClock.read(CLOCK_REALTIME)
  }

  /// The moment that the clock showed at the last tick of the system's timer, at most a few milliseconds ago; cheaper.
  @inline(__always) var coarse: Timestamp {
    if let manual { return manual.now }
    return StoreClock.read(CLOCK_REALTIME_COARSE)
  }

  /// The time since some fixed moment, which no setting of the wall clock changes.
  static var monotonic: Duration { .microseconds(read(CLOCK_MONOTONIC).microseconds) }

  @inline(__always) private static func read(_ clock: clockid_t) -> Timestamp {
    var value = timespec()
    // Safe: the pointer is to a local value and does not outlive the call. The clocks named above always exist.
    unsafe clock_gettime(clock, &value)
    return Timestamp(microseconds: Int64(value.tv_sec) * 1_000_000 + Int64(value.tv_nsec) / 1000)
  }
}
