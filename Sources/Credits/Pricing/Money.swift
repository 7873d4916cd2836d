/// A currency by its three letters, such as `USD` (ISO 4217).
public struct Currency: Hashable, Sendable, BitwiseCopyable {
  /// The three ASCII letters, the first in the highest of the low 24 bits.
  package let code: UInt32

  /// The currency of a packed code; nil unless it is three capitals.
  package init?(code: UInt32) {
    guard code >> 24 == 0 else { return nil }
    for shift: UInt32 in [16, 8, 0] {
      let letter = UInt8(truncatingIfNeeded: code >> shift)
      guard letter >= UInt8(ascii: "A"), letter <= UInt8(ascii: "Z") else { return nil }
    }
    self.code = code
  }

  /// Parses three ASCII capitals; nil for anything else.
  public init?(_ text: String) {
    guard text.utf8.count == 3 else { return nil }
    self.init(code: text.utf8.reduce(0) { $0 << 8 | UInt32($1) })
  }

  private init(packed code: UInt32) { self.code = code }

  /// The dollar of the United States.
  public static let usd = Currency(packed: 0x55_5344)

  /// The euro.
  public static let eur = Currency(packed: 0x45_5552)

  /// The pound sterling.
  public static let gbp = Currency(packed: 0x47_4250)

  /// The number of decimals of the currency's minor unit: two for most, none for the yen, three for the dinar.
  ///
  /// Source: ISO 4217, list one; the currencies that differ from two decimals.
  public var decimals: Int {
    switch description {
    case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
      "XOF", "XPF":
      0
    case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
    case "CLF", "UYW": 4
    default: 2
    }
  }

  /// The number of minor units in one major unit, such as 100 cents in a dollar.
  public var minorPerMajor: Int64 {
    switch decimals {
    case 0: 1
    case 3: 1000
    case 4: 10_000
    default: 100
    }
  }
}

extension Currency: CustomStringConvertible {
  /// The three letters.
  public var description: String {
    String(decoding: [UInt8(code >> 16 & 255), UInt8(code >> 8 & 255), UInt8(code & 255)], as: UTF8.self)
  }
}

/// An amount of money in minor units, such as cents, of one currency.
///
/// Not `Comparable`, as amounts of different currencies have no order; `isLess(than:)` answers within one.
public struct Money: Hashable, Sendable, BitwiseCopyable {
  /// The amount in minor units of the currency, such as cents.
  public let minor: Int64

  /// The currency.
  public let currency: Currency

  /// Makes an amount of minor units: `Money(20_00, .usd)` is twenty dollars.
  public init(_ minor: Int64, _ currency: Currency) {
    self.minor = minor
    self.currency = currency
  }

  /// The sum; nil where it overflows or the other amount is of another currency.
  public func adding(_ other: Money) -> Money? {
    let (sum, overflow) = minor.addingReportingOverflow(other.minor)
    return overflow || currency != other.currency ? nil : Money(sum, currency)
  }

  /// The difference; nil where it overflows or the other amount is of another currency.
  public func subtracting(_ other: Money) -> Money? {
    let (difference, overflow) = minor.subtractingReportingOverflow(other.minor)
    return overflow || currency != other.currency ? nil : Money(difference, currency)
  }

  /// The product; nil where it overflows.
  public func multiplied(by factor: Int64) -> Money? {
    let (product, overflow) = minor.multipliedReportingOverflow(by: factor)
    return overflow ? nil : Money(product, currency)
  }

  /// Whether this is less money than another amount; nil where the other amount is of another currency.
  public func isLess(than other: Money) -> Bool? {
    currency == other.currency ? minor < other.minor : nil
  }
}

extension Money: LosslessStringConvertible {
  /// The amount with all decimals of its currency, such as `20.00 USD`, `500 JPY` or `-1.250 KWD`.
  public var description: String {
    let per = UInt64(currency.minorPerMajor)
    var text = minor < 0 ? "-" : ""
    text += String(minor.magnitude / per)
    if per > 1 {
      let digits = String(minor.magnitude % per)
      text += "." + String(repeating: "0", count: currency.decimals - digits.utf8.count) + digits
    }
    return text + " " + currency.description
  }

  /// Parses what `description` writes, such as `20.00 USD`, exactly; nil for anything else.
  ///
  /// The decimals are all there, as many as the currency has.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 5, bytes[bytes.count - 4] == UInt8(ascii: " "),
      let currency = Currency(String(decoding: bytes.suffix(3), as: UTF8.self))
    else { return nil }
    var digits = bytes.dropLast(4)
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits = digits.dropFirst() }
    if currency.decimals > 0 {
      let point = digits.endIndex - currency.decimals - 1
      guard point > digits.startIndex, digits[point] == UInt8(ascii: ".") else { return nil }
      digits.remove(at: point)
    }
    guard !digits.isEmpty else { return nil }
    var minor: Int64 = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let digit = Int64(byte - UInt8(ascii: "0"))
      let (tens, overflow) = minor.multipliedReportingOverflow(by: 10)
      // Negative amounts are built downwards, so that the least Int64 is read too.
      let (sum, carried) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      guard !overflow, !carried else { return nil }
      minor = sum
    }
    self.init(minor, currency)
  }
}
