internal import Credits

/// The calendar of the reference ledger: days are counted year by year, and month by month.
enum ReferenceCalendar {
  private static let day: Int64 = 86_400_000_000

  /// The period that contains a moment, its end not included; `never` where it would end after the last moment.
  static func period(_ period: Period, from anchor: Timestamp, at time: Timestamp) -> (start: Timestamp, end: Timestamp)
  {
    var index = estimate(period, from: anchor, at: time)
    while start(index, period, from: anchor) > time { index -= 1 }
    while start(index + 1, period, from: anchor) <= time { index += 1 }
    let end = start(index + 1, period, from: anchor)
    return (start(index, period, from: anchor), end < .latest ? end : .never)
  }

  /// A number near that of the period which contains a moment.
  private static func estimate(_ period: Period, from anchor: Timestamp, at time: Timestamp) -> Int64 {
    let days = time.microseconds / day - anchor.microseconds / day
    switch period {
    case .day: return days
    case .week: return days / 7
    case .month: return days / 31
    case .year: return days / 366
    }
  }

  /// The beginning of a period by its number, always worked out from the anchor.
  private static func start(_ index: Int64, _ period: Period, from anchor: Timestamp) -> Timestamp {
    switch period {
    case .day: return Timestamp(microseconds: anchor.microseconds + index * day)
    case .week: return Timestamp(microseconds: anchor.microseconds + index * 7 * day)
    case .month: return anchor.movedBy(months: index)
    case .year: return anchor.movedBy(months: 12 * index)
    }
  }

  fileprivate static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// The days of a month, from 0 for January.
  fileprivate static func days(_ month: Int64, _ year: Int64) -> Int64 {
    switch month {
    case 1: isLeap(year) ? 29 : 28
    case 3, 5, 8, 10: 30
    default: 31
    }
  }

  fileprivate static func days(_ year: Int64) -> Int64 { isLeap(year) ? 366 : 365 }
}

extension Timestamp {
  /// So many months later, or earlier: on the same day of the month, or on its last where it is shorter.
  fileprivate func movedBy(months: Int64) -> Timestamp {
    let length: Int64 = 86_400_000_000
    var (year, month, day) = (Int64(1970), Int64(0), microseconds / length)
    while day >= ReferenceCalendar.days(year) {
      day -= ReferenceCalendar.days(year)
      year += 1
    }
    while day >= ReferenceCalendar.days(month, year) {
      day -= ReferenceCalendar.days(month, year)
      month += 1
    }
    let moved = year * 12 + month + months
    (year, month) = (moved / 12, moved % 12)
    var days = min(day, ReferenceCalendar.days(month, year) - 1)
    for earlier in 0..<month { days += ReferenceCalendar.days(earlier, year) }
    if year >= 1970 {
      for earlier in 1970..<year { days += ReferenceCalendar.days(earlier) }
    } else {
      for later in year..<1970 { days -= ReferenceCalendar.days(later) }
    }
    return Timestamp(microseconds: days * length + microseconds % length)
  }
}
