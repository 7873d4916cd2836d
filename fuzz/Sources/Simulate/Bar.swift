internal import Glibc

/// How far something has come, on the standard error stream: a bar on a terminal, else a line now and then.
final class Bar {
  private let title: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var shown = ContinuousClock.now
  private var width = 0

  init(_ title: String) { self.title = title }

  /// Shows the part that is done, and a remark; ten times a second at most, and twice a minute where it is no terminal.
  func show(_ part: Double, _ remark: @autoclosure () -> String) {
    guard shown.duration(to: .now) > (isTerminal ? .milliseconds(100) : .seconds(30)) else { return }
    shown = .now
    let percent = "\(Int(min(1, max(0, part)) * 100))%"
    guard isTerminal else { return write("\(title)  \(percent)  \(remark())\n") }
    let full = Int(min(1, max(0, part)) * 30)
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: 30 - full)
    draw("\(title)  [\(bar)] \(percent)  \(remark())")
  }

  /// Removes the bar.
  func end() { if width > 0 { draw("") } }

  private func draw(_ line: String) {
    write("\r" + line + String(repeating: " ", count: max(0, width - line.count)) + (line.isEmpty ? "\r" : ""))
    width = line.count
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    // Safe: the array outlives the call. What cannot be shown is no failure.
    _ = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
