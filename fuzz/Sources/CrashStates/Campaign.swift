internal import FaultSupport
internal import Glibc

/// All runs, one after the other, and the controls, which must be caught.
struct Campaign {
  /// The least number of states at a boundary that has so many.
  static let usualLeast = 120

  private var names: [String] = []
  private var time = 600.0
  private var least = Campaign.usualLeast
  private var workers = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  private var findings = "findings"

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { fail(Campaign.usage) }
      switch option {
      case "--run": names.append(value)
      case "--seconds": time = Double(value) ?? time
      case "--states": least = Int(value) ?? least
      case "--workers": workers = Int(value) ?? workers
      case "--findings": findings = value
      default: fail(Campaign.usage)
      }
    }
  }

  private static let usage = """
    crash-states [--run NAME]… [--seconds TIME] [--states AT-EACH-BOUNDARY] [--workers COUNT] [--findings FOLDER]
    crash-states replay NAME FOLDER BOUNDARY/CUT [STATES] [early]
    crash-states power-cut [ROUNDS]
    """

  /// Runs; true if nothing is wrong and the controls were caught.
  func run() -> Bool {
    let folder = Folders.temporary("crash")
    defer { Folders.remove(folder) }
    Folders.shareTemporary(folder)
    let begin = seconds
    var total = (states: 0, boundaries: 0, findings: 0)
    var isGood = true
    let all =
      names.isEmpty
      ? Scenario.sound.map(\.name) + ["killed", "cut"] : names.filter { $0 != "unsynced" && $0 != "early" }
    for (index, name) in all.enumerated() {
      // What is left of the time, in equal parts.
      let share = (time - (seconds - begin)) / Double(all.count - index)
      let outcome = ["killed", "cut"].contains(name) ? killed(name, in: folder, share) : one(name, in: folder, share)
      print(name, outcome)
      total = (
        total.states + outcome.states, total.boundaries + outcome.boundaries, total.findings + outcome.findings.count
      )
      if !outcome.findings.isEmpty { isGood = false }
    }
    if !all.isEmpty {
      say("\(total.states) states at \(total.boundaries) boundaries, \(total.findings) bad, \(Int(seconds - begin)) s")
    }
    for control in ["unsynced", "early"] where names.isEmpty || names.contains(control) {
      let name = control == "early" ? "commits" : control
      let outcome = one(name, in: folder, max(10, min(time / 10, 60)), isEarly: control == "early", keeps: false)
      say("control \(control): \(outcome.states) states, \(outcome.findings.count) bad, as it must be")
      if let first = outcome.findings.first { say("  such as \(first)") }
      if outcome.findings.isEmpty {
        say("  THE CONTROL WAS NOT CAUGHT")
        isGood = false
      }
    }
    return isGood
  }

  private func print(_ name: String, _ outcome: Checker.Report) {
    say("\(name): \(outcome.states) states at \(outcome.boundaries) boundaries, \(outcome.findings.count) bad")
    for finding in outcome.findings.prefix(10) { say("  \(finding)") }
  }

  /// Kills the first process at every write, or before every sync, in turn, and lets another one repeat all of it.
  private func killed(_ name: String, in folder: String, _ share: Double) -> Checker.Report {
    var whole = Checker.Report()
    let end = seconds + share
    var places = 0
    // In an order that spreads, so that whatever time allows is a fair part; a scenario has fewer places than 61.
    for number in (1...60).map({ $0 * 23 % 61 }) where seconds < end {
      guard let run = Run("\(name)-\(number)", in: folder + "/\(name)-\(number)") else { break }
      defer { Folders.remove(run.folder) }
      guard run.record() else { continue }
      // There are many such runs, so that each takes few states.
      add(check(run, end - seconds, max(1, least / 40), isEarly: false, keeps: true), to: &whole)
      places += 1
    }
    say("\(name): \(places) places")
    return whole
  }

  private func one(
    _ name: String, in folder: String, _ share: Double, isEarly: Bool = false, keeps: Bool = true
  ) -> Checker.Report {
    guard let run = Run(name, in: folder + "/" + name) else { fail("there is no run \(name)") }
    guard run.record() else { fail("\(name) was to be killed and came to its end") }
    defer { Folders.remove(run.folder) }
    return check(run, share, least, isEarly: isEarly, keeps: keeps)
  }

  private func add(_ report: Checker.Report, to whole: inout Checker.Report) {
    whole.states += report.states
    whole.boundaries += report.boundaries
    whole.findings += report.findings
  }

  /// Examines a run's states in several processes.
  private func check(
    _ run: Run, _ share: Double, _ least: Int, isEarly: Bool, keeps: Bool
  ) -> Checker.Report {
    let end = seconds + share
    func start(_ shard: Int, _ skipped: [String] = []) -> Child {
      let left = max(1, Int(end - seconds))
      return Child(
        [
          "check", run.name, run.folder, isEarly ? "early" : "sound", "\(shard)", "\(workers)", "\(least)", "\(left)",
          result(shard),
        ] + skipped)
    }
    func result(_ shard: Int) -> String { "\(run.folder)/result-\(shard)" }
    var whole = Checker.Report()
    var children = (0..<workers).map { start($0) }
    for shard in 0..<workers {
      while true {
        let ended = children[shard].wait()
        if ended == .exited(0) { break }
        // A trap or a hang: the state is the last one that was begun; the next one takes over after it.
        let text = String(decoding: Folders.read(result(shard) + ".current"), as: UTF8.self)
        let words = text.split(separator: " ")
        let state = (words.first ?? "").split(separator: "/").map(String.init)
        whole.findings.append("\(run.name) \(state.joined(separator: "/")): \(ended)")
        whole.states += words.count > 1 ? Int(words[1]) ?? 0 : 0
        guard state.count == 2, whole.findings.count < 20 else { break }
        children[shard] = start(shard, state)
      }
      let lines = String(decoding: Folders.read(result(shard)), as: UTF8.self).split(separator: "\n").map(String.init)
      let numbers = (lines.first ?? "").split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 2 else { continue }
      add(
        Checker.Report(states: numbers[0], boundaries: numbers[1], findings: Array(lines.dropFirst())), to: &whole)
    }
    if keeps, !whole.findings.isEmpty { keep(run, whole.findings, least) }
    return whole
  }

  /// Keeps a run in which something was found, for `replay`.
  private func keep(_ run: Run, _ found: [String], _ least: Int) {
    let place = "\(findings)/\(run.name)"
    for path in [findings, place, place + "/base"] { Folders.make(path) }
    for name in ["recording", "marks"] {
      Folders.write(Folders.read("\(run.folder)/\(name)"), to: "\(place)/\(name)")
    }
    for name in Folders.names(in: run.folder + "/base") {
      Folders.make("\(place)/base/\(name)")
      for file in Folders.names(in: "\(run.folder)/base/\(name)") {
        Folders.write(Folders.read("\(run.folder)/base/\(name)/\(file)"), to: "\(place)/base/\(name)/\(file)")
      }
    }
    Folders.write(Array((found.joined(separator: "\n") + "\n").utf8), to: place + "/findings")
    say("  kept in \(place); replay with: crash-states replay \(run.name) \(place) BOUNDARY/CUT \(least)")
  }
}
