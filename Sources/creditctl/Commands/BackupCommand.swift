import ArgumentParser
import Credits

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy a store to a new folder, where it opens as a store of its own.",
    discussion: """
      The folder must not exist. The copy is complete and synced, or absent. Works while a service has the store open.

        creditctl backup --store ./credits /backups/credits-2026-11-22
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The new folder.")
  var folder: String

  func run() async throws {
    let began = ContinuousClock.now
    try await options.reader().backup(to: folder)
    let elapsed = began.duration(to: .now)
    try options.print(
      ["outcome": "copied", "store": .string(try options.path()), "folder": .string(folder)],
      ["copied the store to \(folder.escapedForTerminal) (\(elapsed.brief)); check it with 'creditctl verify'"])
  }
}
