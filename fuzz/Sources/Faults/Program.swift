internal import Credits
internal import FaultSupport
internal import Glibc

/// Makes every call of a scenario go wrong in turn, and looks what becomes of the store.
@main
struct Program {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "work": await Trial.work(Array(arguments.dropFirst()))
    case "steps": await Killing.steps(Array(arguments.dropFirst()))
    case "surroundings": exit(await Surroundings.run(Array(arguments.dropFirst())) ? 0 : 1)
    case "child": await Surroundings.child(Array(arguments.dropFirst()))
    default: exit(await Campaign(arguments).run() ? 0 : 1)
    }
  }
}
