internal import CreditsTesting
internal import Glibc

/// Runs simulated histories of a store, and makes those that fail shorter.
@main
struct Program {
  private static let usage = """
    simulate [--seed SEED] [--steps STEPS] [--length STEPS-OF-A-HISTORY] [--control NAME] [--shrink SECONDS]
    simulate replay HISTORY [--length STEPS] [--keep STEP,STEP-STEP,…] [--control NAME] [--shrink SECONDS]
    """

  private static let controls = Simulator.Control.allCases.map(\.rawValue).joined(separator: ", ")

  private static let help = """
    Runs simulated histories of a store and compares it with the reference ledger at every step.

    \(usage)

      --seed SEED       which histories; the same seed gives the same ones; a random one if left out
      --steps STEPS     how many steps in all (1000000)
      --length STEPS    how many steps a history has (10000)
      --control NAME    what is made wrong on purpose: \(controls)
      --shrink SECONDS  how long a history that fails is made shorter (60)
      --keep STEPS      which steps of a history to run, of those that it has

    Examples:
      simulate --seed 7 --steps 500000
          half a million steps, then the controls, which must be found
      simulate --seed 7 --control early
          one control alone, with the shortest history that shows it
      simulate replay 98438253856687
          one history once more; if it fails, it is made short
      simulate replay 98438253856687 --keep 12,40-43,97
          a part of it, step by step

    Exit codes:
      0  nothing is wrong, and each control was found; with --control: it was found
      1  a history fails or does not come to an end, or a control was not found
      2  the arguments are wrong
      130  it was interrupted: the history that ran was ended, and what was done is told
    A trap in the store ends the tool by its signal, after a line that names the history.
    """

  static func main() {
    var rest = CommandLine.arguments.dropFirst()
    if rest.contains("--help") || rest.contains("-h") {
      say(help)
      exit(0)
    }
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
      case "--shrink" where Int(value) ?? -1 >= 0: campaign.shrinking = .seconds(Int(value) ?? 0)
      case "--keep": kept = numbers(value)
      default: fail(usage)
      }
    }
    Current.reportTraps()
    Current.reportHistoriesWithoutEnd()
    if let history { exit(campaign.replay(history, kept) ? 0 : 1) }
    Current.watchForInterruption()
    exit(campaign.run().map { $0 ? 0 : 1 } ?? 130)
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
  say(text)
  exit(2)
}
