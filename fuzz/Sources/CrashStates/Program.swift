internal import Credits
internal import FaultSupport
internal import Glibc

/// Enumerates what a power cut could leave of a store, and examines it.
@main
struct Program {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "steps": await Run.steps(Array(arguments.dropFirst()))
    case "check": await check(Array(arguments.dropFirst()))
    case "replay": await replay(Array(arguments.dropFirst()))
    case "power-cut": await PowerCut.main(Array(arguments.dropFirst()))
    default: exit(Campaign(arguments).run() ? 0 : 1)
    }
  }

  /// A worker: `check RUN FOLDER early|sound SHARD SHARDS LEAST SECONDS RESULT [BOUNDARY CUT]`.
  private static func check(_ arguments: [String]) async {
    let numbers = arguments.dropFirst(3).map { Int($0) ?? 0 }
    guard arguments.count >= 8, let run = Run(arguments[0], in: arguments[1]) else { fail("check: bad arguments") }
    var checker = Checker(run, isEarly: arguments[2] == "early", least: numbers[2])
    let skipped = numbers.count >= 7 ? Checker.State(boundary: numbers[5], cut: numbers[6]) : nil
    let result = arguments[7]
    // Safe: a path is a terminated string, and the array outlives the call.
    let current = unsafe open(result + ".current", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    let report = await checker.check(
      shard: numbers[0], of: numbers[1], after: skipped, until: seconds + Double(numbers[3])
    ) { (state, number) in
      let bytes = Array("\(state) \(number)          ".utf8.prefix(32))
      // Safe: as above.
      _ = unsafe pwrite(current, bytes, bytes.count, 0)
    }
    let lines = ["\(report.states) \(report.boundaries)"] + report.findings
    Folders.write(Array(lines.joined(separator: "\n").utf8), to: result)
    Folders.remove(checker.scratch)
  }

  /// `replay RUN FOLDER BOUNDARY/CUT [LEAST] [early]`.
  private static func replay(_ arguments: [String]) async {
    let numbers = arguments.count > 2 ? arguments[2].split(separator: "/").compactMap { Int($0) } : []
    guard numbers.count == 2, let run = Run(arguments[0], in: arguments[1]) else {
      fail("replay RUN FOLDER BOUNDARY/CUT [LEAST] [early]")
    }
    let least = arguments.count > 3 ? Int(arguments[3]) ?? Campaign.usualLeast : Campaign.usualLeast
    var checker = Checker(run, isEarly: arguments.contains("early"), least: least)
    let finding = await checker.replay(Checker.State(boundary: numbers[0], cut: numbers[1]))
    Folders.remove(checker.scratch)
    say(finding ?? "nothing is wrong with this state")
    say("its files are in \(run.folder)/state")
    exit(finding == nil ? 0 : 1)
  }
}
