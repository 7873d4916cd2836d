import Credits

/// A usage log: a file of CSV or JSON Lines, read line by line.
final class UsageLog {
  enum Format: String {
    case csv
    case jsonl
  }

  private let reader: LineReader
  private let columns: UsageColumns
  private var format: Format?
  private var header: CSVHeader?
  private let given: Format?
  /// The feature of lines that name none.
  let feature: String

  /// Opens a log. Without a format, the first line tells: JSON Lines begin with a brace.
  init(
    path: String, columns: UsageColumns, format: Format? = nil, feature: String = ReplayBook.standardFeature
  ) throws(UsageLogError) {
    self.feature = feature
    reader = try LineReader(path: path)
    self.columns = columns
    given = format
    self.format = format
  }

  /// The number of the line that was read last.
  var number: Int { reader.number }

  /// The file.
  var path: String { reader.path }

  /// Goes back to the start; throws if the file has changed since it was opened.
  func rewind() throws(UsageLogError) {
    try reader.rewind()
    header = nil
    format = given
  }

  /// Throws if the file has changed since it was opened.
  func checkUnchanged() throws(UsageLogError) { try reader.checkUnchanged() }

  /// The next line; nil after the last. Empty lines are passed over.
  func next(checkingTime: Bool = true) throws(UsageLogError) -> UsageLine? {
    while let line = try reader.next() {
      guard !line.isEmpty else { continue }
      do throws(LineError) {
        if let usage = try parse(line, checkingTime: checkingTime) { return usage }
      } catch { throw failure(error.reason) }
    }
    guard format == nil || (format == .csv && header == nil) else { return nil }
    throw UsageLogError(path: path, line: nil, reason: "is empty; a usage log has a header or a JSON object a line")
  }

  /// An error at the line that was read last.
  func failure(_ reason: String) -> UsageLogError { UsageLogError(path: path, line: number, reason: reason) }

  /// Parses a line; nil for the header.
  private func parse(_ line: ArraySlice<UInt8>, checkingTime: Bool) throws(LineError) -> UsageLine? {
    if format == nil {
      let first = line.first { $0 != 32 && $0 != 9 }
      format = first == UInt8(ascii: "{") ? .jsonl : .csv
    }
    if format == .jsonl { return try JSONLine.parse(line, columns, checkingTime: checkingTime) }
    if let header { return try header.parse(line, checkingTime: checkingTime) }
    header = try CSVHeader(line, columns)
    return nil
  }
}
