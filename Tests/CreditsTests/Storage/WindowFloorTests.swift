import Testing

@testable import Credits

@Suite("The floor of the request window")
struct WindowFloorTests {
  private func floor(requests: Int = 6_400, age: Duration = .seconds(64_000)) -> WindowFloor {
    var settings = Settings()
    settings.windowRequests = requests
    settings.windowAge = age
    return WindowFloor(settings: settings, forgotten: .none, time: .zero)
  }

  @Test("by count, at least so many requests are remembered, and at most a few more")
  func count() {
    var floor = floor()
    var forgotten: UInt64 = 0
    for last in stride(from: UInt64(10), through: 50_000, by: 10) {
      if let moved = floor.advance(to: SequenceNumber(last), Timestamp(seconds: 1)) {
        #expect(moved.sequence.value > forgotten)
        forgotten = moved.sequence.value
      }
      // A mark every 100 entries: the floor is the last one that leaves the whole window.
      #expect(last - forgotten >= min(last, 6_400))
      #expect(last - forgotten < 6_400 + 100 + 10)
    }
  }

  @Test("by age, what is younger is remembered, and what is much older is not")
  func age() {
    var floor = floor()
    var (forgotten, time) = (Timestamp.zero, Int64(0))
    for last in UInt64(1)...1_000 {
      time += 500
      if let moved = floor.advance(to: SequenceNumber(last), Timestamp(seconds: time)) { forgotten = moved.time }
      #expect(Timestamp(seconds: time).duration(since: forgotten) >= .seconds(min(time, 64_000)))
      #expect(Timestamp(seconds: time).duration(since: forgotten) <= .seconds(66_000))
    }
  }

  @Test("G4: a time that goes back does not take the floor's time back")
  func back() {
    var floor = floor(requests: 1_024)
    var latest = Timestamp.zero
    for last in UInt64(1)...20_000 {
      let time = Timestamp(seconds: 1_000 + Int64(last) - (last % 3 == 0 ? 500 : 0))
      if let moved = floor.advance(to: SequenceNumber(last), time) {
        #expect(moved.time >= latest)
        latest = moved.time
      }
    }
    #expect(latest > .zero)
  }
}
