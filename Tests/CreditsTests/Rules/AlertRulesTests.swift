import Testing

@testable import Credits

@Suite("Rules of alerts")
struct AlertRulesTests {
  private static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }

  static let scenes = [
    Scene("levels are set", ["alerts-set 0, 100 left"]) { $0.alerting() },
    Scene("nothing is told at the level", ["debited 50 1:50, 50 left"]) {
      $0.alerting()
      return $0.spend(50)
    },
    Scene("Case 29: a crossing", ["debited 51 1:51, 49 left", "alerted 50, 49 left"]) {
      $0.alerting()
      return $0.spend(51)
    },
    Scene("Case 29: further down, nothing is told again", ["debited 9 1:9, 40 left"]) {
      $0.alerting()
      $0.spend(51)
      return $0.spend(9)
    },
    Scene(
      "several levels at once, the highest first",
      [
        "debited 90 1:90, 10 left", "alerted 50, 10 left", "alerted 20, 10 left",
      ]
    ) {
      $0.alerting()
      return $0.spend(90)
    },
    Scene(
      "to nothing",
      [
        "debited 100 1:100, 0 left", "exhausted 0, 0 left", "alerted 50, 0 left", "alerted 20, 0 left",
      ]
    ) {
      $0.alerting()
      return $0.spend(100)
    },
    Scene("Case 29: rising to the level re-arms it", ["debited 1 1:1, 49 left", "alerted 50, 49 left"]) {
      $0.alerting()
      $0.spend(51)
      $0.give(1)
      return $0.spend(1)
    },
    Scene("Case 29: rising to just below the level does not", ["debited 1 1:1, 48.999999 left"]) {
      $0.alerting()
      $0.spend(51)
      $0.give(0.999999)
      return $0.spend(1)
    },
    Scene(
      "Case 29: up and down around the level, each crossing is told",
      [
        "debited 1 1:1, 49 left", "alerted 50, 49 left", "debited 1 1:1, 49 left", "alerted 50, 49 left",
      ]
    ) {
      $0.alerting()
      $0.spend(51)
      $0.give(1)
      let first = $0.spend(1)
      $0.give(1)
      return first + $0.spend(1)
    },
    Scene("a hold crosses a level", ["held 51 1:51 until 600, 49 left", "alerted 50, 49 left"]) {
      $0.alerting()
      return $0.hold(51)
    },
    Scene("a release re-arms", ["held 51 1:51 until 600, 49 left", "alerted 50, 49 left"]) {
      $0.alerting()
      $0.hold(51, RequestID(76))
      $0.run(.release(RequestID(76)))
      return $0.hold(51)
    },
    Scene(
      "a grant that begins re-arms",
      ["begun 51 2:51, 100 left", "debited 60 1:49 2:11, 40 left", "alerted 50, 40 left"]
    ) {
      $0.alerting()
      $0.give(51, starts: at(9))
      $0.spend(51)
      return $0.spend(60, at: at(9))
    },
    Scene("an expiry crosses a level", ["expired 60 1:60, 40 left", "alerted 50, 40 left"]) {
      $0.give(60, .allowance, expires: at(9))
      $0.give(40)
      $0.run(.setAlerts([50]))
      return $0.wait(until: at(9))
    },
    Scene(
      "the end of a plan crosses a level",
      [
        "plan-ended 60 at once gone 2:60, 40 left", "alerted 50, 40 left",
      ]
    ) {
      $0.give(40)
      $0.run(.subscribe(Plan("p", allowance: 60, per: .month), anchor: nil))
      $0.run(.setAlerts([50]))
      return $0.run(.unsubscribe(atOnce: true)).records
    },
    Scene(
      "a renewal that gives as much as it takes crosses nothing",
      [
        "renewed 60 2:60 gone 1:60 until 172800, 60 left"
      ]
    ) {
      $0.run(.subscribe(Plan("p", allowance: 60, per: .day), anchor: nil))
      $0.run(.setAlerts([50]))
      return $0.wait(until: at(86_400))
    },
    Scene("a level set above the balance is told at once", ["alerts-set 0, 40 left", "alerted 50, 40 left"]) {
      $0.give(40)
      return $0.run(.setAlerts([50, 20])).records
    },
    Scene("the same levels set again are not", ["alerts-set 0, 40 left"]) {
      $0.give(40)
      $0.run(.setAlerts([50, 20]))
      return $0.run(.setAlerts([50, 20])).records
    },
    Scene("only the new one of two levels is told", ["alerts-set 0, 40 left", "alerted 60, 40 left"]) {
      $0.give(40)
      $0.run(.setAlerts([50, 20]))
      return $0.run(.setAlerts([60, 50, 20])).records
    },
    Scene("a level set at the balance is not told", ["alerts-set 0, 40 left"]) {
      $0.give(40)
      return $0.run(.setAlerts([40])).records
    },
    Scene("no levels", ["debited 60 1:60, 40 left"]) {
      $0.alerting()
      $0.run(.setAlerts([]))
      return $0.spend(60)
    },
    Scene("a level of 0", []) { $0.run(.setAlerts([0])).records },
    Scene("levels out of order", []) { $0.run(.setAlerts([1, 2])).records },
    Scene("a level twice", []) { $0.run(.setAlerts([2, 2])).records },
    Scene("seventeen levels", []) {
      $0.run(.setAlerts((1...17).reversed().map { Amount(millionths: $0 * 1_000_000) })).records
    },
    Scene("sixteen levels", ["alerts-set 0, 100 left"]) {
      $0.give(100)
      return $0.run(.setAlerts((1...16).reversed().map { Amount(millionths: $0 * 1_000_000) })).records
    },
    Scene("levels of a closed account", ["denied 0 closed, 0 left"]) {
      $0.run(.close(reason: ""))
      return $0.run(.setAlerts([5])).records
    },
    Scene("levels of a frozen account", ["alerts-set 0, 0 left", "alerted 5, 0 left"]) {
      $0.run(.freeze(reason: ""))
      return $0.run(.setAlerts([5])).records
    },
    Scene(
      "exhausted is told once for each time that nothing is left",
      [
        "debited 1 2:1, 0 left", "exhausted 0, 0 left", "denied 1 insufficient, 0 left",
      ]
    ) {
      $0.give(1)
      $0.spend(1)
      $0.give(1)
      return $0.spend(1) + $0.spend(1)
    },
    Scene("a close is no crossing", ["closed 100, 0 left"]) {
      $0.alerting()
      return $0.run(.close(reason: "")).records
    },
    Scene(
      "alerts, exhaustion and a refill come in the commit that crossed",
      [
        "debited 150 1:150, 0 left", "exhausted 0, 0 left", "alerted 120, 0 left",
        "refill-due 500 #1 20.00 USD, 0 left",
      ]
    ) {
      $0.refilled()
      $0.run(.setAlerts([120]))
      return $0.spend(150)
    },
  ]

  @Test("an alert is told when its level is crossed downwards", arguments: scenes)
  func records(_ scene: Scene) { scene.check() }
}

