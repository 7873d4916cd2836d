import Glibc

/// A fresh folder that disappears with its last reference, and all that is in it.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/creditctl-tests-XXXXXX".utf8CString)
    // The template is a mutable, terminated string that outlives the call.
    guard unsafe mkdtemp(&template) != nil else { preconditionFailure("The system gave no temporary folder.") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryFolder.remove(path) }

  /// The path of a name in the folder.
  func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file and answers its path.
  @discardableResult
  func write(_ text: String, to name: String) -> String {
    TemporaryFolder.write(Array(text.utf8), to: file(name))
    return file(name)
  }

  /// Replaces a file.
  static func write(_ bytes: [UInt8], to path: String) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
    precondition(count == bytes.count, "A test file could not be written.")
  }

  /// The bytes of a file; none if there is none.
  static func read(_ path: String) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe Glibc.read(descriptor, &chunk, chunk.count), count > 0 {
      bytes += chunk.prefix(count)
    }
    return bytes
  }

  /// The text of a file.
  static func text(_ path: String) -> String { String(decoding: read(path), as: UTF8.self) }

  /// The names in the folder, sorted.
  var names: [String] { TemporaryFolder.entries(of: path).sorted() }

  private static func remove(_ path: String) {
    for entry in entries(of: path) where unsafe unlink(path + "/" + entry) != 0 { remove(path + "/" + entry) }
    unsafe rmdir(path)
  }

  private static func entries(of path: String) -> [String] {
    // The directory stream lives until closedir, each entry until the next readdir.
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
