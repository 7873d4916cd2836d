import Glibc

/// A fresh folder that disappears with its last reference.
final class TemporaryFolder: Sendable {
  let path: String
  private let isOwner: Bool

  /// Uses a folder that another process owns and removes.
  init(sharing path: String) {
    self.path = path
    isOwner = false
  }

  init() {
    var template = Array("/tmp/lmdb-tests-XXXXXX".utf8CString)
    // The template is a mutable, terminated string that outlives the call.
    guard let made = unsafe mkdtemp(&template) else {
      preconditionFailure("The system gave no temporary folder.")
    }
    path = unsafe String(cString: made)
    isOwner = true
  }

  deinit {
    guard isOwner else { return }
    for entry in Self.entries(of: path) {
      if unsafe unlink(path + "/" + entry) != 0 { Self.removeFolder(path + "/" + entry) }
    }
    Self.removeFolder(path)
  }

  /// Makes a folder in this one and returns its path.
  func folder(_ name: String) -> String {
    let path = path + "/" + name
    // Paths are terminated strings that outlive the call.
    precondition(unsafe mkdir(path, 0o700) == 0, "A test folder could not be made.")
    return path
  }

  var dataFile: String { path + "/data.mdb" }

  private static func removeFolder(_ path: String) {
    for entry in entries(of: path) { _ = unsafe unlink(path + "/" + entry) }
    _ = unsafe rmdir(path)
  }

  /// The names in a folder; none if it is not one.
  static func entries(of path: String) -> [String] {
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

/// The size of a file in bytes, or -1.
func fileSize(_ path: String) -> Int {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? Int(status.st_size) : -1
}

/// The permission bits of a file.
func fileMode(_ path: String) -> UInt32 {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

/// Cuts a file, or makes it longer.
func resizeFile(_ path: String, to size: Int) {
  precondition(unsafe truncate(path, size) == 0, "A test file could not be cut.")
}

/// Writes bytes into a file at an offset; creates the file.
func write(_ bytes: [UInt8], to path: String, at offset: Int = 0) {
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
  defer { close(descriptor) }
  let written = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, offset) }
  precondition(written == bytes.count, "A test file could not be written.")
}

/// Copies a file's first bytes.
func copyFile(_ source: String, to target: String) {
  let descriptor = unsafe open(source, O_RDONLY)
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: fileSize(source))
  let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
  precondition(count == bytes.count, "A test file could not be read.")
  write(bytes, to: target)
}