@Suite("Rules of corrections")
struct CorrectionRulesTests {
  private static func correct(_ debit: UInt64, of: Amount, _ amount: Amount) -> Command {
    .correct(SequenceNumber(debit), of: of, amount, reason: "broken answer", agent: "eve")
  }

  static let scenes = [
    Scene("a correction for all of a debit", ["granted 5 2:5, 5 left"]) {
      $0.give(5)
      $0.spend(5)
      return $0.run(correct(3, of: 5, 5)).records
    },
    Scene("a correction for less", ["granted 2 2:2, 2 left"]) {
      $0.give(5)
      $0.spend(5)
      return $0.run(correct(3, of: 5, 2)).records
    },
    Scene("a correction for more", []) {
      $0.give(5)
      $0.spend(5)
      return $0.run(correct(3, of: 5, 5.000001)).records
    },
    Scene("a correction for nothing", []) {
      $0.give(5)
      $0.spend(5)
      return $0.run(correct(3, of: 5, 0)).records
    },
    Scene("a second correction, though the first was for less", ["denied 1 already-corrected, 2 left"]) {
      $0.give(5)
      $0.spend(5)
      $0.run(correct(3, of: 5, 2))
      return $0.run(correct(3, of: 5, 1)).records
    },
    Scene("corrections of two debits", ["granted 2 3:2, 5 left"]) {
      $0.give(5)
      $0.spend(3)
      $0.spend(2)
      $0.run(correct(3, of: 3, 3))
      return $0.run(correct(4, of: 2, 2)).records
    },
    Scene("a correction of a frozen account", ["granted 5 2:5, 5 left"]) {
      $0.give(5)
      $0.spend(5)
      $0.run(.freeze(reason: ""))
      return $0.run(correct(3, of: 5, 5)).records
    },
    Scene("a correction of a closed account", ["denied 5 closed, 0 left"]) {
      $0.give(5)
      $0.spend(5)
      $0.run(.close(reason: ""))
      return $0.run(correct(3, of: 5, 5)).records
    },
  ]

  @Test("a debit is made good once, for at most its amount", arguments: scenes)
  func records(_ scene: Scene) { scene.check() }
}

extension Fixture {
  /// An account with 100 credits and alerts at 50 and 20.
  @discardableResult
  mutating func alerting() -> [Record] {
    give(100)
    return run(.setAlerts([50, 20])).records
  }
}
