internal import FaultSupport
internal import Glibc

/// Every fault of every scenario, and every place at which a process can be killed.
struct Campaign {
  private var names: [String] = []
  private var time = 900.0
  private var workers = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  private var one: String?
  private let folder = Folders.temporary("faults")

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { fail(Campaign.usage) }
      switch option {
      case "--scenario": names.append(value)
      case "--seconds": time = Double(value) ?? time
      case "--workers": workers = Int(value) ?? workers
      case "--fault": one = value
      default: fail(Campaign.usage)
      }
    }
  }

  private static let usage = """
    faults [--scenario NAME]… [--seconds TIME] [--workers COUNT]
    faults --scenario NAME --fault CLASS:NUMBER:ERROR:MODE
    faults surroundings
    """

  private struct Tally {
    var points = 0
    var struck = 0
    var findings: [String] = []
  }

  /// Runs; true if nothing is wrong.
  func run() async -> Bool {
    defer { Folders.remove(folder) }
    Folders.shareTemporary(folder)
    if let one, let name = names.first {
      return Child(["work", name, folder + "/result", "one", one], isShimmed: true).wait() == .exited(0)
    }
    let begin = seconds
    var total = Tally()
    let all = names.isEmpty ? Scenario.sound.map(\.name) + ["killing"] : names
    for (index, name) in all.enumerated() {
      let share = (time - (seconds - begin)) / Double(all.count - index)
      let tally = name == "killing" ? killing(share) : injected(name, share)
      let what = name == "killing" ? "places to be killed at" : "faults"
      say("\(name): \(tally.points) \(what), \(tally.struck) struck, \(tally.findings.count) bad")
      for finding in tally.findings.prefix(12) { say("  \(finding)") }
      total.points += tally.points
      total.struck += tally.struck
      total.findings += tally.findings
    }
    say(
      "\(total.points) faults, \(total.struck) struck, \(total.findings.count) bad, \(Int(seconds - begin)) s")
    return total.findings.isEmpty
  }

  /// All faults of a scenario, thinned out evenly where time is short.
  private func injected(_ name: String, _ share: Double) -> Tally {
    let end = seconds + share
    let counts = folder + "/counts"
    guard Child(["work", name, counts, "count"], isShimmed: true).wait() == .exited(0) else {
      fail("\(name) fails without a fault")
    }
    var faults: [Fault] = []
    for line in String(decoding: Folders.read(counts), as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ")
      guard let kind = Shim.Class.allCases.first(where: { "\($0)" == parts[0] }), let count = Int(parts[1]), count > 0
      else { continue }
      for number in 1...count {
        for way in Fault.ways(kind) { faults.append(Fault(kind, number, way.error, way.mode)) }
      }
    }
    // In an order that spreads classes and numbers, so that whatever time allows is a fair part.
    var tally = Tally()
    var step = faults.count * 61 / 100 | 1
    while !Campaign.areCoprime(step, faults.count) { step += 2 }
    let order = faults.indices.map { faults[$0 * step % faults.count] }
    let shards = (0..<workers).map { shard in order.indices.filter { $0 % workers == shard }.map { order[$0] } }
    var children: [(child: Child, shard: Int)] = []
    for shard in 0..<workers { children.append((start(name, shard, shards[shard], at: 0), shard)) }
    for (first, shard) in children {
      var child = first
      while true {
        guard let ended = wait(for: child, until: end) else { break }
        if ended == .exited(0) { break }
        // A trap or a hang ends the worker: the next one goes on after the fault.
        let text = String(decoding: Folders.read(result(name, shard) + ".current"), as: UTF8.self)
        let place = Int(text) ?? 0
        tally.findings.append("\(name) \(shards[shard][place]): \(ended)")
        tally.points += 1
        guard tally.findings.count < 60 else { break }
        child = start(name, shard, shards[shard], at: place + 1)
      }
      let lines = String(decoding: Folders.read(result(name, shard)), as: UTF8.self).split(separator: "\n")
      tally.points += lines.count
      tally.struck += lines.count { $0 != "missed" }
      tally.findings += lines.filter { $0.hasPrefix("finding ") }.map { String($0.dropFirst(8)) }
    }
    say("  \(name) has \(faults.count) faults in all")
    return tally
  }

  private static func areCoprime(_ left: Int, _ right: Int) -> Bool {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left == 1
  }

  private func result(_ name: String, _ shard: Int) -> String { "\(folder)/\(name)-\(shard)" }

  private func start(_ name: String, _ shard: Int, _ faults: [Fault], at place: Int) -> Child {
    let list = result(name, shard) + ".faults"
    Folders.write(Array((faults.map(\.description).joined(separator: "\n") + "\n").utf8), to: list)
    return Child(["work", name, result(name, shard), list, "\(place)"], isShimmed: true)
  }

  /// Waits for a worker; ends it when the time is over, and then answers nil.
  private func wait(for child: Child, until end: Double) -> Child.End? {
    while seconds < end {
      if let ended = child.poll() { return ended }
      usleep(20_000)
    }
    kill(child.process, SIGTERM)
    _ = child.wait()
    return nil
  }

  /// Kills a process instead of, or just after, every one of its writes, syncs and renames.
  private func killing(_ share: Double) -> Tally {
    var tally = Tally()
    let names = ["creation", "commits", "sweep", "trim", "backup", "reopen", "charges"]
    let end = seconds + share
    for (index, name) in names.enumerated() {
      let limit = seconds + (end - seconds) / Double(names.count - index)
      for kind in [Shim.Class.write, .sync, .rename, .open, .truncate] {
        var number = 1
        while seconds < limit {
          let mode = kind == .write && number % 2 == 0 ? Shim.Mode.killHalf : .killBefore
          guard let findings = Killing(name: name, folder: folder + "/kill").run(kind, number, mode) else { break }
          tally.points += 1
          tally.struck += 1
          tally.findings += findings
          // Many writes are alike: of a long row, more and more are left out.
          number += 1 + number / 24
        }
      }
    }
    return tally
  }
}
