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
    let reader = try options.reader()
    let statistics = try reader.statistics()
    let (consumers, books) = (try reader.consumers(), try reader.priceBooks())
    let isPaused = try reader.chargesArePaused()
    let kept = statistics.last.value + 1 - min(statistics.firstKept.value, statistics.last.value + 1)
    try options.print(
      [
        "store": .string(try options.path()), "last": .number(statistics.last.value),
        "first_kept": .number(statistics.firstKept.value), "entries_kept": .number(kept),
        "checkpoint": .number(statistics.checkpoint.value), "images": .number(statistics.accounts),
        "file_bytes": .number(statistics.fileBytes), "used_bytes": .number(statistics.usedBytes),
        "map_bytes": .number(statistics.mapBytes), "price_books": .number(books.count),
        "consumers": .number(consumers.count), "charges_paused": .bool(isPaused),
      ],
      Table.facts([
        ("store", try options.path()), ("last entry", statistics.last.value.grouped),
        ("first kept", statistics.firstKept.value.grouped), ("entries kept", kept.grouped),
        ("checkpoint", "entry \(statistics.checkpoint.value.grouped)"),
        ("images", statistics.accounts.grouped),
        ("file", "\(bytes(statistics.fileBytes)), of which \(bytes(statistics.usedBytes)) in use"),
        ("may grow to", bytes(statistics.mapBytes)), ("price books", books.count.grouped),
        ("consumers", consumers.count.grouped),
        ("charges", isPaused ? "paused, as the store is a copy; see 'creditctl refill resume'" : "not paused"),
      ]))
  }
}
