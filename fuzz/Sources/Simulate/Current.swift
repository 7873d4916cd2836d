internal import Glibc

/// The history that runs now, for the case that the process ends in the middle of it, or that it does not end.
enum Current {
  /// The tool as it is called.
  static let program = "fuzz/.build/release/simulate"

  /// The seconds of processor time that a history of 10,000 steps may take; one takes half a second as a rule.
  private static let mostSeconds = 60

  // Safe: one thread writes them; a handler of a signal reads them on that thread.
  nonisolated(unsafe) private static var text: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var step = 0
  nonisolated(unsafe) private static var seconds = 0
  nonisolated(unsafe) private static var limit = mostSeconds
  nonisolated(unsafe) private static var interrupted = false

  /// Notes which history runs.
  static func note(_ seed: UInt64, _ length: Int) {
    unsafe free(text)
    unsafe text = unsafe strdup(" of history \(seed); to repeat it: \(program) replay \(seed) --length \(length)\n")
    unsafe limit = mostSeconds * max(1, length / 10_000)
  }

  /// Notes how far it has come; another one, or a part of it, begins with step 0.
  static func come(to step: Int) {
    unsafe self.step = step
    if step == 0 { unsafe seconds = 0 }
  }

  /// Whether somebody has asked the process to end.
  static var isInterrupted: Bool { unsafe interrupted }

  /// Lets the first ctrl-C wait for the end of the history, so that what was done can be told; the next ends at once.
  static func watchForInterruption() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        unsafe Current.interrupted = true
        signal(number, SIG_DFL)
      }
    }
  }

  /// Ends the process when a history has taken too much time of the processor, and says which.
  static func reportHistoriesWithoutEnd() {
    signal(SIGPROF) { _ in
      unsafe Current.seconds += 1
      guard unsafe Current.seconds > Current.limit else { return }
      Current.tell("no end: the time is up at step ", unsafe Current.step)
      _exit(1)
    }
    var second = itimerval(it_interval: timeval(tv_sec: 1, tv_usec: 0), it_value: timeval(tv_sec: 1, tv_usec: 0))
    // Safe: the system reads the value before the call returns.
    _ = unsafe setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &second, nil)
  }

  /// Says in which history the process ended, where it ends by a trap.
  static func reportTraps() {
    for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] {
      signal(number) { number in
        Current.tell("the process ended at step ", unsafe Current.step)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  /// Writes a text, a number, and which history it is. Calls nothing that a handler of a signal must not call.
  private static func tell(_ what: StaticString, _ number: Int) {
    // Safe: the texts outlive the calls; a handler has the thread to itself.
    _ = unsafe write(STDERR_FILENO, what.utf8Start, what.utf8CodeUnitCount)
    var unit = 1
    while unit <= number / 10 { unit *= 10 }
    while unit > 0 {
      var digit = UInt8(ascii: "0") + UInt8(number / unit % 10)
      _ = unsafe write(STDERR_FILENO, &digit, 1)
      unit /= 10
    }
    if let text = unsafe text { _ = unsafe write(STDERR_FILENO, text, strlen(text)) }
  }
}
