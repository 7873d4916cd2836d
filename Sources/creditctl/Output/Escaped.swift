internal import Credits

extension String {
  /// The text of somebody else as a cell of CSV that no spreadsheet takes for a formula: an apostrophe is put before
  /// what begins like one, and before an apostrophe, so that taking the first apostrophe away gives the text back.
  var asCellText: String {
    let start = unicodeScalars.first { !$0.properties.isWhitespace && !$0.steersTerminal }
    let isFormula = start.map { ["=", "+", "-", "@", "＝", "＋", "－", "＠"].contains($0) } ?? false
    let isOdd = unicodeScalars.first.map { ["'", "\t", "\r", "\n"].contains($0) } ?? false
    return isFormula || isOdd ? "'" + self : self
  }

  /// The text as a field of CSV (RFC 4180): quoted where a reader could split or trim it.
  var escapedForCSV: String {
    let isPadded = first == " " || last == " "
    guard isPadded || unicodeScalars.contains(where: { ["\"", ",", "\n", "\r", ";", "'", "\t"].contains($0) }) else {
      return self
    }
    var quoted = "\""
    for scalar in unicodeScalars {
      if scalar == "\"" { quoted.append("\"\"") } else { quoted.unicodeScalars.append(scalar) }
    }
    return quoted + "\""
  }

  /// The text with at most a number of characters; an ellipsis stands for what is cut off.
  func cut(to width: Int) -> String {
    count <= width ? self : String(prefix(max(0, width - 1))) + "…"
  }
}
