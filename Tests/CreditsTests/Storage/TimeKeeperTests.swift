import Testing

@testable import Credits

@Suite("The time keeper")
struct TimeKeeperTests {
  private let clock = StoreClock.Manual(Timestamp(seconds: 1_000))

  private func keeper() -> TimeKeeper {
    TimeKeeper(clock: .manual(clock), limit: .seconds(60), latest: Timestamp(seconds: 1_000))
  }

  @Test("Case 36: time never goes back, even if the clock does")
  func back() throws {
    let keeper = keeper()
    clock.advance(by: .seconds(10))
    #expect(try keeper.now() == Timestamp(seconds: 1_010))
    keeper.advance(to: Timestamp(seconds: 1_010))
    clock.advance(by: .seconds(-500))
    #expect(try keeper.now() == Timestamp(seconds: 1_010))
    #expect(keeper.approximate == Timestamp(seconds: 1_010))
    keeper.advance(to: Timestamp(seconds: 5))
    #expect(keeper.last == Timestamp(seconds: 1_010))
  }

  @Test("Case 36: a jump ahead beyond the limit is refused until it is accepted")
  func jump() throws {
    let keeper = keeper()
    clock.advance(by: .seconds(60))
    #expect(try keeper.now() == Timestamp(seconds: 1_060))
    clock.advance(by: .microseconds(1))
    let expected = StoreError.clockJumped(from: Timestamp(seconds: 1_000), to: clock.now)
    #expect(throws: expected) { try keeper.now() }
    #expect(keeper.approximate == Timestamp(seconds: 1_000), "balances are shown as of the last good time")
    keeper.accept()
    #expect(try keeper.now() == clock.now)
  }

  @Test("small steps lead as far as one likes")
  func steps() throws {
    let keeper = keeper()
    for _ in 0..<100 {
      clock.advance(by: .seconds(59))
      keeper.advance(to: try keeper.now())
    }
    #expect(keeper.last == Timestamp(seconds: 6_900))
  }
}
