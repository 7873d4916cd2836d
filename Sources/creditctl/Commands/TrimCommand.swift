import ArgumentParser
import Credits

struct TrimCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trim",
    abstract: "Delete old entries of the journal.",
    discussion: """
      Balances are unaffected; history and explanations of what is deleted then say "outside retention". Entries that the \
      request window or the checkpoint needs stay. Export first.

        creditctl trim --before 90d
        creditctl trim --before 2026-01-01
      """)

  @OptionGroup var options: StoreOptions

  @Option(name: .long, help: "Delete entries before this time; a duration counts back from now.")
  var before: Moment

  func run() async throws {
    let time = before.before(.now)
    let trimmed = try await options.changing { store in try await store.trim(before: time) }
    try options.print(
      [
        "outcome": "trimmed", "before": .text(time), "entries": .number(trimmed.entries),
        "first_kept": .number(trimmed.firstKept.value),
      ],
      [
        "deleted \(trimmed.entries.grouped) entries before \(time); "
          + "the first that is kept is entry \(trimmed.firstKept)"
      ])
  }
}
