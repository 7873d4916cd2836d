import ArgumentParser
import Credits

struct StatsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Show what a store holds.",
    discussion: """
      Works while a service has the store open.

        creditctl stats --store ./credits
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    let statistics = try options.reader().statistics()
    let kept = statistics.last.value + 1 - min(statistics.firstKept.value, statistics.last.value + 1)
    try options.print(
      [
        "store": .string(try options.path()), "last": .number(statistics.last.value),
        "first_kept": .number(statistics.firstKept.value), "entries_kept": .number(kept),
        "checkpoint": .number(statistics.checkpoint.value), "images": .number(statistics.accounts),
        "file_bytes": .number(statistics.fileBytes), "used_bytes": .number(statistics.usedBytes),
        "map_bytes": .number(statistics.mapBytes),
      ],
      Table.facts([
        ("store", try options.path()), ("last entry", statistics.last.value.grouped),
        ("first kept", statistics.firstKept.value.grouped), ("entries kept", kept.grouped),
        ("checkpoint", "entry \(statistics.checkpoint.value.grouped)"),
        ("images", statistics.accounts.grouped),
        ("file", "\(bytes(statistics.fileBytes)), of which \(bytes(statistics.usedBytes)) in use"),
        ("may grow to", bytes(statistics.mapBytes)),
      ]))
  }
}
