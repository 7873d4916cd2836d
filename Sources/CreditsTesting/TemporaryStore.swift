internal import Glibc

/// A fresh folder under the system's temporary directory with places for stores in it; it goes with its last reference.
public final class TemporaryStore: Sendable {
  /// The folder.
  public let folder: String

  /// Makes the folder, under another one than the system's if one is named.
  public init(in parent: String? = nil) {
    let system = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    let base = parent ?? system
    var template = Array((base + "/credits-XXXXXX").utf8CString)
    // Safe: the template is a mutable, terminated string that outlives the call.
    guard unsafe mkdtemp(&template) != nil else {
      preconditionFailure("the system gives no temporary folder in \(base)")
    }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryStore.remove(folder) }

  /// The path of the store; nothing is there at first.
  public var path: String { place("store") }

  /// A path for something else in the folder; nothing is there at first.
  public func place(_ name: String) -> String { folder + "/" + name }

  /// Removes a file, or a folder with all that is in it.
  public static func remove(_ path: String) {
    for name in names(in: path) { remove(path + "/" + name) }
    // Safe: a path is a terminated string that outlives the call. What is no folder is a file, and the other way round.
    if unsafe rmdir(path) != 0 { unsafe unlink(path) }
  }

  /// The names in a folder, without order; none where there is no folder.
  public static func names(in folder: String) -> [String] {
    var status = stat()
    // Safe: the stream lives until `closedir`, each of its entries until the next `readdir`. Links are not followed.
    guard unsafe lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let stream = unsafe opendir(folder)
    else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
