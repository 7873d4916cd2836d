internal import Credits
internal import FaultSupport
internal import Glibc

/// A process that is killed at one of its calls, and the store that it leaves.
struct Killing {
  let name: String
  let folder: String

  /// Answers what is wrong; nil if the process came to its end before it was killed.
  func run(_ kind: Shim.Class, _ number: Int, _ mode: Shim.Mode) -> [String]? {
    Folders.remove(folder)
    Folders.make(folder)
    let (place, marks) = (folder + "/place", folder + "/marks")
    Folders.make(place)
    let child = Child(
      ["steps", name, place, marks],
      environment: [
        "CREDITS_SHIM_ROOT": place, "CREDITS_SHIM_FAULT": "\(kind.rawValue):\(number):0:\(mode.rawValue)",
      ], isShimmed: true)
    let end = child.wait()
    if end == .exited(0) { return nil }
    let title = "\(name) \(kind):\(number):0:\(mode)"
    guard end == .killed(SIGKILL) else { return ["\(title): \(end)"] }
    let look = Child(["steps", name, place, marks, "look"]).wait()
    return look == .exited(0) ? [] : ["\(title): the store it left: \(look)"]
  }

  /// The process that is killed, and the one that looks at what it left.
  static func steps(_ arguments: [String]) async {
    guard arguments.count >= 3, let scenario = Scenario.named(arguments[0]) else { fail("steps: bad arguments") }
    if arguments.last == "look" {
      alarm(60)
      var knowledge = Knowledge()
      for mark in Mark.marks(Folders.read(arguments[2])) { knowledge.learn(mark) }
      do { try await Examination(scenario, knowledge, in: arguments[1]).run() } catch {
        say("\(scenario.name): \(error)")
        exit(1)
      }
      exit(0)
    }
    let marks = MarkFile(arguments[2])
    let runner = Runner(scenario, in: arguments[1]) { marks.write($0) }
    do throws(StoreError) { try await runner.run(0..<scenario.steps.count) } catch {
      say("\(scenario.name): \(error)")
      exit(1)
    }
    exit(0)
  }
}
