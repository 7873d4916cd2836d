internal import Credits
internal import CreditsTesting
internal import Glibc

/// Runs of all profiles until enough was done, then the controls.
struct Campaign {
  private var operations = 1_000_000
  private var seconds = Double.infinity
  private var seed: UInt64 = 1
  private var scale = 1
  private var profile: String?
  private var control: String?
  /// A folder in memory, where there is memory for that, and one on the disk.
  private let memory = TemporaryStore(in: unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
  private let disk = TemporaryStore(in: "/tmp")

  private static let profiles = [
    Profile(name: "mixed"),
    Profile(name: "one-account", threads: 8, callersOfThread: 2, callers: 16, hot: 1, steps: 1_500),
    Profile(name: "cold", hot: 4, cold: 6_000, steps: 3_000, phases: 3, resident: 1_024, checkpoint: 2_048),
    Profile(
      name: "forgetful", hot: 6, cold: 2_000, steps: 1_500, phases: 5, resident: 1_024, checkpoint: 1_024,
      isForgetful: true),
    Profile(name: "system-clock", hot: 6, hasSystemClock: true),
    Profile(name: "crowd", threads: 2, callersOfThread: 32, callers: 64, hot: 16, cold: 100, steps: 500),
    Profile(name: "synced", hot: 3, steps: 200, isSynced: true),
    Profile(name: "search", threads: 6, callersOfThread: 1, callers: 2, hot: 3, steps: 300, phases: 1, isPlain: true),
  ]

  init(_ arguments: [String]) {
    for (name, value) in zip(arguments, arguments.dropFirst()) {
      switch name {
      case "--operations": operations = Int(value) ?? operations
      case "--seconds": seconds = Double(value) ?? seconds
      case "--seed": seed = UInt64(value) ?? seed
      case "--scale": scale = Int(value) ?? scale
      case "--profile": profile = value
      case "--control": control = value
      default: break
      }
    }
  }

  /// Runs; answers whether all histories were right, and all controls rejected.
  func run() async throws -> Bool {
    defer {
      TemporaryStore.remove(memory.folder)
      TemporaryStore.remove(disk.folder)
    }
    let begin = Lane.moment
    var (done, runs, failed, entries) = (0, 0, 0, 0)
    var number = seed
    while control == nil, done < operations, Double(Lane.moment - begin) / 1e9 < seconds {
      for profile in Campaign.profiles where self.profile == nil || self.profile == profile.name {
        var scaled = profile
        if !profile.isPlain, !profile.isSynced { scaled.steps *= scale }
        let (calls, written, isRight) = try await run(scaled, number)
        done += calls
        entries += written
        runs += 1
        if !isRight { failed += 1 }
      }
      number += 1
    }
    if control == nil {
      say("\(done) operations, \(entries) entries in \(runs) runs: \(failed) of them were not linearizable")
    }
    let slipped = profile == nil ? try await runControls() : 0
    return failed == 0 && slipped == 0
  }

  private func run(_ profile: Profile, _ seed: UInt64) async throws -> (calls: Int, entries: Int, isRight: Bool) {
    let begin = Lane.moment
    let history = try await Run(profile: profile, seed: seed, folder: (profile.isSynced ? disk : memory).folder)
      .record()
    let middle = Lane.moment
    var checker = Checker(history)
    checker.run()
    var problems = checker.problems
    var found = ""
    if profile.isPlain {
      let results = Campaign.search(history)
      for (account, result) in results where result != .found {
        problems.append("account \(account): a search without numbers: \(result)")
      }
      found = ", order found without numbers for \(results.count { $0.value == .found }) of \(results.count) accounts"
    }
    func seconds(_ from: UInt64, _ to: UInt64) -> String { "\(Double((to - from) / 10_000_000) / 100) s" }
    let forgotten = history.calls.count { $0.answer == .tooOld || $0.answer == .noHold }
    say(
      "\(profile.name) \(seed): \(history.calls.count) operations by \(profile.lanes) callers, "
        + "\(history.events.count) entries, \(checker.reads) reads, \(checker.replays) repetitions, "
        + "\(forgotten) refused, \(history.sent.count) charges, "
        + "\(checker.overlapping * 100 / max(1, history.calls.count)) % at the same time as others\(found); "
        + "\(seconds(begin, middle)) and \(seconds(middle, Lane.moment)) to check")
    for problem in problems.prefix(20) { say("  WRONG: \(problem)") }
    if problems.count > 20 { say("  and \(problems.count - 20) more") }
    return (history.calls.count, history.events.count, problems.isEmpty)
  }

  /// Searches an order for each account, by its calls alone.
  private static func search(_ history: History) -> [Int: Search.Result] {
    let calls = Dictionary(grouping: history.calls.filter { $0.lane < history.plan.profile.lanes }, by: \.account)
    return Dictionary(
      uniqueKeysWithValues: calls.map { account, calls in
        var search = Search(history.plan, calls, beginning: 30_000_000)
        return (Int(account), search.run())
      })
  }

  // MARK: Controls

  /// Breaks good histories in all ways; answers how many were not noticed.
  private func runControls() async throws -> Int {
    let chosen = Control.allCases.filter { control == nil || control == $0.rawValue }
    guard !chosen.isEmpty else {
      say("there is no control \(control ?? ""): " + Control.allCases.map(\.rawValue).joined(separator: ", "))
      return 1
    }
    let profile = Profile(name: "control", hot: 2, steps: 1_000, phases: 1)
    let plain = Profile(
      name: "control-search", threads: 6, callersOfThread: 1, callers: 2, hot: 2, steps: 200, phases: 1,
      isPlain: true)
    let good = try await Run(profile: profile, seed: seed, folder: memory.folder).record()
    let small = try await Run(profile: plain, seed: seed, folder: memory.folder).record()
    var slipped = 0
    for control in chosen {
      var broken = good
      var next = seed
      while !control.apply(to: &broken) {
        next += 1
        precondition(next < seed + 100, "no history has a place for the control \(control.rawValue)")
        broken = try await Run(profile: profile, seed: next, folder: memory.folder).record()
      }
      var checker = Checker(broken)
      checker.run()
      if checker.problems.isEmpty { slipped += 1 }
      say("control \(control.rawValue): " + (checker.problems.first.map { "rejected, \($0)" } ?? "NOT NOTICED"))
      guard control.isVisible else { continue }
      var calls = small
      guard control.apply(to: &calls) else { continue }
      let result = Campaign.search(calls)[0]
      if result == .found { slipped += 1 }
      say("control \(control.rawValue), searched without numbers: \(result.map { "\($0)" } ?? "")")
    }
    say("\(chosen.count) controls: \(slipped) of them were not noticed")
    return slipped
  }
}

/// Prints a line at once.
func say(_ text: String) {
  print(text)
  fflush(nil)
}
