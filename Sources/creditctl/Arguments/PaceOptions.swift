import ArgumentParser

/// The options of commands that look at a store again and again.
struct PaceOptions: ParsableArguments {
  @Option(name: .long, help: "How often to look.")
  var interval: Duration = .milliseconds(500)

  @Option(name: .customLong("for"), help: "How long to follow. Default: until interrupted.")
  var span: Duration?

  @Option(name: .long, help: "End after so many lines.")
  var count: Int?

  func validate() throws {
    guard interval >= .milliseconds(1) else { throw ValidationError("--interval must be at least 1ms") }
    if let count, count < 1 { throw ValidationError("--count is \(count); it must be at least 1") }
  }
}
