import Glibc
import creditctl

/// The program, as a process: all of it is in the module `creditctl`.
@main
struct Main {
  static func main() async {
    Glibc.exit(await Program.run(Array(CommandLine.arguments.dropFirst())))
  }
}
