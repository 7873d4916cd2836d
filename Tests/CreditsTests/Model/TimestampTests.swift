import Testing

@testable import Credits

@Suite("Timestamps")
struct TimestampTests {
  @Test(
    "a moment is printed in UTC and parsed from it",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
      (1_700_000_000_000_000, "2023-11-14T22:13:20Z"), (951_782_400_000_000, "2000-02-29T00:00:00Z"),
      (4_107_542_400_000_000, "2100-03-01T00:00:00Z"), (1_709_251_199_500_000, "2024-02-29T23:59:59.500000Z"),
      (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ])
  func printing(_ microseconds: Int64, _ text: String) {
    #expect(Timestamp(microseconds: microseconds).description == text)
    #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
  }

  @Test(
    "other ways to write a moment are read",
    arguments: [
      ("2023-11-14", 1_699_920_000_000_000), ("2023-11-14 22:13:20", 1_700_000_000_000_000),
      ("2023-11-14T22:13:20.5", 1_700_000_000_500_000), ("2023-11-14T22:13:20.1234567Z", 1_700_000_000_123_456),
    ])
  func parsing(_ text: String, _ microseconds: Int64) {
    #expect(Timestamp(text) == Timestamp(microseconds: microseconds))
  }

  @Test(
    "what is no moment is refused",
    arguments: [
      "", "2023", "2023-13-01", "2023-00-01", "2023-02-29", "2023-04-31", "2100-02-29", "2023-11-14T24:00:00Z",
      "2023-11-14T22:60:00Z", "2023-11-14T22:13:60Z", "2023-11-14T22:13", "2023-11-14T22:13:20.",
      "2023-11-14T22:13:20X",
      "2023-11-14T22:13:20ZZ", "2023-11-14Z", "2023/11/14", "23-11-14", "2023-11-14T22:13:20+01:00", "-023-11-14",
    ])
  func refusals(_ text: String) { #expect(Timestamp(text) == nil) }

  @Test("every day of eight hundred years follows the day before")
  func calendar() {
    var day = CivilDate.day(ofYear: 1800, month: 1, day: 1)
    for year in Int64(1800)..<2600 {
      for month in Int64(1)...12 {
        for date in 1...CivilDate.days(inMonth: month, of: year) {
          #expect(CivilDate.day(ofYear: year, month: month, day: date) == day)
          #expect(CivilDate.date(ofDay: day) == (year, month, date))
          day += 1
        }
      }
    }
  }

  @Test("durations are added and subtracted, and stop at the ends")
  func arithmetic() {
    let time = Timestamp(seconds: 100)
    #expect(time + .milliseconds(1) == Timestamp(microseconds: 100_001_000))
    #expect(time - .microseconds(1) == Timestamp(microseconds: 99_999_999))
    #expect(time + .nanoseconds(1_999) == Timestamp(microseconds: 100_000_001))
    #expect(time.duration(since: Timestamp(seconds: 40)) == .seconds(60))
    #expect(Timestamp.never + .seconds(1) == .never)
    #expect(time + .seconds(Int64.max) == .never)
    #expect(Timestamp(microseconds: .min) - .seconds(1) == Timestamp(microseconds: .min))
    #expect(Timestamp.zero < time && time < .latest && .latest < .never)
    #expect(Timestamp.never.description == "never")
  }
}
