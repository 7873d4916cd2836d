extension Unicode.Scalar {
  /// Whether the character could steer a terminal, break a line, or turn the direction of the text after it.
  var steersTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0: true
    case 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
    case 0xE0000...0xE007F: true
    default: false
    }
  }
}

extension String {
  /// The text with everything that could steer a terminal written as `\u{…}`, on one line.
  var escapedForTerminal: String {
    guard unicodeScalars.contains(where: \.steersTerminal) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.steersTerminal {
        text.append("\\u{" + String(scalar.value, radix: 16) + "}")
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// The text as a field of CSV (RFC 4180): quoted where it must be, and never one that a spreadsheet takes for a
  /// formula.
  var escapedForCSV: String {
    var text = self
    if let first = unicodeScalars.first, ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"].contains(first) {
      text = "'" + text
    }
    guard text.unicodeScalars.contains(where: { ["\"", ",", "\n", "\r", ";", "'"].contains($0) }) else { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { quoted.append("\"\"") } else { quoted.unicodeScalars.append(scalar) }
    }
    return quoted + "\""
  }

  /// The text with at most a number of characters; an ellipsis stands for what is cut off.
  func cut(to width: Int) -> String {
    count <= width ? self : String(prefix(max(0, width - 1))) + "…"
  }
}
