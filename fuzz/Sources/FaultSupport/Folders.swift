internal import CreditsTesting
internal import Glibc

// The unsafe calls of this file rely on this: a path is a terminated string, a buffer and a result are local, and they
// outlive the call.

/// Files and folders, as far as the tools need them.
public enum Folders {
  /// Removes a file, or a folder with all that is in it.
  public static func remove(_ path: String) { TemporaryStore.remove(path) }

  /// Makes a folder.
  public static func make(_ path: String) { unsafe mkdir(path, 0o700) }

  /// A fresh folder in the memory file system, where there is one; in the folder that `shareTemporary` named, if any.
  public static func temporary(_ name: String) -> String {
    let shared = unsafe getenv("CREDITS_SCRATCH").map { unsafe String(cString: $0) }
    let base = shared ?? (unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
    var template = Array("\(base)/credits-\(name)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { fail("no temporary folder can be made in \(base)") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Lets this process and those that it starts make their temporary folders in this one, so that they go with it,
  /// however the processes end.
  public static func shareTemporary(_ folder: String) { unsafe setenv("CREDITS_SCRATCH", folder, 1) }

  /// The bytes of a file; none if there is no file.
  public static func read(_ path: String) -> [UInt8] {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { Glibc.close(descriptor) }
    var status = stat()
    unsafe fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var place = 0
    while place < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(
          descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[place...]).baseAddress, buffer.count - place)
      }
      guard count > 0 else { break }
      place += count
    }
    return Array(bytes[..<place])
  }

  /// The first bytes of a file that says nothing of its size, such as those of the kernel.
  public static func readAll(_ path: String) -> [UInt8] {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { Glibc.close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }

  /// Writes a file anew.
  public static func write(_ bytes: [UInt8], to path: String) {
    let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fail("\(path) cannot be written: error \(errno)") }
    defer { Glibc.close(descriptor) }
    var place = 0
    while place < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: buffer[place...]).baseAddress, buffer.count - place)
      }
      guard count > 0 else { fail("\(path) cannot be written: error \(errno)") }
      place += count
    }
  }

  /// Appends lines to a file.
  public static func append(_ lines: [String], to path: String) {
    let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fail("\(path) cannot be written: error \(errno)") }
    defer { Glibc.close(descriptor) }
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { fail("\(path) cannot be written") }
  }

  /// The names in a folder, without order.
  public static func names(in folder: String) -> [String] { TemporaryStore.names(in: folder) }
}

/// Ends the tool with a sentence.
public func fail(_ reason: String) -> Never {
  say(reason)
  exit(2)
}

/// Prints a line at once.
public func say(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = unsafe Glibc.write(2, bytes, bytes.count)
}

/// Seconds since some fixed moment.
public var seconds: Double {
  var value = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &value)
  return Double(value.tv_sec) + Double(value.tv_nsec) / 1e9
}
