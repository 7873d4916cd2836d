internal import CreditsTesting
internal import Glibc

/// Runs simulated histories of a store, and makes those that fail shorter.
@main
struct Program {
  private static let usage = """
    simulate [--seed SEED] [--steps STEPS] [--length STEPS-OF-A-HISTORY] [--control NAME]
    simulate replay HISTORY [--length STEPS] [--keep STEP,STEP-STEP,…] [--control NAME]
    """

  static func main() {
    var rest = CommandLine.arguments.dropFirst()
    var history: UInt64?
    if rest.first == "replay" {
      rest = rest.dropFirst()
      history = rest.popFirst().flatMap { UInt64($0) }
      if history == nil { fail(usage) }
    }
    var campaign = Campaign()
    var kept: [Int]?
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { fail(usage) }
      switch option {
      case "--seed" where UInt64(value) != nil: campaign.seed = UInt64(value)
      case "--steps" where Int(value) ?? 0 > 0: campaign.steps = Int(value) ?? 0
      case "--length" where Int(value) ?? 0 > 0: campaign.length = Int(value) ?? 0
      case "--control" where Simulator.Control(rawValue: value) != nil:
        campaign.control = Simulator.Control(rawValue: value)
      case "--keep": kept = numbers(value)
      default: fail(usage)
      }
    }
    Current.reportTraps()
    if let history { exit(campaign.replay(history, kept) ? 0 : 1) }
    exit(campaign.run() ? 0 : 1)
  }

  private static func numbers(_ text: String) -> [Int] {
    text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { fail(usage) }
      return Array(first...last)
    }
  }
}

/// Says what is wrong with the arguments, and ends.
func fail(_ text: String) -> Never {
  print(text)
  exit(2)
}

/// The history that runs now, for the case that the process ends in the middle of it.
enum Current {
  // Safe: one thread writes it; a handler of a signal reads it on that thread.
  nonisolated(unsafe) private static var text: UnsafeMutablePointer<CChar>?

  static func note(_ seed: UInt64) {
    unsafe free(text)
    unsafe text = unsafe strdup("the process ended in history \(seed)\n")
  }

  static func reportTraps() {
    for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] {
      signal(number) { number in
        // Safe: nothing is called that a handler of a signal must not call.
        if let text = unsafe Current.text { _ = unsafe write(STDERR_FILENO, text, strlen(text)) }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
