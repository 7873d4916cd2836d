/// A stretch of the calendar in UTC that comes round again and again from an anchor.
///
/// Months and years keep the day of the anchor where the month has it, and else take the month's last day: from
/// January 31 come February 28, March 31, April 30. The time of day is the anchor's.
public enum Period: UInt8, Hashable, Sendable, CaseIterable, BitwiseCopyable {
  /// 24 hours.
  case day = 1

  /// Seven days.
  case week = 2

  /// A month of the calendar.
  case month = 3

  /// Twelve months of the calendar.
  case year = 4

  /// The beginning of a period by its number: 0 begins at the anchor, the ones before it are negative.
  ///
  /// `never` where it would lie after `Timestamp.latest`; the least moment where it would lie before the year 0.
  package func boundary(_ index: Int, from anchor: Timestamp) -> Timestamp {
    guard anchor <= .latest else { return .never }
    let anchor = max(anchor, Self.earliest)
    if let length {
      let (distance, overflow) = Int64(index).multipliedReportingOverflow(by: length)
      let (sum, carried) = anchor.microseconds.addingReportingOverflow(distance)
      return Self.limited(overflow || carried ? nil : sum, isLate: index > 0)
    }
    let start = CivilMoment(anchor)
    let (distance, overflow) = Int64(index).multipliedReportingOverflow(by: months)
    let (month, carried) = start.month.addingReportingOverflow(distance)
    // 120,000 months reach the end of the year 9999.
    guard !overflow, !carried, month >= 0, month < 120_000 else { return Self.limited(nil, isLate: index > 0) }
    let day = min(start.day, CivilDate.days(inMonth: month % 12 + 1, of: month / 12))
    let days = CivilDate.day(ofYear: month / 12, month: month % 12 + 1, day: day)
    return Self.limited(days * Self.microsecondsPerDay + start.timeOfDay, isLate: index > 0)
  }

  /// The number of the period that contains a time: its boundary is the last one that is not after the time.
  ///
  /// A time before the year 0 counts as the beginning of that year, a time after `Timestamp.latest` as `latest`; so
  /// does the anchor.
  package func index(at time: Timestamp, from anchor: Timestamp) -> Int {
    let time = min(max(time, Self.earliest), .latest)
    let anchor = min(max(anchor, Self.earliest), .latest)
    if let length {
      let distance = time.microseconds - anchor.microseconds
      return Int(distance >= 0 ? distance / length : (distance + 1) / length - 1)
    }
    let here = CivilMoment(time).month
    let start = CivilMoment(anchor).month
    // The boundary of this month, or of this year; only the one before it can be the right one instead.
    let candidate = self == .month ? here - start : here / 12 - start / 12
    return Int(boundary(Int(candidate), from: anchor) <= time ? candidate : candidate - 1)
  }

  private static let microsecondsPerDay: Int64 = 86_400_000_000

  /// The first moment of the year 0.
  private static let earliest = Timestamp(microseconds: -62_167_219_200_000_000)

  /// The length in microseconds where it is always the same.
  private var length: Int64? {
    switch self {
    case .day: Self.microsecondsPerDay
    case .week: 7 * Self.microsecondsPerDay
    case .month, .year: nil
    }
  }

  private var months: Int64 { self == .year ? 12 : 1 }

  private static func limited(_ microseconds: Int64?, isLate: Bool) -> Timestamp {
    guard let microseconds else { return isLate ? .never : Timestamp(microseconds: .min) }
    let time = Timestamp(microseconds: microseconds)
    return time > .latest ? .never : time < earliest ? Timestamp(microseconds: .min) : time
  }

  /// A moment as its month, counted from the year 0, its day in that month, and the time of that day.
  private struct CivilMoment {
    let month: Int64
    let day: Int64
    let timeOfDay: Int64

    init(_ time: Timestamp) {
      var days = time.microseconds / microsecondsPerDay
      var rest = time.microseconds % microsecondsPerDay
      if rest < 0 {
        days -= 1
        rest += microsecondsPerDay
      }
      let date = CivilDate.date(ofDay: days)
      month = date.year * 12 + date.month - 1
      day = date.day
      timeOfDay = rest
    }
  }
}

extension Period: CustomStringConvertible {
  /// The word for the period.
  public var description: String {
    switch self {
    case .day: "day"
    case .week: "week"
    case .month: "month"
    case .year: "year"
    }
  }
}
