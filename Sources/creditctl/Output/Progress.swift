import Credits
import Glibc

/// A bar on the standard error stream for work that takes long; draws nothing unless that is a terminal.
final class Progress: Sendable {
  private struct State {
    var drawn = ContinuousClock.now - .seconds(1)
    var width = 0
  }

  private let title: String
  private let terminal: Int?
  private let state = Locked(State())

  /// Begins a bar with a title.
  init(_ title: String) {
    self.title = title
    terminal = Terminal.errorWidth
  }

  /// Shows the part that is done, from 0 to 1, and a remark; ten times a second at most.
  func show(_ part: Double, _ remark: @autoclosure () -> String = "") {
    guard let terminal else { return }
    let isDue = state.withLock { state in
      guard state.drawn.duration(to: .now) >= .milliseconds(100) else { return false }
      state.drawn = .now
      return true
    }
    guard isDue else { return }
    draw(Progress.line(title, part, remark(), width: terminal - 1))
  }

  /// Removes the bar.
  func end() {
    guard terminal != nil, state.withLock({ $0.width }) > 0 else { return }
    draw("")
  }

  /// The text of the bar, no longer than the width.
  static func line(_ title: String, _ part: Double, _ remark: String, width: Int) -> String {
    let part = min(1, max(0, part.isFinite ? part : 0))
    let percent = String(Int(part * 100))
    let tail =
      String(repeating: " ", count: 4 - percent.utf8.count) + percent + "%" + (remark.isEmpty ? "" : "  " + remark)
    let room = min(40, width - title.count - tail.count - 4)
    guard room >= 8 else { return (title + tail).cut(to: width) }
    let full = Int(part * Double(room))
    return "\(title)  [" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "]" + tail
  }

  private func draw(_ line: String) {
    let width = state.withLock { state in
      defer { state.width = line.count }
      return state.width
    }
    var text = "\r" + line + String(repeating: " ", count: max(0, width - line.count))
    if line.isEmpty { text += "\r" }
    let bytes = Array(text.utf8)
    // Safe: the array outlives the call. A bar that cannot be drawn is no failure.
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}
