extension Unicode.Scalar {
  /// Whether the character could steer a terminal, break a line, hide, or turn the direction of the text after it.
  package var steersTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0xAD: true
    case 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: true
    case 0x1D173...0x1D17A, 0xE0000...0xE007F: true
    default: false
    }
  }
}

extension String {
  /// The text with everything that could steer a terminal written as `\u{…}`, on one line: for terminals and logs.
  package var escapedForTerminal: String {
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
}
