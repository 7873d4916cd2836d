import Testing

@testable import Credits

@Suite("Rules of holds")
struct HoldRulesTests {
  private static let hold = RequestID(77)

  private static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }

  static let scenes = [
    Scene("a hold", ["held 4 1:4 until 600, 1 left"]) {
      $0.give(5)
      return $0.hold(4)
    },
    Scene("a hold of all there is", ["held 5 1:5 until 600, 0 left", "exhausted 0, 0 left"]) {
      $0.give(5)
      return $0.hold(5)
    },
    Scene("a hold over several grants, in the order of use", ["held 9 2:3 1:5 3:1 until 600, 1 left"]) {
      $0.give(5, .promotion("a"))
      $0.give(3, .allowance)
      $0.give(2)
      return $0.hold(9)
    },
    Scene("a hold of more than there is", ["denied 6 insufficient until 600, 5 left"]) {
      $0.give(5)
      return $0.hold(6)
    },
    Scene("a hold of more than other holds leave", ["denied 3 insufficient until 600, 2 left"]) {
      $0.give(5)
      $0.hold(3, RequestID(76))
      return $0.hold(3)
    },
    Scene("a hold of a frozen account", ["denied 3 frozen until 600, 5 left"]) {
      $0.give(5)
      $0.run(.freeze(reason: ""))
      return $0.hold(3)
    },
    Scene("a hold of a closed account", ["denied 3 closed until 600, 0 left"]) {
      $0.run(.close(reason: ""))
      return $0.hold(3)
    },
    Scene("a hold of nothing", []) {
      $0.give(5)
      return $0.hold(0)
    },
    Scene("a hold for no time", []) {
      $0.give(5)
      return $0.hold(1, lasting: .zero)
    },
    Scene("a hold for more than 366 days", []) {
      $0.give(5)
      return $0.hold(1, lasting: .seconds(366 * 86_400) + .microseconds(1))
    },
    Scene("a hold for 366 days", ["held 1 1:1 until 31622400, 4 left"]) {
      $0.give(5)
      return $0.hold(1, lasting: .seconds(366 * 86_400))
    },
    Scene("a hold of what the price book has for nothing", ["held 0 until 600, 5 left"]) {
      // This once stopped the program: nothing was taken from a grant of number 0.
      $0.give(5)
      return $0.run(.hold(0, lasting: .seconds(600), .release, Tariff(row: 1)), hold).records
    },
    Scene(
      "a hold of nothing is captured for something: all of it is excess",
      ["captured 0 caller, 5 left", "debited 2 1:2, 3 left"]
    ) {
      $0.give(5)
      $0.run(.hold(0, lasting: .seconds(600), .release, Tariff(row: 1)), hold)
      return $0.run(.capture(hold, 2)).records
    },
    Scene("Case 19: a capture of all", ["captured 4 caller 1:4, 1 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.capture(hold, nil)).records
    },
    Scene("Case 19: a capture for as much", ["captured 4 caller 1:4, 1 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.capture(hold, 4)).records
    },
    Scene("Case 19: a capture for less", ["captured 4 caller 2:3 1:1 back 1:4 back 3:1, 6 left"]) {
      $0.give(5, .promotion("a"))
      $0.give(3, .allowance)
      $0.give(2)
      $0.hold(9)
      return $0.run(.capture(hold, 4)).records
    },
    Scene("Case 19: a capture for nothing", ["captured 0 caller back 1:4, 5 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.capture(hold, 0)).records
    },
    Scene("a capture below zero", []) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.capture(hold, -1)).records
    },
    Scene("Case 19: a capture for more that there is", ["captured 3 caller 1:3, 2 left", "debited 1 1:1, 1 left"]) {
      $0.give(5)
      $0.hold(3)
      return $0.run(.capture(hold, 4)).records
    },
    Scene(
      "Case 19: a capture for more than there is", ["captured 3 caller 1:3, 2 left", "denied 3 insufficient, 2 left"]
    ) {
      $0.give(5)
      $0.hold(3)
      return $0.run(.capture(hold, 6)).records
    },
    Scene(
      "a frozen account's hold is captured, what goes beyond it is denied",
      ["captured 3 caller 1:3, 2 left", "denied 1 frozen, 2 left"]
    ) {
      $0.give(5)
      $0.hold(3)
      $0.run(.freeze(reason: ""))
      return $0.run(.capture(hold, 4)).records
    },
    Scene("a release", ["released 0 caller back 2:3 back 1:2, 8 left"]) {
      $0.give(5)
      $0.give(3, .allowance)
      $0.hold(5)
      return $0.run(.release(hold)).records
    },
    Scene("what is released is used first again, where it was first", ["debited 4 2:3 1:1, 4 left"]) {
      $0.give(5)
      $0.give(3, .allowance)
      $0.hold(5)
      $0.run(.release(hold))
      return $0.spend(4)
    },
    Scene("Case 20: a capture of a denied hold", []) {
      $0.give(5)
      $0.hold(6)
      return $0.run(.capture(hold, nil)).records
    },
    Scene("Case 20: a release after a capture", []) {
      $0.give(5)
      $0.hold(4)
      $0.run(.capture(hold, nil))
      return $0.run(.release(hold)).records
    },
    Scene("Case 20: a capture at the deadline comes too late", ["released 0 deadline back 1:4, 5 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.capture(hold, nil), at: at(600)).records
    },
    Scene("Case 21: the deadline releases", ["released 0 deadline back 1:4, 5 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.wait(until: at(600))
    },
    Scene("Case 21: the deadline captures, if the hold is made so", ["captured 4 deadline 1:4, 1 left"]) {
      $0.give(5)
      $0.hold(4, .capture)
      return $0.wait(until: at(600))
    },
    Scene("Case 21: nothing happens a microsecond before the deadline", []) {
      $0.give(5)
      $0.hold(4)
      return $0.wait(until: at(600) - .microseconds(1))
    },
    Scene("Case 17: a grant expires with a part in a hold: only the free part goes", ["expired 1 1:1, 0 left", empty]) {
      $0.give(5, expires: at(60))
      $0.hold(4)
      return $0.wait(until: at(60))
    },
    Scene("Case 18: what a hold has of an expired grant is captured in full", ["captured 4 caller 1:4, 0 left"]) {
      $0.give(5, expires: at(60))
      $0.hold(4)
      $0.wait(until: at(60))
      return $0.run(.capture(hold, nil), at: at(61)).records
    },
    Scene(
      "Case 18: what is not captured goes back, but for the expired part",
      ["captured 2 caller 1:2 back 2:2 gone 1:3, 3 left"]
    ) {
      $0.give(5, .allowance, expires: at(60))
      $0.give(3)
      $0.hold(7)
      return $0.run(.capture(hold, 2), at: at(60)).records
    },
    Scene("Case 18: the expired part of a released hold is booked as expired", ["released 0 caller gone 1:4, 0 left"]) {
      $0.give(5, expires: at(60))
      $0.hold(4)
      $0.wait(until: at(60))
      return $0.run(.release(hold), at: at(61)).records
    },
    Scene("a hold whose deadline is the expiry of its grant", ["expired 1 1:1, 0 left", empty, released]) {
      $0.give(5, expires: at(600))
      $0.hold(4)
      return $0.wait(until: at(600))
    },
    Scene("a close with a hold", ["closed 5, 0 left"]) {
      $0.give(5)
      $0.hold(4)
      return $0.run(.close(reason: "")).records
    },
    Scene("a hold ends with its account", []) {
      $0.give(5)
      $0.hold(4, .capture)
      $0.run(.close(reason: ""))
      return $0.run(.capture(hold, nil), at: at(601)).records
    },
    Scene("the hold after the 256th", ["denied 1 limit until 600, 44 left"]) {
      $0.give(300)
      for number in 0..<UInt64(256) { $0.hold(1, RequestID(1_000 + number)) }
      return $0.hold(1)
    },
    Scene("a hold when one of 256 has ended", ["held 1 1:1 until 600, 44 left"]) {
      $0.give(300)
      for number in 0..<UInt64(256) { $0.hold(1, RequestID(1_000 + number)) }
      $0.run(.release(RequestID(1_007)))
      return $0.hold(1)
    },
    Scene("a hold under the request of an open hold, which the window has forgotten", []) {
      // This once stopped the program.
      $0.give(5)
      $0.hold(2)
      return $0.hold(2)
    },
  ]

  private static let empty = "exhausted 0, 0 left"
  private static let released = "released 0 deadline gone 1:4, 0 left"

  @Test("the rules make these records of holds", arguments: scenes)
  func records(_ scene: Scene) { scene.check() }

  @Test("totals tell spent, expired and held credits apart")
  func totals() {
    var fixture = Fixture()
    fixture.give(5, .allowance, expires: HoldRulesTests.at(60))
    fixture.give(3)
    fixture.hold(7)
    #expect(fixture.account.held == 7 && fixture.account.available == 1 && fixture.account.spent == 0)
    fixture.run(.capture(HoldRulesTests.hold, 2), at: HoldRulesTests.at(60))
    #expect(fixture.account.held == 0 && fixture.account.spent == 2 && fixture.account.expired == 3)
    #expect(fixture.account.available == 3 && fixture.account.granted == 8)
  }

  @Test("a hold over a thousand grants is captured, or goes back, in one entry that fits into a block")
  func manyGrants() {
    for isCaptured in [true, false] {
      var fixture = Fixture()
      for _ in 0..<1_000 { fixture.give(1) }
      #expect(fixture.hold(1_000)[0].size <= Block.capacity - Block.Header.size)
      #expect(fixture.refusal(RulesTests.grant(1)) == .limit, "what is held may come back")
      let command: Command = isCaptured ? .capture(HoldRulesTests.hold, 999.5) : .release(HoldRulesTests.hold)
      let record = fixture.run(command).records[0]
      #expect(record.size <= Block.capacity - Block.Header.size)
      #expect(fixture.account.available == (isCaptured ? 0.5 : 1_000) && fixture.account.isConserved)
    }
  }

  @Test("a hold that does not exist is answered, and leaves no trace")
  func unknown() {
    var fixture = Fixture()
    #expect(fixture.refusal(.capture(RequestID(5), nil)) == .noHold)
    #expect(fixture.refusal(.release(RequestID(5))) == .noHold)
    #expect(fixture.records.count == 1)
  }
}

extension Fixture {
  /// Holds credits for ten minutes.
  @discardableResult
  mutating func hold(
    _ amount: Amount, _ request: RequestID = RequestID(77), _ end: Hold.End = .release,
    lasting duration: Duration = .seconds(600)
  ) -> [Record] {
    run(.hold(amount, lasting: duration, end, .none), request).records
  }

  @discardableResult
  mutating func hold(_ amount: Amount, _ end: Hold.End) -> [Record] { hold(amount, RequestID(77), end) }
}
