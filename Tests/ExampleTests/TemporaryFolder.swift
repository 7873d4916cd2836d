import Glibc

/// A fresh folder that disappears with its last reference, stores in it included.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/credits-examples-XXXXXX".utf8CString)
    // The template is a mutable, terminated string that outlives the call.
    guard let made = unsafe mkdtemp(&template) else { preconditionFailure("the system gave no temporary folder") }
    path = unsafe String(cString: made)
  }

  deinit { Self.remove(path) }

  /// A path in the folder at which nothing is yet.
  func place(_ name: String) -> String { path + "/" + name }

  private static func remove(_ path: String) {
    for name in SourceTree.names(in: path) where unsafe unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
    // Paths are terminated strings that outlive the call.
    _ = unsafe rmdir(path)
  }
}
