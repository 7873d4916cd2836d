internal import Credits
internal import FaultSupport
internal import Glibc
internal import PowerSwitch

/// Real power cuts, as far as a machine can make them to itself: an ext4 in a file, cut off from that file while a
/// process works on a store in it.
struct PowerCut {
  private let folder: String
  private var image: String { folder + "/image" }
  private var mount: String { folder + "/mount" }

  /// `power-cut [ROUNDS]`.
  static func main(_ arguments: [String]) async {
    let rounds = arguments.first.flatMap { Int($0) } ?? 100
    // Not in memory: the device below must be one that is written to.
    var template = Array("/tmp/credits-power-XXXXXX".utf8CString)
    // Safe: the template is a mutable, terminated string that outlives the call.
    guard unsafe mkdtemp(&template) != nil else { fail("no temporary folder can be made in /tmp") }
    let cut = PowerCut(folder: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    defer { Folders.remove(cut.folder) }
    Folders.make(cut.mount)
    guard Child.shell("truncate -s 96M \(cut.image) && mkfs.ext4 -q -F \(cut.image)"), cut.attach() else {
      say("power cut: skipped, as this machine does not let us mount a file system")
      return
    }
    let bad = await cut.run(rounds)
    exit(bad == 0 ? 0 : 1)
  }

  private func attach() -> Bool { Child.shell("mount -o loop \(image) \(mount)") }

  private func detach() {
    guard Child.shell("umount \(mount)") else { fail("\(mount) cannot be unmounted") }
  }

  private func run(_ rounds: Int) async -> Int {
    let begin = seconds
    var (bad, done, acknowledged) = (0, 0, 0)
    var dice = Dice(UInt64(getpid()))
    let names = ["creation", "commits", "sweep", "growth", "trim", "backup", "reopen", "charges"]
    for round in 1...rounds {
      guard let scenario = Scenario.named(names[round % names.count]) else { continue }
      let (place, marks) = ("\(mount)/\(round)", "\(folder)/marks-\(round)")
      Folders.make(place)
      // The folder itself is older than the power cut.
      guard Child.shell("sync -f \(mount)") else { fail("\(mount) cannot be synced") }
      let child = Child(["steps", scenario.name, place, "0", "\(scenario.steps.count)", marks, "quietly"])
      // Somewhere in the scenario, and there at any moment.
      let enough = Int(dice.next() % UInt64(scenario.steps.count))
      while Mark.marks(Folders.read(marks)).count < enough, !child.hasEnded { usleep(500) }
      usleep(UInt32(dice.next() % 12_000))
      // Safe: the path is a terminated string that outlives the call.
      let error = unsafe credits_cut_power(mount)
      guard error == 0 else {
        kill(child.process, SIGKILL)
        _ = child.wait()
        detach()
        say("power cut: skipped, as this machine does not let us cut it: error \(error)")
        return 0
      }
      let end = child.wait()
      detach()
      guard attach() else { fail("after round \(round) the file system does not mount") }
      var knowledge = Knowledge()
      let known = Mark.marks(Folders.read(marks))
      for mark in known { knowledge.learn(mark) }
      acknowledged += known.count
      done += 1
      var finding: String?
      if case .killed(let signal) = end { finding = "the process died of signal \(signal) instead of an error" }
      do { try await Examination(scenario, knowledge, in: place).run() } catch { finding = "\(error)" }
      if let finding {
        bad += 1
        say("power cut \(round), \(scenario.name), after \(known.count) marks: \(finding)")
      }
      Folders.remove(place)
      Folders.remove(marks)
    }
    detach()
    say("power cut: \(done) rounds, \(acknowledged) acknowledgements, \(bad) bad, \(Int(seconds - begin)) s")
    return bad
  }
}
