internal import Glibc

/// A fresh folder that disappears with its last reference.
public final class Folder: Sendable {
  /// Where it is.
  public let path: String

  /// Makes one under the system's folder for temporary files.
  public init() {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array((parent + "/credits-XXXXXX").utf8CString)
    // Safe: the template is a mutable, terminated string that outlives the call.
    guard let made = unsafe mkdtemp(&template) else { preconditionFailure("the system gives no temporary folder") }
    path = unsafe String(cString: made)
  }

  deinit { Folder.remove(path) }

  /// The path of something in the folder.
  public func path(_ name: String) -> String { path + "/" + name }

  /// The names in a folder; none if it is not one.
  public static func names(in folder: String) -> [String] {
    // Safe: the stream lives until it is closed, each entry until the next is read.
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Whether something is at a path.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Removes a file or a folder with all that is in it.
  public static func remove(_ path: String) {
    if unsafe unlink(path) == 0 { return }
    for name in names(in: path) { remove(path + "/" + name) }
    unsafe rmdir(path)
  }
}

/// Files as a test damages them.
public enum File {
  /// All bytes of a file.
  public static func bytes(of path: String) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: size)
    // Safe: the buffer has the bytes that are asked for.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    precondition(count == size, "\(path) could not be read")
    return bytes
  }

  /// Writes bytes into a file at an offset; makes the file if there is none.
  public static func write(_ bytes: [UInt8], to path: String, at offset: Int = 0) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, offset) }
    precondition(count == bytes.count, "\(path) could not be written")
  }

  /// Flips one bit of a file.
  public static func flip(bit: Int, of path: String, at offset: Int) {
    let descriptor = unsafe open(path, O_RDWR)
    defer { close(descriptor) }
    var byte: UInt8 = 0
    let read = unsafe pread(descriptor, &byte, 1, offset)
    byte ^= 1 << UInt8(bit)
    let written = unsafe pwrite(descriptor, &byte, 1, offset)
    precondition(read == 1 && written == 1, "\(path) could not be changed at \(offset)")
  }

  /// Cuts a file to a size.
  public static func cut(_ path: String, to size: Int) {
    precondition(unsafe truncate(path, size) == 0, "\(path) could not be cut")
  }
}
