import Glibc

/// The files of the package, as text.
enum SourceTree {
  /// The folder of the package: three levels above this file.
  static let root: String = {
    var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(3)
    return parts.joined(separator: "/")
  }()

  /// The text of a file of the package; nil if there is none.
  static func text(of path: String) -> String? {
    // Paths and mode are terminated strings that outlive the call.
    guard let file = unsafe fopen(root + "/" + path, "rb") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      // At most the buffer's own length is read into it.
      let count = unsafe fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The paths of all files below a folder of the package that end in an extension, sorted.
  static func files(under folder: String, extension suffix: String) -> [String] {
    names(in: root + "/" + folder).sorted().flatMap { name -> [String] in
      let path = folder + "/" + name
      return name.hasSuffix("." + suffix) ? [path] : files(under: path, extension: suffix)
    }
  }

  /// The names in a folder; none if it is not one.
  static func names(in path: String) -> [String] {
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
