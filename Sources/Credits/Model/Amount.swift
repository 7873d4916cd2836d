/// A number of credits, exact to the millionth.
///
/// Written as a literal (`3.5`), parsed from decimal text, or made from millionths. Never a floating-point number:
/// a literal finer than a millionth, and arithmetic beyond ±9,223,372,036,854.775807, trap.
public struct Amount: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The amount in millionths of a credit.
  public let millionths: Int64

  /// Makes an amount from millionths of a credit.
  @inlinable public init(millionths: Int64) { self.millionths = millionths }

  /// No credits.
  public static let zero = Amount(millionths: 0)

  /// The largest amount.
  public static let max = Amount(millionths: .max)

  /// Orders by size.
  @inlinable public static func < (left: Amount, right: Amount) -> Bool { left.millionths < right.millionths }

  /// The sum; traps beyond the range of an amount.
  @inlinable public static func + (left: Amount, right: Amount) -> Amount {
    Amount(millionths: left.millionths + right.millionths)
  }

  /// The difference; traps beyond the range of an amount.
  @inlinable public static func - (left: Amount, right: Amount) -> Amount {
    Amount(millionths: left.millionths - right.millionths)
  }

  /// Adds to an amount in place; traps beyond the range of an amount.
  @inlinable public static func += (left: inout Amount, right: Amount) { left = left + right }

  /// Subtracts from an amount in place; traps beyond the range of an amount.
  @inlinable public static func -= (left: inout Amount, right: Amount) { left = left - right }

  /// The sum, or nil beyond the range of an amount.
  @inlinable public func adding(_ other: Amount) -> Amount? {
    let (sum, overflow) = millionths.addingReportingOverflow(other.millionths)
    return overflow ? nil : Amount(millionths: sum)
  }
}

extension Amount: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  /// Makes an amount of whole credits that is written in the source.
  public init(integerLiteral credits: Int64) {
    let (millionths, overflow) = credits.multipliedReportingOverflow(by: 1_000_000)
    precondition(!overflow, "an amount of \(credits) credits is beyond what an Amount can hold")
    self.init(millionths: millionths)
  }

  /// Makes an amount that is written in the source with a decimal point, exactly.
  ///
  /// Traps where the literal is finer than a millionth or so large (above four billion) that a literal cannot be exact.
  public init(floatLiteral credits: Double) {
    let scaled = (credits * 1_000_000).rounded()
    precondition(
      credits.magnitude < 4_000_000_000 && (scaled / 1_000_000) == credits,
      "the literal \(credits) is no exact number of millionths of a credit; parse it from text instead")
    self.init(millionths: Int64(scaled))
  }
}

extension Amount: LosslessStringConvertible {
  /// Parses decimal text such as `87.25` or `-0.000001`, exactly; nil for anything else, and for more than six
  /// decimals.
  public init?(_ text: String) {
    guard let amount = Amount(utf8: text.utf8) else { return nil }
    self = amount
  }

  /// Parses the bytes of decimal text, exactly; nil for anything else, and for more than six decimals.
  public init?(utf8 bytes: some Collection<UInt8>) {
    var rest = bytes[...]
    let negative = rest.first == UInt8(ascii: "-")
    if negative { rest = rest.dropFirst() }
    var value: Int64 = 0
    var digits = 0
    var decimals: Int?
    for byte in rest {
      if byte == UInt8(ascii: "."), decimals == nil, digits > 0 {
        decimals = 0
        continue
      }
      guard byte >= 48, byte <= 57 else { return nil }
      guard Amount.append(Int64(byte - 48), to: &value, isNegative: negative) else { return nil }
      digits += 1
      if let seen = decimals {
        guard seen < 6 else { return nil }
        decimals = seen + 1
      }
    }
    guard digits > 0, decimals != 0 else { return nil }
    for _ in (decimals ?? 0)..<6 where !Amount.append(0, to: &value, isNegative: negative) { return nil }
    self.init(millionths: value)
  }

  /// Adds a digit; negative amounts are built downwards, so that the least one is read too.
  private static func append(_ digit: Int64, to value: inout Int64, isNegative: Bool) -> Bool {
    let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, carried) = isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
    value = sum
    return !overflow && !carried
  }

  /// The shortest exact decimal text, such as `87.25`.
  public var description: String {
    let whole = millionths.magnitude / 1_000_000
    var fraction = millionths.magnitude % 1_000_000
    let sign = millionths < 0 ? "-" : ""
    guard fraction != 0 else { return sign + String(whole) }
    var decimals = 6
    while fraction % 10 == 0 {
      fraction /= 10
      decimals -= 1
    }
    let digits = String(fraction)
    return sign + String(whole) + "." + String(repeating: "0", count: decimals - digits.utf8.count) + digits
  }
}
