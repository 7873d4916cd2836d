internal import CreditsTesting
internal import Glibc

/// Histories one after the other, and the controls, which must be found.
struct Campaign {
  var seed: UInt64?
  var steps = 1_000_000
  var length = 10_000
  var control: Simulator.Control?
  /// How long a history that fails is made shorter.
  var shrinking = Duration.seconds(60)

  /// The most steps that a control may take until it is found.
  private static let mostOfControl = 400_000
  /// The most steps of a history that are printed unasked.
  private static let mostLines = 100

  private func simulator(_ control: Simulator.Control?) -> Simulator {
    let folder = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil
    return Simulator(in: folder, control: control) { step in Current.come(to: step) }
  }

  /// Runs; true if nothing is wrong, and the controls were found; nil if it was interrupted before it knew.
  func run() -> Bool? {
    let seed = seed ?? UInt64.random(in: 0..<1_000_000_000)
    say("seed \(seed), \(steps) steps\(control.map { ", control \($0.rawValue)" } ?? "")")
    guard control == nil else {
      if campaign(control, seed, steps) != nil { return true }
      return Current.isInterrupted ? nil : false
    }
    if campaign(nil, seed, steps) != nil { return false }
    var isGood = true
    for control in Simulator.Control.allCases {
      guard let found = campaign(control, seed, Campaign.mostOfControl) else {
        if Current.isInterrupted { return nil }
        say("control \(control.rawValue): NOT FOUND")
        isGood = false
        continue
      }
      say("control \(control.rawValue): found after \(found) steps, as it must be")
    }
    return isGood
  }

  /// Runs histories until one fails; answers after how many steps.
  private func campaign(_ control: Simulator.Control?, _ seed: UInt64, _ most: Int) -> Int? {
    let isControlOfRun = control != nil && self.control == nil
    let simulator = simulator(control)
    let bar = Bar(control.map { "control \($0.rawValue)" } ?? "simulating")
    let begin = ContinuousClock.now
    var counts = Simulator.Counts()
    var done = 0
    var seeds = SplitMix64(seed: seed)
    while done < most, !Current.isInterrupted {
      let history = seeds.next() >> 16
      Current.note(history, length)
      bar.show(Double(done) / Double(most), "\(rate(done, begin)) steps a minute, history \(history)")
      let outcome = simulator.run(seed: history, steps: min(length, most - done))
      done += outcome.steps
      counts += outcome.counts
      guard let finding = outcome.finding else { continue }
      bar.end()
      if !isControlOfRun { report(finding, history, simulator, done) }
      return done
    }
    bar.end()
    if control == nil { summarize(counts, done, begin) }
    return nil
  }

  private func rate(_ steps: Int, _ begin: ContinuousClock.Instant) -> Int {
    Int(Double(steps) * 60 / max(0.001, begin.duration(to: .now) / .seconds(1)))
  }

  private func summarize(_ counts: Simulator.Counts, _ done: Int, _ begin: ContinuousClock.Instant) {
    say("\(done) steps, \(rate(done, begin)) a minute, nothing wrong:")
    say(
      """
        \(counts.requests) requests, \(counts.charges) charges, \(counts.commits) commits, \(counts.failures) of them \
      failed, \(counts.crashes) crashes, \(counts.reopenings) reopenings
        compared: \(counts.entries) entries, \(counts.comparisons) accounts, \(counts.explanations) explanations, \
      \(counts.errors) errors of stopped stores, \(counts.proofs) proofs
      """)
  }

  // MARK: Findings

  private func report(_ finding: Simulator.Finding, _ history: UInt64, _ simulator: Simulator, _ done: Int) {
    say("history \(history), step \(finding.step), after \(done) steps in all")
    say("\(finding.kind): \(finding.reason)")
    say("making it shorter, for \(shrinking) at most")
    let bar = Bar("shrinking")
    let shortest = simulator.shrink(seed: history, steps: length, finding, within: shrinking) { left, tries in
      bar.show(1 - Double(left) / Double(finding.step + 1), "\(left) steps are left, \(tries) tries")
    }
    bar.end()
    let kept = shortest.kept
    let (again, lines) = simulator.run(seed: history, steps: length, keeping: kept)
    if !shortest.isMinimal { say("shrinking was stopped after \(shrinking); --shrink SECONDS gives it more time") }
    let remark = shortest.isMinimal ? ", none of which can be left out," : ""
    say("a history of \(kept.count) steps\(remark) fails like this:")
    let most = Campaign.mostLines
    for line in lines.prefix(most / 2) { say("  \(line)") }
    if lines.count > most { say("  … and \(lines.count - most) more; --keep shows them all …") }
    for line in lines.dropFirst(most / 2).suffix(most / 2) { say("  \(line)") }
    if let finding = again.finding { say("\(finding.kind): \(finding.reason)") }
    let other = control.map { " --control \($0.rawValue)" } ?? ""
    say("to replay it: \(Current.program) replay \(history) --length \(length) --keep \(ranges(kept))\(other)")
  }

  private func ranges(_ numbers: [Int]) -> String {
    var parts: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = parts.last, last.upperBound + 1 == number {
        parts[parts.count - 1] = last.lowerBound...number
      } else {
        parts.append(number...number)
      }
    }
    return parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }

  /// Runs a history, or a part of one, again; true if nothing is wrong.
  func replay(_ history: UInt64, _ kept: [Int]?) -> Bool {
    let simulator = simulator(control)
    Current.note(history, length)
    var outcome: Simulator.History
    if let kept {
      let (found, lines) = simulator.run(seed: history, steps: length, keeping: kept)
      for line in lines { say("  \(line)") }
      outcome = found
    } else {
      outcome = simulator.run(seed: history, steps: length)
    }
    say("\(outcome.steps) steps, digest \(String(outcome.digest, radix: 16))")
    guard let finding = outcome.finding else {
      say("nothing is wrong")
      return true
    }
    if kept == nil {
      report(finding, history, simulator, outcome.steps)
    } else {
      say("step \(finding.step): \(finding.kind): \(finding.reason)")
    }
    return false
  }
}

/// Prints a line at once.
func say(_ text: String) {
  print(text)
  fflush(nil)
}
