import ArgumentParser
import Credits

struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make up a usage log for replay.",
    discussion: """
      The same seed gives the same log on every machine.

        creditctl generate --seed 1 --lines 5000 --output usage.csv
        creditctl generate --seed 7 --lines 1000000 --json > usage.jsonl
      """)

  @Option(name: .long, help: "The seed.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "The number of lines.")
  var lines = 5_000

  @Option(name: .long, help: "The time of the first line.")
  var start = "2026-01-05T09:00:00Z"

  @Option(name: .long, help: "The file to write. Default: the standard output.")
  var output: String?

  @Flag(name: .long, help: "Write JSON Lines instead of CSV.")
  var json = false

  func validate() throws {
    guard (1...1_000_000_000).contains(lines) else {
      throw ValidationError("--lines is \(lines); it must be from 1 to 1,000,000,000")
    }
    guard let start = Timestamp(start), start >= .zero, start < .latest else {
      throw ValidationError("--start is no time such as 2026-01-05T09:00:00Z")
    }
  }

  func run() async throws {
    guard let output else { return try write(to: .standard) }
    let file = SealedFile(path: output)
    do {
      try write(to: Output(try file.begin(), name: output))
      try file.finish()
    } catch {
      file.abandon()
      throw error
    }
  }

  private func write(to output: Output) throws {
    var generator = UsageGenerator(seed: seed, start: Timestamp(start) ?? .zero)
    if !json { try output.line(UsageGenerator.Line.csvHeader) }
    for _ in 0..<lines {
      let line = generator.next()
      try output.line(json ? line.json.text : line.csv)
    }
    try output.flush()
  }
}
