internal import CreditsTesting
internal import Glibc

/// Histories one after the other, and the controls, which must be found.
struct Campaign {
  var seed: UInt64?
  var steps = 1_000_000
  var length = 10_000
  var control: Simulator.Control?

  /// The most steps that a control may take until it is found.
  private static let mostOfControl = 400_000

  private var folder: String? { unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil }

  /// Runs; true if nothing is wrong, and the controls were found.
  func run() -> Bool {
    let seed = seed ?? UInt64.random(in: 0..<1_000_000_000)
    print("seed \(seed), \(steps) steps\(control.map { ", control \($0.rawValue)" } ?? "")")
    guard control == nil else { return campaign(control, seed, steps) != nil }
    if campaign(nil, seed, steps) != nil { return false }
    var isGood = true
    for control in Simulator.Control.allCases {
      guard let found = campaign(control, seed, Campaign.mostOfControl) else {
        print("control \(control.rawValue): NOT FOUND")
        isGood = false
        continue
      }
      print("control \(control.rawValue): found after \(found) steps, as it must be")
    }
    return isGood
  }

  /// Runs histories until one fails; answers after how many steps.
  private func campaign(_ control: Simulator.Control?, _ seed: UInt64, _ most: Int) -> Int? {
    let isControlOfRun = control != nil && self.control == nil
    let simulator = Simulator(in: folder, control: control)
    let bar = Bar(control.map { "control \($0.rawValue)" } ?? "simulating")
    let begin = ContinuousClock.now
    var counts = Simulator.Counts()
    var done = 0
    var seeds = SplitMix64(seed: seed)
    while done < most {
      let history = seeds.next() >> 16
      Current.note(history)
      let outcome = simulator.run(seed: history, steps: min(length, most - done))
      done += outcome.steps
      counts += outcome.counts
      bar.show(Double(done) / Double(most), "\(rate(done, begin)) steps a minute, history \(history)")
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
    print("\(done) steps, \(rate(done, begin)) a minute, nothing wrong:")
    print(
      """
        \(counts.requests) requests, \(counts.charges) charges, \(counts.commits) commits, \(counts.failures) of them \
      failed, \(counts.crashes) crashes, \(counts.reopenings) reopenings
        compared: \(counts.entries) entries, \(counts.comparisons) accounts, \(counts.explanations) explanations, \
      \(counts.errors) errors of stopped stores, \(counts.proofs) proofs
      """)
  }

  // MARK: Findings

  private func report(_ finding: Simulator.Finding, _ history: UInt64, _ simulator: Simulator, _ done: Int) {
    print("history \(history), step \(finding.step), after \(done) steps in all")
    print("\(finding.kind): \(finding.reason)")
    let bar = Bar("shrinking")
    let kept = simulator.shrink(seed: history, steps: length, finding) { left in
      bar.show(1 - Double(left) / Double(finding.step + 1), "\(left) steps are left")
    }
    bar.end()
    let (shortest, lines) = simulator.run(seed: history, steps: length, keeping: kept)
    print("the shortest history that fails like this has \(kept.count) steps:")
    for line in lines { print("  \(line)") }
    if let finding = shortest.finding { print("\(finding.kind): \(finding.reason)") }
    let other = control.map { " --control \($0.rawValue)" } ?? ""
    print("to replay it: simulate replay \(history) --length \(length) --keep \(ranges(kept))\(other)")
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
    let simulator = Simulator(in: folder, control: control)
    Current.note(history)
    var outcome: Simulator.History
    if let kept {
      let (found, lines) = simulator.run(seed: history, steps: length, keeping: kept)
      for line in lines { print("  \(line)") }
      outcome = found
    } else {
      outcome = simulator.run(seed: history, steps: length)
    }
    print("\(outcome.steps) steps, digest \(String(outcome.digest, radix: 16))")
    guard let finding = outcome.finding else {
      print("nothing is wrong")
      return true
    }
    if kept == nil {
      report(finding, history, simulator, outcome.steps)
    } else {
      print("step \(finding.step): \(finding.kind): \(finding.reason)")
    }
    return false
  }
}

/// A bar on the standard error stream, if that is a terminal.
final class Bar {
  private let title: String
  private let isShown = isatty(STDERR_FILENO) == 1
  private var drawn = ContinuousClock.now
  private var width = 0

  init(_ title: String) { self.title = title }

  /// Shows the part that is done, and a remark; ten times a second at most.
  func show(_ part: Double, _ remark: String) {
    guard isShown, drawn.duration(to: .now) > .milliseconds(100) else { return }
    drawn = .now
    let full = Int(min(1, max(0, part)) * 30)
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: 30 - full)
    draw("\(title)  [\(bar)] \(Int(part * 100))%  \(remark)")
  }

  /// Removes the bar.
  func end() { if width > 0 { draw("") } }

  private func draw(_ line: String) {
    let text = "\r" + line + String(repeating: " ", count: max(0, width - line.count)) + (line.isEmpty ? "\r" : "")
    width = line.count
    let bytes = Array(text.utf8)
    // Safe: the array outlives the call. A bar that cannot be drawn is no failure.
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}
