import Glibc
// Declares timespec.
import SwiftOverlayShims

/// The lines of a file, from start to end, in bounded memory.
///
/// Lines end with LF or CRLF; the last one may end with the file.
final class LineReader {
  /// The most bytes of a line.
  static let longestLine = 1 << 16
  private static let chunk = 1 << 18

  let path: String
  /// The number of the line that was read last, from 1.
  private(set) var number = 0
  private let descriptor: Int32
  private var buffer: [UInt8]
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  private var mark: Mark?

  /// What tells that a file is still the one that was checked.
  private struct Mark: Equatable {
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  /// Opens a file; it must be one that can be read more than once.
  init(path: String) throws(UsageLogError) {
    self.path = path
    buffer = [UInt8](repeating: 0, count: LineReader.longestLine + LineReader.chunk)
    // Opening a named pipe would wait for somebody who writes to it; for a regular file the flag means nothing.
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw UsageLogError(path: path, line: nil, reason: "cannot be opened: \(systemReason()); name another file")
    }
    guard let status = status(), status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw UsageLogError(
        path: path, line: nil, reason: "is no regular file, and it is read more than once; write it to a file first")
    }
    mark = LineReader.mark(status)
  }

  deinit { close(descriptor) }

  private func status() -> stat? {
    var status = stat()
    // Safe: the kernel fills the local value during the call.
    return unsafe fstat(descriptor, &status) == 0 ? status : nil
  }

  private static func mark(_ status: stat) -> Mark {
    Mark(size: Int(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  /// Goes back to the start; throws if the file has changed since it was opened.
  func rewind() throws(UsageLogError) {
    try checkUnchanged()
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw UsageLogError(path: path, line: nil, reason: "cannot be read again: \(systemReason())")
    }
    (start, end, number, isAtEnd) = (0, 0, 0, false)
  }

  /// Throws if the file has changed since it was opened.
  func checkUnchanged() throws(UsageLogError) {
    guard let status = status(), LineReader.mark(status) == mark else {
      throw UsageLogError(
        path: path, line: nil, reason: "has changed while it was read; replay it again, with the same --run")
    }
  }

  /// The next line without its end; nil after the last.
  func next() throws(UsageLogError) -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let feed = buffer[searched..<end].firstIndex(of: UInt8(ascii: "\n")) {
        let line = try take(start..<feed)
        start = feed + 1
        return line
      }
      guard end - start <= LineReader.longestLine + 1 else {
        number += 1
        throw tooLong()
      }
      if isAtEnd {
        guard start < end else { return nil }
        let line = try take(start..<end)
        start = end
        return line
      }
      let kept = end - start
      try fill()
      searched = start + kept
    }
  }

  private func take(_ range: Range<Int>) throws(UsageLogError) -> ArraySlice<UInt8> {
    number += 1
    var line = buffer[range]
    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
    guard line.count <= LineReader.longestLine else { throw tooLong() }
    return line
  }

  private func tooLong() -> UsageLogError {
    UsageLogError(path: path, line: number, reason: "is longer than \(LineReader.longestLine.grouped) bytes")
  }

  /// Moves what is left to the front of the buffer and reads more behind it.
  private func fill() throws(UsageLogError) {
    if start > 0 {
      for index in start..<end { buffer[index - start] = buffer[index] }
      end -= start
      start = 0
    }
    let room = min(LineReader.chunk, buffer.count - end)
    while true {
      // Safe: the range lies within the array, and the pointer is used during the call only.
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe read(descriptor, bytes.baseAddress.map { unsafe $0 + end }, room)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw UsageLogError(path: path, line: number + 1, reason: "cannot be read: \(systemReason())")
      }
      isAtEnd = count == 0
      end += count
      return
    }
  }
}
