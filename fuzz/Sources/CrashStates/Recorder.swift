internal import Credits
internal import FaultSupport
internal import Glibc

/// A recorded run of a scenario, in a folder of its own: what was there before, and what happened.
struct Run {
  let scenario: Scenario
  /// The name of the run: that of the scenario, and the number of the write at which it was killed.
  let name: String
  let folder: String

  private var place: String { folder + "/place" }
  private var base: String { folder + "/base" }
  private var recordingPath: String { folder + "/recording" }

  init?(_ name: String, in folder: String) {
    let parts = name.split(separator: "-")
    guard let scenario = Scenario.named(parts[0] == "cut" ? "killed" : String(parts[0])) else { return nil }
    self.scenario = scenario
    self.name = name
    self.folder = folder
  }

  /// What kills the first process: the write of a number, before it is synced, or what comes before the sync of a
  /// number.
  private var killing: String? {
    guard let number = name.split(separator: "-").dropFirst().first.flatMap({ Int($0) }) else { return nil }
    return name.hasPrefix("cut")
      ? "\(Shim.Class.sync.rawValue):\(number):0:\(Shim.Mode.killBefore.rawValue)"
      : "\(Shim.Class.write.rawValue):\(number):0:\(Shim.Mode.killHalf.rawValue)"
  }

  /// The recorded process from which on states are of interest.
  var firstProcess: Int { killing == nil ? 1 : 2 }

  /// Runs the scenario and records it; false if it came to its end though it was to be killed.
  func record() -> Bool {
    Folders.remove(folder)
    for path in [folder, place, base] { Folders.make(path) }
    let marks = folder + "/marks"
    if scenario.prelude > 0 {
      let end = Child(["steps", scenario.name, place, "0", "\(scenario.prelude)", marks]).wait()
      guard end == .exited(0) else { fail("the prelude of \(name) ended with \(end)") }
      copy(from: place, to: base)
    }
    var environment = ["CREDITS_SHIM_ROOT": place, "CREDITS_SHIM_RECORD": recordingPath]
    let steps = ["steps", scenario.name, place, "\(scenario.prelude)", "\(scenario.steps.count)", folder + "/marks-2"]
    if let killing {
      environment["CREDITS_SHIM_FAULT"] = killing
      guard Child(steps, environment: environment, isShimmed: true).wait() == .killed(SIGKILL) else { return false }
      environment["CREDITS_SHIM_FAULT"] = nil
    }
    let end = Child(steps, environment: environment, isShimmed: true).wait()
    guard end == .exited(0) else { fail("the recorded process of \(name) ended with \(end)") }
    return true
  }

  private func copy(from: String, to: String) {
    for name in Folders.names(in: from) {
      let names = Folders.names(in: from + "/" + name)
      if !names.isEmpty {
        Folders.make(to + "/" + name)
        copy(from: from + "/" + name, to: to + "/" + name)
      } else {
        Folders.write(Folders.read(from + "/" + name), to: to + "/" + name)
      }
    }
  }

  /// What was recorded.
  func recording() -> Recording { Recording(Folders.read(recordingPath)) }

  /// What was known before the recording began.
  func knowledge() -> Knowledge {
    var knowledge = Knowledge()
    for mark in Mark.marks(Folders.read(folder + "/marks")) { knowledge.learn(mark) }
    return knowledge
  }

  /// The disk before the recording began.
  func disk() -> Disk {
    var disk = Disk()
    func add(_ path: String) {
      let full = path.isEmpty ? base : base + "/" + path
      let names = Folders.names(in: full)
      if names.isEmpty, !path.isEmpty { disk.place(Folders.read(full), at: path) }
      for name in names { add(path.isEmpty ? name : path + "/" + name) }
    }
    add("")
    return disk
  }

  /// The recorded process: does some steps and ends.
  static func steps(_ arguments: [String]) async {
    guard arguments.count >= 5, let scenario = Scenario.named(arguments[0]), let first = Int(arguments[2]),
      let end = Int(arguments[3])
    else { fail("steps SCENARIO FOLDER FIRST END MARKS") }
    let marks = MarkFile(arguments[4])
    let runner = Runner(scenario, in: arguments[1]) { marks.write($0) }
    do throws(StoreError) { try await runner.run(first..<end) } catch {
      if arguments.last != "quietly" { say("\(scenario.name): \(error)") }
      exit(1)
    }
    // Without closing what is still open, as if the process had died.
    _exit(0)
  }
}
