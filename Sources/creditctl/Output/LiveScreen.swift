import Glibc

/// A line of a screen, and whether it is a title.
struct ScreenLine: Equatable {
  var text: String
  var isTitle = false
}

/// A screen of its own on the terminal, drawn again and again, which gives way to what was there before.
struct LiveScreen {
  private var isShown = false

  /// Whether the standard output is a terminal that can show one.
  static var isPossible: Bool {
    // Safe: nothing in this program changes the environment.
    let term = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
    return isatty(STDOUT_FILENO) == 1 && !term.isEmpty && term != "dumb"
  }

  /// Draws lines, titles in bold, in place of those before; the rest of so many rows is blank.
  mutating func draw(_ lines: [ScreenLine], rows: Int) throws(WriteFailure) {
    var text = isShown ? "" : "\u{1B}[?1049h\u{1B}[?25l"
    isShown = true
    text += "\u{1B}[H"
    for row in 0..<max(rows, lines.count) {
      // Each row is blanked before it is written: afterwards, that would take the last column of a full one.
      text += (row > 0 ? "\r\n" : "") + "\u{1B}[K"
      guard row < lines.count else { continue }
      text += lines[row].isTitle ? "\u{1B}[1m\(lines[row].text)\u{1B}[0m" : lines[row].text
    }
    try Output.standard.raw(text)
    try Output.standard.flush()
  }

  /// Gives the terminal back as it was.
  mutating func end() {
    guard isShown else { return }
    isShown = false
    // A terminal that is gone needs nothing back.
    try? Output.standard.raw("\u{1B}[?25h\u{1B}[?1049l")
    try? Output.standard.flush()
  }
}
