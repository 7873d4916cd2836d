extension Report {
  /// The report as Markdown.
  package var markdown: String {
    var lines = ["# \(title)", ""]
    for (name, value) in surroundings.named where !value.isEmpty { lines.append("- \(name): \(value)") }
    if let repetition {
      lines.append(
        "- Runs: medians of \(repetition.runs); a run during which others used more than "
          + "\(repetition.othersPercent.short) % of a core was repeated, up to \(repetition.spare) times")
    }
    lines.append("")
    if !figures.isEmpty { lines += figureTable + [""] }
    if !rows.isEmpty { lines += rowTable + [""] }
    if (figures.contains(where: \.isDisturbed) || rows.contains(where: \.isDisturbed)) {
      lines += ["\\* disturbed: others used the processors in a run that could not be replaced.", ""]
    }
    for chart in charts { lines += ["![\(chart)](\(chart))", ""] }
    for note in notes { lines += [note, ""] }
    return lines.joined(separator: "\n")
  }

  private var figureTable: [String] {
    let hasGoals = figures.contains { $0.goal != nil }
    let hasOthers = figures.contains { !$0.othersPercent.isEmpty }
    var head = ["", "Figure", "Median", "Unit", "Least to most"]
    var marks = ["---", "---", "---:", "---", "---"]
    if hasGoals {
      head += ["To reach", "Reached"]
      marks += ["---", "---"]
    }
    if hasOthers {
      head.append("Others, %")
      marks.append("---:")
    }
    let cells = figures.map { figure in
      var cells = [
        figure.group, figure.name, figure.spread.median.short + (figure.isDisturbed ? "\\*" : ""), figure.unit,
        figure.spread.range,
      ]
      if hasGoals { cells += [figure.goal ?? "", figure.isReached.map { $0 ? "yes" : "**no**" } ?? ""] }
      if hasOthers { cells.append(figure.othersPercent.max().map { $0.fixed(0) } ?? "") }
      return cells
    }
    return Report.table([head, marks] + cells)
  }

  private var rowTable: [String] {
    let isOpen = rows.contains { $0.asked != nil }
    let hasReads = rows.contains { $0.readsPerSecond != nil }
    var head = ["Store", "Form", "Acknowledged", "Callers", "Batch"]
    var marks = ["---", "---", "---", "---:", "---:"]
    if isOpen {
      head.append("Asked/s")
      marks.append("---:")
    }
    head += ["Debits/s", "Least to most", "p50 µs", "p99 µs", "p99.9 µs", "p99.99 µs", "Bytes/debit", "CPU ns/debit"]
    marks += Array(repeating: "---:", count: 8)
    if isOpen {
      head.append("Started late, p99 µs")
      marks.append("---:")
    }
    if hasReads {
      head.append("Reads/s")
      marks.append("---:")
    }
    head += ["Memory", "Others, %"]
    marks += ["---:", "---:"]
    let cells = rows.map { row in
      var cells = [row.name, row.form, row.durability, row.callers.grouped, row.batch.grouped]
      if isOpen { cells.append(row.asked?.short ?? "") }
      cells += [row.rate.median.short + (row.isDisturbed ? "\\*" : ""), row.rate.range]
      cells += [row.latency?.p50, row.latency?.p99, row.latency?.p999, row.latency?.p9999].map { $0?.short ?? "" }
      cells += [row.bytesPerDebit?.median.short ?? "", row.nanosecondsPerDebit.median.short]
      if isOpen { cells.append(row.lateness?.p99.short ?? "") }
      if hasReads { cells.append(row.readsPerSecond?.median.short ?? "") }
      cells += [bytes(row.peakMemory), row.othersPercent.max().map { $0.fixed(0) } ?? ""]
      return cells
    }
    return Report.table([head, marks] + cells)
  }

  static func table(_ rows: [[String]]) -> [String] {
    rows.map { "| " + $0.joined(separator: " | ") + " |" }
  }
}

extension Surroundings {
  /// Each part with its name.
  package var named: [(String, String)] {
    [
      ("Machine", machine), ("Disk", disk), ("File system", fileSystem), ("Compiler", compiler), ("Commit", commit),
      ("Command", command.isEmpty ? "" : "`\(command)`"), ("Date", date),
    ]
  }
}
