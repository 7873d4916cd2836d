import Credits
import Crypto
import Glibc

/// A buffered stream of bytes into a file or the standard output; every failure to write is noticed.
final class Output: @unchecked Sendable {
  // Safe to share: the one task that runs the command writes, and nobody else does.
  private let descriptor: Int32
  private let name: String
  private var buffer: [UInt8] = []
  private var hasher: SHA256?

  /// Writes to a descriptor; with a seal, the digest of everything written is kept along.
  init(_ descriptor: Int32, name: String, sealed: Bool = false) {
    self.descriptor = descriptor
    self.name = name
    hasher = sealed ? SHA256() : nil
  }

  /// The standard output.
  static let standard = Output(STDOUT_FILENO, name: "the standard output")

  /// Writes a line.
  func line(_ text: String) throws(WriteFailure) {
    buffer.append(contentsOf: text.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Writes text as it is, without an end of line.
  func raw(_ text: String) throws(WriteFailure) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= 1 << 16 { try flush() }
  }

  /// Writes lines.
  func lines(_ lines: [String]) throws(WriteFailure) { for line in lines { try self.line(line) } }

  /// Hands everything to the operating system.
  func flush() throws(WriteFailure) {
    guard !buffer.isEmpty else { return }
    hasher?.update(data: buffer)
    var sent = 0
    while sent < buffer.count {
      // Safe: the pointer is used during the call only and the count lies within the array.
      let count = unsafe buffer.withUnsafeBytes { bytes in
        unsafe write(descriptor, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        buffer.removeAll()
        throw WriteFailure(path: name, reason: systemReason())
      }
      sent += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// The SHA-256 of everything that was written, in hexadecimal.
  func seal() throws(WriteFailure) -> String {
    try flush()
    return hexadecimal(hasher?.finalize().map { $0 } ?? [])
  }

  /// Prints a complaint, a line, on the standard error stream.
  static func complain(_ sentence: String) { note("creditctl: " + sentence.escapedForTerminal) }

  /// Prints a line on the standard error stream; line feeds in it are kept.
  static func note(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).escapedForTerminal }
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    // Safe: the array outlives the call. There is no better place to report a failure to.
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}

/// Bytes as hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The operating system's words for the last error.
func systemReason(_ number: Int32 = errno) -> String {
  // Safe: strerror answers a text that stays valid until the thread's next call of it.
  unsafe String(cString: strerror(number))
}
