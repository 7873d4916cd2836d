import Glibc
import Synchronization

/// Whether the user, or the system, has asked the program to end.
///
/// While it is watched for, ctrl-C ends nothing by itself; afterwards it does again. A pipe that nobody reads any more
/// is an error of writing then, so that what is to be cleaned up is.
enum Interruption {
  private static let flag = Atomic<Bool>(false)

  /// Whether an interruption has come since it was watched for.
  static var hasCome: Bool { flag.load(ordering: .acquiring) }

  /// Notes SIGINT, SIGTERM and SIGHUP from now on instead of dying of them.
  static func watch() {
    // Made before the handler may run: a handler must not initialise anything.
    flag.store(false, ordering: .releasing)
    _ = signal(SIGPIPE, SIG_IGN)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // The handler does nothing but store to an atomic.
      _ = signal(number) { _ in Interruption.flag.store(true, ordering: .releasing) }
    }
  }

  /// Lets signals end the program again.
  static func unwatch() {
    for number in [SIGINT, SIGTERM, SIGHUP] { _ = signal(number, SIG_DFL) }
  }
}
