public import Credits
internal import Glibc
internal import Logging

/// The settings and the load of a store that is killed again and again.
public enum Profile: Int, Sendable, CaseIterable {
  /// The defaults.
  case usual
  /// Small frames, frequent checkpoints, and fewer accounts in memory than there are.
  case tight
  /// A short request window, and journal that goes when it is older than a tenth of a second.
  case retaining
  /// Frequent checkpoints, without sync: a killed process loses nothing of it either.
  case unsynced

  /// The number of accounts.
  public var accounts: Int {
    switch self {
    case .tight: 2_600
    default: 300
    }
  }

  /// The settings.
  public var settings: Settings {
    var settings = Settings()
    settings.mapSize = 1 << 30
    settings.logger = Logger(label: "crash", factory: { _ in SwiftLogNoOpLogHandler() })
    switch self {
    case .usual: break
    case .tight:
      settings.frameKibibytes = Profile.smallFrame
      settings.checkpointEntries = 1_024
      settings.residentAccounts = 1_024
    case .retaining:
      settings.windowRequests = 8_192
      settings.checkpointEntries = 1_024
      settings.retention = .age(.milliseconds(100))
    case .unsynced:
      settings.durability = .unsynced
      settings.checkpointEntries = 2_048
    }
    return settings
  }

  /// The least size of a frame.
  public static let smallFrame = 256
}

/// The wall clock.
public enum WallClock {
  /// The moment it shows.
  public static var now: Timestamp {
    var value = timespec()
    // Safe: the pointer is to a local value and does not outlive the call.
    unsafe clock_gettime(CLOCK_REALTIME, &value)
    return Timestamp(microseconds: Int64(value.tv_sec) * 1_000_000 + Int64(value.tv_nsec) / 1000)
  }
}
