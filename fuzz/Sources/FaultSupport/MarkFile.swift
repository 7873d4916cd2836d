internal import Glibc

/// Where a process writes its marks: a file of its own, on the descriptor that a recording shim watches.
public struct MarkFile: Sendable {
  private static let descriptor: Int32 = 1_000

  /// Appends to a file.
  public init(_ path: String) {
    // Safe: a path is a terminated string that outlives the call.
    let opened = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard opened >= 0, dup2(opened, MarkFile.descriptor) >= 0 else { fail("marks cannot be written to \(path)") }
    Glibc.close(opened)
  }

  /// Writes a mark, in one call.
  public func write(_ mark: Mark) {
    let bytes = Array(mark.line.utf8)
    // Safe: the array outlives the call.
    let count = unsafe Glibc.write(MarkFile.descriptor, bytes, bytes.count)
    guard count == bytes.count else { fail("a mark cannot be written") }
  }
}
