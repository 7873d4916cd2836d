import Credits

/// Rows of text in columns that line up.
struct Table {
  enum Alignment {
    case left
    case right
  }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// Makes a table with a line of titles.
  init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row; what could steer a terminal is escaped.
  mutating func add(_ cells: [String]) { rows.append(cells.map(\.escapedForTerminal)) }

  /// The lines of the table. Where a width is given, the last column is cut to fit it.
  func lines(width: Int?) -> [String] {
    let all = [titles] + rows
    let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        if column > 0 { line += "  " }
        let space = String(repeating: " ", count: widths[column] - cell.count)
        line += alignments[column] == .right ? space + cell : cell + space
      }
      while line.last == " " { line.removeLast() }
      return width.map { line.cut(to: $0) } ?? line
    }
  }

  /// The lines of a list of names and values, with the values in one column.
  static func facts(_ facts: [(name: String, value: String)], width: Int? = nil) -> [String] {
    let facts = facts.map { (name: $0.name.escapedForTerminal, value: $0.value.escapedForTerminal) }
    let column = facts.map(\.name.count).max() ?? 0
    return facts.map { fact in
      let name = fact.name + String(repeating: " ", count: column - fact.name.count)
      let line = "\(name)  \(fact.value)"
      return width.map { line.cut(to: $0) } ?? line
    }
  }
}
