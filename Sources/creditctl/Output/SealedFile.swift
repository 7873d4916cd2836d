import Glibc

/// A file that appears when it is complete, with its SHA-256 beside it.
final class SealedFile {
  /// The file.
  let path: String
  /// The file with the seal, in the form that `sha256sum --check` reads.
  var sealPath: String { path + ".sha256" }

  private var descriptor: Int32 = -1
  private var temporary = ""

  init(path: String) { self.path = path }

  /// Whether there is something at the path.
  var exists: Bool { unsafe access(path, F_OK) == 0 }

  /// Makes the file under a temporary name beside its own and answers its descriptor.
  func begin() throws(WriteFailure) -> Int32 {
    var template = Array((path + ".part-XXXXXX").utf8CString)
    // Safe: the template is a local array that ends with zero.
    descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw WriteFailure(path: path, reason: systemReason()) }
    temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return descriptor
  }

  /// Syncs the file and gives it its name, without a seal.
  func finish() throws(WriteFailure) { try adopt() }

  /// Syncs the file, writes its seal beside it and gives it its name.
  func finish(seal: String) throws(WriteFailure) {
    guard fsync(descriptor) == 0 else { throw WriteFailure(path: path, reason: systemReason()) }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let beside = SealedFile(path: sealPath)
    let output = Output(try beside.begin(), name: sealPath)
    do throws(WriteFailure) {
      try output.line(SealedFile.line(seal, name))
      try output.flush()
      try beside.adopt()
      try adopt()
    } catch {
      beside.abandon()
      throw error
    }
  }

  /// A line in the form of `sha256sum`: a name with a backslash or an end of line is escaped, and a backslash before
  /// the seal says so.
  static func line(_ seal: String, _ name: String) -> String {
    let escapes: [Unicode.Scalar: String] = ["\\": "\\\\", "\n": "\\n", "\r": "\\r"]
    let escaped = name.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
    return (escaped == name ? "" : "\\") + "\(seal)  \(escaped)"
  }

  /// Removes what was written.
  func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unsafe unlink(temporary)
  }

  private func adopt() throws(WriteFailure) {
    guard fsync(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
      throw WriteFailure(path: path, reason: systemReason())
    }
    close(descriptor)
    descriptor = -1
  }
}
