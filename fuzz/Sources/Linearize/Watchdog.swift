internal import Glibc

/// Ends the process, and says in which run, where a run stands still: callers that wait for each other are a mistake
/// that no history shows.
enum Watchdog {
  /// The seconds that 2,000 steps may take; they take a few as a rule.
  private static let most: UInt32 = 300

  // Safe: written while no alarm is set; the handler only reads it.
  nonisolated(unsafe) private static var text = unsafe strdup("")

  /// Begins to watch a run.
  static func begin(_ profile: Profile, _ seed: UInt64) {
    let seconds = most * UInt32(max(1, profile.steps / 2_000))
    unsafe free(text)
    unsafe text = strdup("\(profile.name) \(seed): no end after \(seconds) s; callers may wait for each other\n")
    signal(SIGALRM) { _ in
      if let text = unsafe Watchdog.text { _ = unsafe write(STDERR_FILENO, text, strlen(text)) }
      _exit(1)
    }
    alarm(seconds)
  }

  /// Ends the watch.
  static func end() { alarm(0) }
}
