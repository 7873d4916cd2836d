internal import Glibc

/// Records what many callers do to a store at once, and looks whether it could have come about one call at a time.
@main
struct Program {
  static func main() async {
    do {
      exit(try await Campaign(Array(CommandLine.arguments.dropFirst())).run() ? 0 : 1)
    } catch {
      say("a run failed: \(error)")
      exit(1)
    }
  }
}
