import CrashSupport
import Glibc

/// Writes lines to standard output at once, each whole.
enum Output {
  /// Writes lines in one piece.
  static func write(_ lines: [Line]) {
    let bytes = lines.flatMap(\.bytes)
    var offset = 0
    while offset < bytes.count {
      // Up to PIPE_BUF bytes are never mixed with those of other threads; lines stay whole.
      var end = min(offset + 4096, bytes.count)
      while end < bytes.count, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
      let count = unsafe bytes[offset..<end].withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress, $0.count) }
      guard count == end - offset else { exit(9) }
      offset = end
    }
  }

  /// Tells the parent that a step is reached.
  static func step(_ text: String) { write([.step(text)]) }

  /// Tells the parent what is wrong, and ends.
  static func fail(_ text: String) -> Never {
    write([.trouble(text)])
    exit(3)
  }
}
