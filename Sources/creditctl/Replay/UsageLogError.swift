/// What is wrong with a usage log: the file, the line and the reason.
struct UsageLogError: Failure, Equatable {
  let path: String
  /// The line, from 1; nil where the file as a whole is meant.
  let line: Int?
  let reason: String

  var code: String { "bad-input" }
  var status: ExitStatus { .usage }
  var sentence: String { "\(path)\(line.map { ", line \($0)" } ?? ""): \(reason)" }
}

/// What is wrong with a line, before it is known which line it is.
struct LineError: Error, Equatable {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
