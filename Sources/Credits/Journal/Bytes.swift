#if _endian(big)
  #error(
    "the store's files are little-endian and entries are kept in memory as on disk; this needs a little-endian machine")
#endif

/// Why bytes could not be read as what they should be.
package struct DecodingError: Error, Hashable, Sendable {
  /// What is wrong, in words.
  package let reason: String

  package init(_ reason: String) { self.reason = reason }
}

/// Reads little-endian integers from bytes, in order, never beyond their end.
package struct ByteReader: ~Escapable {
  private let bytes: RawSpan
  package private(set) var offset: Int

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The bytes that are left.
  package var remaining: Int { bytes.byteCount - offset }

  @_lifetime(self: copy self)
  package mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) throws(DecodingError) -> T {
    guard remaining >= MemoryLayout<T>.size else { throw DecodingError("it ends too early") }
    // Safe: the range was checked, and any bytes make an integer.
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
    offset += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  @_lifetime(self: copy self)
  package mutating func readZeros(_ count: Int) throws(DecodingError) {
    for _ in 0..<count where try read(UInt8.self) != 0 { throw DecodingError("reserved bytes are not zero") }
  }

  /// Reads text, and the zeros that fill its last word.
  @_lifetime(self: copy self)
  package mutating func readText(_ count: Int) throws(DecodingError) -> String {
    var text: [UInt8] = []
    for _ in 0..<count { text.append(try read()) }
    try readZeros(-count & 7)
    guard let string = String(validating: text, as: UTF8.self) else { throw DecodingError("a text is not UTF-8") }
    return string
  }
}

/// Writes little-endian integers to memory that its owner has reserved, in order.
@safe package struct ByteWriter {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  package private(set) var offset = 0

  package init(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let base = buffer.baseAddress else { preconditionFailure("bytes cannot be written to an empty buffer") }
    unsafe self.base = base
    capacity = buffer.count
  }

  @inline(__always) package mutating func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    precondition(offset + MemoryLayout<T>.size <= capacity, "the reserved memory is too small")
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    offset += MemoryLayout<T>.size
  }

  package mutating func writeZeros(_ count: Int) {
    for _ in 0..<count { write(0 as UInt8) }
  }

  /// Writes text, and zeros up to the end of its last word.
  package mutating func writeText(_ text: String) {
    for byte in text.utf8 { write(byte) }
    writeZeros(-text.utf8.count & 7)
  }
}
