public import Logging

/// How a store is opened: limits, durability and time.
///
/// Every limit is a bound that the store keeps: at it, callers wait or get a typed error, and nothing grows without
/// end.
public struct Settings: Sendable {
  /// Whether a store is created where there is none.
  public var creation: Creation = .ifMissing

  /// The most bytes that the store's file may grow to; the address space is reserved, not the disk. Default: 1 TiB.
  public var mapSize: Int = 1 << 40

  /// The most accounts that are kept in memory. Default: 1,000,000 (about 250 bytes each).
  public var residentAccounts: Int = 1_000_000

  /// The number of latest entries whose requests are remembered for duplicate detection, besides a few more that come
  /// and go with commits. Default: 2,000,000 (about 18 bytes each).
  public var windowRequests: Int = 2_000_000

  /// How long a request is remembered for duplicate detection, unless `windowRequests` is reached. Default: 24 hours.
  public var windowAge: Duration = .seconds(86_400)

  /// The most bytes of entries in one commit, in KiB, at least 256. Default: 8,192, about 104,000 debits.
  public var frameKibibytes: Int = 8_192

  /// The most callers that wait for room in a frame; more get `StoreError.overloaded`. Default: 100,000.
  public var waitingCallers: Int = 100_000

  /// The number of entries in which the checkpoint sweep passes all accounts once; a reopening after a crash replays up
  /// to twice as many. Default: 16,000,000.
  public var checkpointEntries: Int = 16_000_000

  /// How much journal is kept. Default: all.
  public var retention: Retention = .all

  /// What a commit waits for. Default: the disk.
  public var durability: Durability = .synced

  /// The farthest that the wall clock may jump ahead of the time that passed, while the store is open. Default: 1 hour.
  public var clockJump: Duration = .seconds(3_600)

  /// Where the time comes from.
  public var clock: StoreClock = .system

  /// Where the store reports what it does.
  public var logger: Logger = Logger(label: "credits")

  /// Set where a simulation stands in for the store's threads.
  package var simulation: Simulation?

  /// Makes the default settings.
  public init() {}

  /// Whether a store is created where there is none.
  public enum Creation: Sendable {
    /// Open the store, or create it.
    case ifMissing
    /// Open the store; its absence is an error.
    case never
  }

  /// How much journal is kept.
  public enum Retention: Hashable, Sendable {
    /// All of it.
    case all
    /// Entries that are younger than an age, and those that the request window or the checkpoint still need.
    case age(Duration)
  }

  /// What a commit waits for.
  public enum Durability: Hashable, Sendable {
    /// The disk has the data: an acknowledged outcome survives a power cut.
    case synced
    /// The operating system has the data: an acknowledged outcome survives the death of the process, but a power cut
    /// may destroy the store. For tests, bulk loads and measurements.
    case unsynced
  }

  /// The most requests that can be in the window at once: its end moves by parts of it, and with commits only.
  var rememberedRequests: Int { windowRequests + windowRequests / 32 + 3 * frameKibibytes * 1024 / Entry.size }

  /// The first setting that is out of range, in words.
  var complaint: String? {
    if mapSize < 1 << 20 { return "mapSize is \(mapSize) bytes; the least is 1 MiB" }
    if residentAccounts < 1_024 { return "residentAccounts is \(residentAccounts); the least is 1,024" }
    if residentAccounts > 1 << 30 { return "residentAccounts is \(residentAccounts); the most is 1,073,741,824" }
    if windowRequests < 1_024 { return "windowRequests is \(windowRequests); the least is 1,024" }
    if windowRequests > 1 << 30 { return "windowRequests is \(windowRequests); the most is 1,073,741,824" }
    if windowAge <= .zero { return "windowAge is \(windowAge); it must be above zero" }
    if !(256...1_048_576).contains(frameKibibytes) {
      return "frameKibibytes is \(frameKibibytes); it must be from 256 to 1,048,576"
    }
    if waitingCallers < 1 { return "waitingCallers is \(waitingCallers); the least is 1" }
    if checkpointEntries < 1_024 { return "checkpointEntries is \(checkpointEntries); the least is 1,024" }
    if case .age(let age) = retention, age <= .zero { return "the retention age is \(age); it must be above zero" }
    if clockJump <= .zero { return "clockJump is \(clockJump); it must be above zero" }
    return nil
  }
}
