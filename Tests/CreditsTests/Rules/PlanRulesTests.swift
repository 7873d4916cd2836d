import Testing

@testable import Credits

@Suite("Rules of plans and periods")
struct PlanRulesTests {
  private static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }
  private static let day: Int64 = 86_400
  private static let empty = "exhausted 0, 0 left"

  private static func plan(
    _ allowance: Amount = 10, per period: Period = .day, rollover: Amount = 0, name: String = "basic"
  ) -> Plan { Plan(name, allowance: allowance, per: period, rollover: rollover) }

  static let scenes = [
    Scene("a plan begins", ["subscribed 10 1:10 until 86400, 10 left"]) { $0.subscribe(plan()) },
    Scene("the old allowance goes, a new one comes", ["renewed 10 2:10 gone 1:6 until 172800, 10 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      return $0.wait(until: at(day))
    },
    Scene("nothing of the old allowance is left", ["renewed 10 2:10 until 172800, 10 left"]) {
      $0.subscribe(plan())
      $0.spend(10)
      return $0.wait(until: at(day))
    },
    Scene("a microsecond before the boundary", []) {
      $0.subscribe(plan())
      return $0.wait(until: at(day) - .microseconds(1))
    },
    Scene(
      "a debit at the boundary takes from the new allowance",
      [
        "renewed 10 2:10 gone 1:10 until 172800, 10 left", "debited 4 2:4, 6 left",
      ]
    ) {
      $0.subscribe(plan())
      return $0.spend(4, at: at(day))
    },
    Scene("rollover up to the limit", ["renewed 10 2:10 gone 1:3 over 1:3 until 172800, 13 left"]) {
      $0.subscribe(plan(rollover: 3))
      $0.spend(4)
      return $0.wait(until: at(day))
    },
    Scene("rollover of less than the limit", ["renewed 10 2:10 over 1:2 until 172800, 12 left"]) {
      $0.subscribe(plan(rollover: 3))
      $0.spend(8)
      return $0.wait(until: at(day))
    },
    Scene("what rolled over counts in the next rollover", ["renewed 10 3:10 gone 2:10 over 2:3 until 259200, 13 left"])
    {
      $0.subscribe(plan(rollover: 3))
      $0.wait(until: at(day))
      return $0.wait(until: at(2 * day))
    },
    Scene(
      "Case 13: missed periods come in order and do not pile up",
      [
        "renewed 10 2:10 gone 1:6 until 172800, 10 left", "renewed 10 3:10 gone 2:10 until 259200, 10 left",
        "renewed 10 4:10 gone 3:10 until 345600, 10 left",
      ]
    ) {
      $0.subscribe(plan())
      $0.spend(4)
      return $0.wait(until: at(3 * day))
    },
    Scene(
      "Case 13: missed periods pile up as far as rollover says so",
      [
        "renewed 10 2:10 over 1:10 until 172800, 20 left",
        "renewed 10 3:10 gone 2:5 over 2:15 until 259200, 25 left",
        "renewed 10 4:10 gone 3:10 over 3:15 until 345600, 25 left",
      ]
    ) {
      $0.subscribe(plan(rollover: 15))
      return $0.wait(until: at(3 * day))
    },
    Scene("Case 13: the boundary handled twice", []) {
      $0.subscribe(plan())
      $0.wait(until: at(day))
      return $0.wait(until: at(day))
    },
    Scene("Case 14: purchased credits stay", ["renewed 10 3:10 gone 1:10 until 172800, 60 left"]) {
      $0.subscribe(plan())
      $0.give(50)
      return $0.wait(until: at(day))
    },
    Scene("Case 14: held allowance is no free part", ["renewed 10 3:10 until 172800, 55 left"]) {
      $0.subscribe(plan())
      $0.give(50)
      $0.hold(15, lasting: .seconds(10 * day))
      return $0.wait(until: at(day))
    },
    Scene(
      "Case 14: held purchased credits go back after the renewal", ["released 0 caller back 2:5 gone 1:10, 60 left"]
    ) {
      $0.subscribe(plan())
      $0.give(50)
      $0.hold(15, lasting: .seconds(10 * day))
      $0.wait(until: at(day))
      return $0.run(.release(RequestID(77)), at: at(day)).records
    },
    Scene("Case 15: more in mid-period gives the difference", ["subscribed 10 2:10 until 86400, 16 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      return $0.subscribe(plan(20), at: at(10))
    },
    Scene("Case 15: less in mid-period takes nothing", ["subscribed 0 until 86400, 6 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      return $0.subscribe(plan(5), at: at(10))
    },
    Scene("Case 15: less in mid-period counts from the next one", ["renewed 5 2:5 gone 1:6 until 172800, 5 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      $0.subscribe(plan(5), at: at(10))
      return $0.wait(until: at(day))
    },
    Scene("Case 15: less, then more again gives no second allowance", ["subscribed 0 until 86400, 6 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      $0.subscribe(plan(5), at: at(10))
      return $0.subscribe(plan(), at: at(20))
    },
    Scene("Case 15: more, less, and more again", ["subscribed 0 until 86400, 20 left"]) {
      $0.subscribe(plan())
      $0.subscribe(plan(20), at: at(10))
      $0.subscribe(plan(5), at: at(20))
      return $0.subscribe(plan(20), at: at(30))
    },
    Scene("Case 15: the same plan once more", ["subscribed 0 until 86400, 10 left"]) {
      $0.subscribe(plan())
      return $0.subscribe(plan(), at: at(10))
    },
    Scene(
      "Case 15: what a change gave goes with the period, too",
      [
        "renewed 20 3:20 gone 1:10 gone 2:10 until 172800, 20 left"
      ]
    ) {
      $0.subscribe(plan())
      $0.subscribe(plan(20), at: at(10))
      return $0.wait(until: at(day))
    },
    Scene("Case 15: another period takes over at the boundary", ["subscribed 0, 10 left"]) {
      $0.subscribe(plan())
      return $0.subscribe(plan(70, per: .week), at: at(10))
    },
    Scene("Case 15: the first allowance of another period", ["renewed 70 2:70 gone 1:10 until 691200, 70 left"]) {
      $0.subscribe(plan())
      $0.subscribe(plan(70, per: .week), at: at(10))
      return $0.wait(until: at(day))
    },
    Scene(
      "Case 15: a moved anchor: a short period has its part of the allowance",
      [
        "renewed 5 2:5 gone 1:10 until 129600, 5 left", "renewed 10 3:10 gone 2:5 until 216000, 10 left",
      ]
    ) {
      $0.subscribe(plan())
      $0.subscribe(plan(), anchor: at(day / 2), at: at(10))
      return $0.wait(until: at(day + day / 2))
    },
    Scene("Case 15: the same anchor, named", ["subscribed 10 2:10 until 86400, 20 left"]) {
      $0.subscribe(plan())
      return $0.subscribe(plan(20), anchor: at(0), at: at(10))
    },
    Scene("Case 15: a change that is taken back", ["renewed 10 2:10 gone 1:10 until 172800, 10 left"]) {
      $0.subscribe(plan())
      $0.subscribe(plan(70, per: .week), at: at(10))
      $0.subscribe(plan(), at: at(20))
      return $0.wait(until: at(day))
    },
    Scene("a plan whose anchor is to come", ["subscribed 0 until 100, 0 left"]) {
      $0.subscribe(plan(), anchor: at(100))
    },
    Scene("a plan whose anchor comes", ["renewed 10 1:10 until 86500, 10 left"]) {
      $0.subscribe(plan(), anchor: at(100))
      return $0.wait(until: at(100))
    },
    Scene("a plan that is replaced before its anchor", ["subscribed 20 1:20 until 86410, 20 left"]) {
      $0.subscribe(plan(), anchor: at(100))
      return $0.subscribe(plan(20), anchor: at(10), at: at(10))
    },
    Scene(
      "a plan whose anchor has passed: the present period's allowance, to its end",
      [
        "subscribed 10 1:10 until 86300, 10 left"
      ]
    ) {
      $0.subscribe(plan(), anchor: at(-100))
    },
    Scene("a plan ends with its period", ["unsubscribed 0, 10 left"]) {
      $0.subscribe(plan())
      return $0.run(.unsubscribe(atOnce: false)).records
    },
    Scene("the end of a cancelled plan", ["plan-ended 6 period over gone 1:6, 0 left", empty]) {
      $0.subscribe(plan())
      $0.spend(4)
      $0.run(.unsubscribe(atOnce: false))
      return $0.wait(until: at(9 * day))
    },
    Scene("a plan ends at once", ["plan-ended 6 at once gone 1:6, 50 left"]) {
      $0.subscribe(plan())
      $0.give(50)
      $0.run(.debit(4, .whole))
      return $0.run(.unsubscribe(atOnce: true)).records
    },
    Scene("after its end there are no more allowances", []) {
      $0.subscribe(plan())
      $0.run(.unsubscribe(atOnce: true))
      return $0.wait(until: at(9 * day))
    },
    Scene("Case 15: cancelled and taken up again in the same period", ["subscribed 0 until 86400, 6 left"]) {
      $0.subscribe(plan())
      $0.spend(4)
      $0.run(.unsubscribe(atOnce: false))
      return $0.subscribe(plan(), at: at(10))
    },
    Scene("Case 15: taken up again, it goes on", ["renewed 10 2:10 gone 1:10 until 172800, 10 left"]) {
      $0.subscribe(plan())
      $0.run(.unsubscribe(atOnce: false))
      $0.subscribe(plan(), at: at(10))
      return $0.wait(until: at(day))
    },
    Scene("a change that waits goes with a cancellation", ["plan-ended 10 period over gone 1:10, 0 left", empty]) {
      $0.subscribe(plan())
      $0.subscribe(plan(70, per: .week), at: at(10))
      $0.run(.unsubscribe(atOnce: false), at: at(20))
      return $0.wait(until: at(day))
    },
    Scene("the end of no plan", ["denied 0 no-plan, 0 left"]) { $0.run(.unsubscribe(atOnce: false)).records },
    Scene("the end of no plan, at once", ["denied 0 no-plan, 0 left"]) { $0.run(.unsubscribe(atOnce: true)).records },
    Scene("a plan of a closed account", ["denied 0 closed, 0 left"]) {
      $0.run(.close(reason: ""))
      return $0.subscribe(plan())
    },
    Scene("a plan of a frozen account renews", ["renewed 10 2:10 gone 1:10 until 172800, 10 left"]) {
      $0.subscribe(plan())
      $0.run(.freeze(reason: ""))
      return $0.wait(until: at(day))
    },
    Scene("a plan without an allowance", []) { $0.subscribe(plan(0)) },
    Scene("a plan with a rollover below zero", []) { $0.subscribe(plan(rollover: -1)) },
    Scene("a plan without a name", []) { $0.subscribe(plan(name: "")) },
    Scene("an anchor before 1970", []) { $0.subscribe(plan(), anchor: Timestamp(microseconds: -1)) },
    Scene("an anchor after the year 9999", []) { $0.subscribe(plan(), anchor: .latest + .microseconds(1)) },
  ]

  @Test("plans give one allowance a period", arguments: scenes)
  func records(_ scene: Scene) { scene.check() }

  static let calendars: [(Period, String, [String])] = [
    (.month, "2023-01-31", ["2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31", "2023-06-30"]),
    (.month, "2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
    (.month, "2024-01-30T23:59:59.999999Z", ["2024-02-29T23:59:59.999999Z", "2024-03-30T23:59:59.999999Z"]),
    (.month, "2023-11-30", ["2023-12-30", "2024-01-30", "2024-02-29", "2024-03-30"]),
    (.month, "2024-02-29", ["2024-03-29", "2024-04-29"]), (.month, "2023-12-15", ["2024-01-15", "2024-02-15"]),
    (.year, "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"]),
    (.year, "2096-02-29", ["2097-02-28", "2098-02-28", "2099-02-28", "2100-02-28", "2101-02-28"]),
    (.year, "2023-07-04", ["2024-07-04", "2025-07-04"]),
    (.week, "2024-02-22", ["2024-02-29", "2024-03-07", "2024-03-14"]),
    (.day, "2024-02-28T12:00:00Z", ["2024-02-29T12:00:00Z", "2024-03-01T12:00:00Z"]),
  ]

  @Test("Case 12: boundaries are worked out from the anchor, never from the last clamped date", arguments: calendars)
  func boundaries(_ period: Period, _ anchor: String, _ dates: [String]) throws {
    let anchor = try #require(Timestamp(anchor))
    for (index, date) in dates.enumerated() {
      let boundary = try #require(Timestamp(date))
      #expect(period.boundary(index + 1, from: anchor) == boundary)
      #expect(period.index(at: boundary, from: anchor) == index + 1)
      #expect(period.index(at: boundary - .microseconds(1), from: anchor) == index)
    }
    #expect(period.boundary(0, from: anchor) == anchor && period.index(at: anchor, from: anchor) == 0)
  }

  @Test("a plan follows the calendar of its anchor", arguments: calendars)
  func renewals(_ period: Period, _ anchor: String, _ dates: [String]) throws {
    let anchor = try #require(Timestamp(anchor))
    var fixture = Fixture()
    fixture.run(.subscribe(PlanRulesTests.plan(per: period), anchor: anchor), at: anchor)
    let last = try #require(dates.last.flatMap { Timestamp($0) })
    let renewed = fixture.wait(until: last)
    #expect(renewed.map { $0.moment(.boundary) } == dates.map { Timestamp($0) })
    #expect(
      fixture.account.available == 10
        && fixture.account.granted == Amount(millionths: 10_000_000 * Int64(dates.count + 1)))
  }

  static let others: [(Period, String, Int, String)] = [
    (.month, "2024-03-31", -1, "2024-02-29"), (.month, "2024-03-31", -13, "2023-02-28"),
    (.year, "2024-02-29", -1, "2023-02-28"), (.week, "2024-03-07", -1, "2024-02-29"),
    (.day, "2024-03-01", -1, "2024-02-29"), (.month, "1970-01-31", -11, "1969-02-28"),
    (.month, "2023-01-31", 1_200, "2123-01-31"), (.year, "2000-02-29", 100, "2100-02-28"),
  ]

  @Test("periods before the anchor, and far after it, follow the same rule", arguments: others)
  func far(_ period: Period, _ anchor: String, _ index: Int, _ date: String) throws {
    let anchor = try #require(Timestamp(anchor))
    #expect(period.boundary(index, from: anchor) == Timestamp(date))
    #expect(Timestamp(date).map { period.index(at: $0, from: anchor) } == index)
  }

  @Test("beyond the calendar there are no periods", arguments: Period.allCases)
  func ends(_ period: Period) {
    #expect(period.boundary(.max, from: .zero) == .never && period.boundary(5_000_000, from: .zero) == .never)
    #expect(period.boundary(.min, from: .zero) == Timestamp(microseconds: .min))
    let last = period.index(at: .never, from: .zero)
    #expect(period.boundary(last, from: .zero) <= .latest && period.boundary(last + 1, from: .zero) == .never)
  }
}

extension Fixture {
  @discardableResult
  mutating func subscribe(_ plan: Plan, anchor: Timestamp? = nil, at now: Timestamp = Fixture.start) -> [Record] {
    run(.subscribe(plan, anchor: anchor), at: now).records
  }
}
