import Credits

/// The fields of one line of CSV (RFC 4180, without line breaks in fields).
struct CSVLine {
  /// Calls a function with each field and its index; quotes around a field are taken off.
  static func forEachField(
    of line: ArraySlice<UInt8>, _ body: (Int, ArraySlice<UInt8>) throws(LineError) -> Void
  ) throws(LineError) -> Int {
    var index = 0
    var rest = line
    while true {
      let field: ArraySlice<UInt8>
      if rest.first == UInt8(ascii: "\"") {
        let end = try closing(rest)
        field = rest[(rest.startIndex + 1)..<end]
        rest = rest[(end + 1)...]
        guard rest.isEmpty || rest.first == UInt8(ascii: ",") else {
          throw LineError("has text after a quoted field")
        }
      } else {
        let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
        field = rest[..<end]
        rest = rest[end...]
      }
      try body(index, field)
      index += 1
      guard !rest.isEmpty else { return index }
      rest = rest.dropFirst()
      if rest.isEmpty {
        try body(index, rest)
        return index + 1
      }
    }
  }

  /// The place of the quote that closes a quoted field; doubled quotes stand for one.
  private static func closing(_ field: ArraySlice<UInt8>) throws(LineError) -> Int {
    var place = field.startIndex + 1
    while place < field.endIndex {
      if field[place] == UInt8(ascii: "\"") {
        guard place + 1 < field.endIndex, field[place + 1] == UInt8(ascii: "\"") else { return place }
        place += 1
      }
      place += 1
    }
    throw LineError("has a quote that is not closed on the line")
  }
}

/// The places of the columns in a CSV file, from its header.
struct CSVHeader {
  private let columns: UsageColumns
  private let count: Int
  private let time: Int?
  private let context: Int
  private let generated: Int
  private let feature: Int?

  /// Finds the columns in a header line.
  init(_ line: ArraySlice<UInt8>, _ columns: UsageColumns) throws(LineError) {
    var names: [ArraySlice<UInt8>] = []
    var header = line
    if header.starts(with: [0xEF, 0xBB, 0xBF]) { header = header.dropFirst(3) }
    count = try CSVLine.forEachField(of: header) { (_, field) throws(LineError) in
      names.append(field)
    }
    func find(_ name: String) throws(LineError) -> Int {
      func isName(_ field: ArraySlice<UInt8>) -> Bool { UsageColumns.isName(field, name) }
      guard let index = names.firstIndex(where: isName) else {
        let found = names.prefix(20).map {
          String(decoding: $0.prefix(160), as: UTF8.self).escapedForTerminal.cut(to: 40)
        }.joined(separator: ", ")
        throw LineError("the header has no column \(name.escapedForTerminal); it has: \(found)")
      }
      guard names.lastIndex(where: isName) == index else {
        throw LineError("the header has the column \(name.escapedForTerminal) twice")
      }
      return index
    }
    self.columns = columns
    if let name = columns.time { time = try find(name) } else { time = nil }
    context = try find(columns.context)
    generated = try find(columns.generated)
    switch columns.feature {
    case .none: feature = nil
    case .ifPresent(let name):
      feature = names.contains { UsageColumns.isName($0, name) } ? try find(name) : nil
    case .required(let name): feature = try find(name)
    }
  }

  /// Parses a line after the header.
  func parse(_ line: ArraySlice<UInt8>, checkingTime: Bool) throws(LineError) -> UsageLine {
    var usage = UsageLine(context: 0, generated: 0)
    let count = try CSVLine.forEachField(of: line) { (index, field) throws(LineError) in
      if index == context { usage.context = try UsageLine.tokens(field, columns.context) }
      if index == generated { usage.generated = try UsageLine.tokens(field, columns.generated) }
      if index == feature { usage.feature = try UsageLine.feature(field, columns.feature.name ?? "") }
      if index == time, checkingTime { usage.time = try UsageLine.time(field, columns.time ?? "") }
    }
    guard count == self.count else { throw LineError("has \(count) columns, the header has \(self.count)") }
    return usage
  }
}
