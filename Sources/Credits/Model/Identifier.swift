internal import Crypto

/// The 128 bits that account and request ids are made of, with the ways to make them.
///
/// Text is hashed (SHA-256, cut to 122 bits, marked as a version 8 UUID), so nobody can pick two
/// texts with one id. UUIDs are taken as they are. Integers fill the low 64 bits.
public protocol Identifier: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  /// Makes an id from its two halves, the most significant first.
  init(high: UInt64, low: UInt64)

  /// The most significant 64 bits.
  var high: UInt64 { get }

  /// The least significant 64 bits.
  var low: UInt64 { get }
}

extension Identifier {
  /// Makes the id that belongs to a text: SHA-256 of its UTF-8, cut to 122 bits, as a version 8 UUID.
  ///
  /// Equal texts give equal ids on every machine. Costs about half a microsecond: keep the id.
  public init(_ text: String) {
    var hasher = SHA256()
    var text = text
    text.withUTF8 { bytes in unsafe hasher.update(bufferPointer: UnsafeRawBufferPointer(bytes)) }
    var halves: (UInt64, UInt64) = (0, 0)
    for (index, byte) in hasher.finalize().prefix(16).enumerated() {
      if index < 8 { halves.0 = halves.0 << 8 | UInt64(byte) } else { halves.1 = halves.1 << 8 | UInt64(byte) }
    }
    // Version 8 ("custom") and the RFC 9562 variant: a hashed id can never pass for one that carries time.
    self.init(
      high: halves.0 & 0xFFFF_FFFF_FFFF_0FFF | 0x8000,
      low: halves.1 & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  /// Makes an id from an integer, which fills the low 64 bits.
  public init(_ number: UInt64) { self.init(high: 0, low: number) }

  /// Makes an id from the canonical text of a UUID (8-4-4-4-12 hexadecimal digits), or nil for any other text.
  public init?(uuid text: String) {
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for (position, byte) in text.utf8.enumerated() {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, digits < 32 else { return nil }
      if digits < 16 { halves.0 = halves.0 << 4 | UInt64(digit) } else { halves.1 = halves.1 << 4 | UInt64(digit) }
      digits += 1
    }
    guard digits == 32, text.utf8.count == 36 else { return nil }
    self.init(high: halves.0, low: halves.1)
  }

  /// Makes the id of a text that is written in the source.
  public init(stringLiteral text: String) { self.init(text) }

  /// The id in the form of a UUID, lower case.
  public var description: String {
    var text = ""
    text.reserveCapacity(36)
    for position in 0..<32 {
      if position == 8 || position == 12 || position == 16 || position == 20 { text.append("-") }
      let half = position < 16 ? high : low
      let digit = Int(half >> UInt64(60 - (position & 15) * 4) & 15)
      text.append(Character(UnicodeScalar(UInt8(digit < 10 ? 48 + digit : 87 + digit))))
    }
    return text
  }
}

/// The name of an account, which holds credits: 128 bits.
///
/// ```swift
/// let alice: AccountID = "user_alice"        // any text, hashed
/// let bob = AccountID(42)                    // an integer
/// let carol = AccountID(uuid: "018f6e2a-7c1b-7def-8123-456789abcdef")
/// ```
public struct AccountID: Identifier, BitwiseCopyable {
  /// The most significant 64 bits.
  public let high: UInt64

  /// The least significant 64 bits.
  public let low: UInt64

  /// Makes an id from its two halves, the most significant first.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// The caller's idempotency key, 128 bits: one id has one outcome per account, for all verbs together.
///
/// An id in the form of a version 7 UUID carries the time it was made at; the store refuses one that is older
/// than its request window instead of executing it a second time. Other ids carry no time: once the
/// window has forgotten them, they would be executed again. So would be one that carries a time so far ahead of the
/// store's clock that the window has forgotten it before that time comes: make ids by a clock that is about right. The
/// id of 128 zeros stands for no request and is refused.
public struct RequestID: Identifier, BitwiseCopyable {
  /// The most significant 64 bits.
  public let high: UInt64

  /// The least significant 64 bits.
  public let low: UInt64

  /// Makes an id from its two halves, the most significant first.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Makes a new version 7 UUID for a moment: 48 bits of milliseconds and 74 random bits.
  public init(at time: Timestamp) {
    let milliseconds = UInt64(clamping: time.microseconds / 1000) & 0xFFFF_FFFF_FFFF
    self.init(
      high: milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0x0FFF),
      low: 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF))
  }

  /// The moment that the id carries, to the millisecond, if it is a version 7 UUID.
  public var time: Timestamp? {
    guard high >> 12 & 0xF == 7, low >> 62 == 2 else { return nil }
    return Timestamp(microseconds: Int64(high >> 16) * 1000)
  }

  /// The absence of a request, in entries that time made.
  static let none = RequestID(high: 0, low: 0)
}

/// The place of an entry in the journal, from 1 upwards; 0 stands for no entry.
public struct SequenceNumber: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  /// The number itself.
  public let value: UInt64

  /// Wraps a number.
  @inlinable public init(_ value: UInt64) { self.value = value }

  /// The number of no entry.
  public static let none = SequenceNumber(0)

  /// The highest number that is read from a file: no store gets so far, and sums with others never overflow.
  package static let highest = SequenceNumber(1 << 62)

  /// Orders by place in the journal.
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

  /// The number in decimal.
  public var description: String { String(value) }
}
