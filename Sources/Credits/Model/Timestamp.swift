/// A moment in UTC, to the microsecond.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
  public let microseconds: Int64

  /// Makes a moment from microseconds since 1970.
  @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Makes a moment from seconds since 1970.
  @inlinable public init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

  /// Never: later than every moment.
  public static let never = Timestamp(microseconds: .max)

  /// The beginning: no later than any moment that a store knows.
  public static let zero = Timestamp(microseconds: 0)

  /// The last moment of the year 9999, the latest that a store accepts.
  public static let latest = Timestamp(microseconds: 253_402_300_799_999_999)

  /// Orders by time.
  @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// The moment that is a duration later, or earlier where the duration is negative; stops at `never`.
  public static func + (time: Timestamp, duration: Duration) -> Timestamp {
    let (sum, overflow) = time.microseconds.addingReportingOverflow(duration.wholeMicroseconds)
    return Timestamp(microseconds: overflow ? (duration < .zero ? .min : .max) : sum)
  }

  /// The moment that is a duration earlier.
  public static func - (time: Timestamp, duration: Duration) -> Timestamp { time + (.zero - duration) }

  /// The time that passed since another moment.
  public func duration(since other: Timestamp) -> Duration {
    .microseconds(microseconds) - .microseconds(other.microseconds)
  }
}

extension Duration {
  /// The duration in microseconds, fractions cut off, limited to 64 bits.
  var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return overflow || carried ? (seconds < 0 ? .min : .max) : sum
  }
}

extension Timestamp: LosslessStringConvertible {
  /// The moment as `2026-11-22T22:17:45.000001Z`; the fraction is left out where it is zero.
  public var description: String {
    if self == .never { return "never" }
    var days = microseconds / 86_400_000_000
    var rest = microseconds % 86_400_000_000
    if rest < 0 {
      rest += 86_400_000_000
      days -= 1
    }
    let (year, month, day) = CivilDate.date(ofDay: days)
    let seconds = rest / 1_000_000
    let fraction = rest % 1_000_000
    var text = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T"
    text += "\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2))"
    if fraction != 0 { text += "." + pad(fraction, 6) }
    return text + "Z"
  }

  /// Parses `2026-11-22`, `2026-11-22T22:17:45Z`, or the like with a space for the T, a fraction, or no Z; nil
  /// otherwise.
  ///
  /// The time is UTC. Digits of the fraction beyond the sixth are cut off.
  public init?(_ text: String) {
    guard let time = Timestamp(utf8: Array(text.utf8)) else { return nil }
    self = time
  }

  private init?(utf8 bytes: [UInt8]) {
    var reader = bytes[...]
    func number(_ digits: Int) -> Int64? {
      guard reader.count >= digits else { return nil }
      var value: Int64 = 0
      for byte in reader.prefix(digits) {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      reader = reader.dropFirst(digits)
      return value
    }
    func skip(_ allowed: String) -> Bool {
      guard let next = reader.first, allowed.utf8.contains(next) else { return false }
      reader = reader.dropFirst()
      return true
    }
    guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
      (1...12).contains(month), (1...CivilDate.days(inMonth: month, of: year)).contains(day)
    else { return nil }
    var seconds: Int64 = 0
    var fraction: Int64 = 0
    if !reader.isEmpty {
      guard skip("T "), let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2),
        hour < 24, minute < 60, second < 60
      else { return nil }
      seconds = hour * 3600 + minute * 60 + second
      if skip(".") {
        var scale: Int64 = 100_000
        guard let first = reader.first, first >= 48, first <= 57 else { return nil }
        while let digit = reader.first, digit >= 48, digit <= 57 {
          fraction += Int64(digit - 48) * scale
          scale /= 10
          reader = reader.dropFirst()
        }
      }
      _ = skip("Z")
    }
    guard reader.isEmpty else { return nil }
    let days = CivilDate.day(ofYear: year, month: month, day: day)
    self.init(microseconds: (days * 86_400 + seconds) * 1_000_000 + fraction)
  }
}

private func pad(_ number: Int64, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// The proleptic Gregorian calendar on days since 1970-01-01.
///
/// Source: the era arithmetic of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
enum CivilDate {
  /// The number of days from 1970-01-01 to a date.
  static func day(ofYear year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The date of a number of days since 1970-01-01.
  static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  /// The number of days in a month.
  static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (leap ? 29 : 28) : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31)
  }
}
