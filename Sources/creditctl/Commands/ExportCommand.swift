import ArgumentParser
import Credits
import Glibc

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the journal as JSON Lines or CSV, sealed with SHA-256.",
    discussion: """
      Writes one snapshot, entry by entry, whatever its size; works while a service has the store open. With --output the \
      file appears when it is complete, and its seal beside it as FILE.sha256, which 'sha256sum --check' reads. Without, \
      the entries go to the standard output and the seal to the standard error stream. In CSV, a text that a spreadsheet \
      would take for a formula, or that begins with a ', gets a ' before it: without its first ' it is as it was.

        creditctl export --output journal.jsonl
        creditctl export --format csv --account user_alice --output alice.csv
        creditctl export --from 1000 | jq .amount
      """)

  /// The formats of an export.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case jsonl
    case csv
  }

  @OptionGroup var options: StoreOptions

  @Option(name: .long, help: "jsonl or csv.")
  var format: Format = .jsonl

  @Option(name: .long, help: "The file to write. Default: the standard output.")
  var output: String?

  @Option(name: .long, help: "The first entry.")
  var from: UInt64 = 1

  @Option(name: .long, help: "The last entry. Default: the last there is.")
  var to: UInt64 = .max

  @Option(name: .long, help: "Only the entries of this account.")
  var account: AccountArgument?

  @Flag(name: .long, help: "Replace the file if it exists.")
  var force = false

  func run() async throws {
    let reader = try options.reader()
    guard let output, output != "-" else {
      let (count, seal) = try write(reader, to: Output(STDOUT_FILENO, name: "the standard output", sealed: true))
      return Output.note("\(count.grouped) entries, sha256 \(seal)")
    }
    let file = SealedFile(path: output)
    if !force, file.exists {
      throw UsageFailure(
        code: "exists", sentence: "there is a file at \(output) already; name another, or replace it with --force")
    }
    let descriptor = try file.begin()
    let (count, seal): (UInt64, String)
    do {
      (count, seal) = try write(reader, to: Output(descriptor, name: output, sealed: true))
      try file.finish(seal: seal)
    } catch {
      file.abandon()
      throw error
    }
    try options.print(
      [
        "outcome": "exported", "entries": .number(count), "file": .string(output), "sha256": .string(seal),
        "seal": .string(file.sealPath),
      ],
      [
        "exported \(count.grouped) entries to \(output.escapedForTerminal)", "sha256 \(seal)",
        "the seal is in \(file.sealPath.escapedForTerminal)",
      ])
  }

  private func write(_ reader: CreditReader, to output: Output) throws -> (entries: UInt64, seal: String) {
    let progress = Progress("exporting")
    defer { progress.end() }
    let last = min(try reader.statistics().last.value, to)
    let total = Double(max(1, last >= from ? last - from + 1 : 1))
    var count: UInt64 = 0
    var failure: WriteFailure?
    let isForTerminal = (self.output ?? "-") == "-" && Terminal.outputWidth != nil
    if format == .csv { try output.line(EntryFormat.columns.joined(separator: ",")) }
    try reader.forEachEntry(from: SequenceNumber(max(1, from))) { entry throws(StoreError) in
      guard entry.sequence.value <= to else { return false }
      if entry.sequence.value % 4_096 == 0 { progress.show(Double(entry.sequence.value - from) / total) }
      guard account == nil || entry.account == account?.id else { return true }
      do throws(WriteFailure) {
        try output.line(ExportCommand.line(entry, format, forTerminal: isForTerminal))
      } catch {
        failure = error
        return false
      }
      count += 1
      return true
    }
    if let failure { throw failure }
    return (count, try output.seal())
  }

  /// The line, or in CSV the lines, of an entry. Files get every text as it is; a terminal gets no character that could
  /// steer it.
  static func line(_ entry: JournalEntry, _ format: Format, forTerminal isForTerminal: Bool) -> String {
    guard format == .csv else { return EntryFormat.json(entry).text }
    let line = EntryFormat.csv(entry)
    return isForTerminal ? line.escapedForTerminal : line
  }
}
