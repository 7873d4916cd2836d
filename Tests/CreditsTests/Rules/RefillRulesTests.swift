import Testing

@testable import Credits

@Suite("Rules of thresholds and refills")
struct RefillRulesTests {
  static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }
  static let empty = "exhausted 0, 0 left"
  /// The end of the cap's first month.
  static let month: Int64 = 31 * 86_400
  static let due = "refill-due 500 #1 20.00 USD, 99 left"

  static let thresholds = [
    Scene("nothing happens at the threshold", ["debited 50 1:50, 100 left"]) {
      $0.refilled()
      return $0.spend(50)
    },
    Scene("a debit to below the threshold", ["debited 51 1:51, 99 left", due]) {
      $0.refilled()
      return $0.spend(51)
    },
    Scene("Case 22: a hold to below the threshold", ["held 51 1:51 until 600, 99 left", due]) {
      $0.refilled()
      return $0.hold(51)
    },
    Scene("an expiry to below the threshold", ["expired 60 1:60, 90 left", "refill-due 500 #1 20.00 USD, 90 left"]) {
      $0.give(60, .allowance, expires: at(9))
      $0.refilled(90)
      return $0.wait(until: at(9))
    },
    Scene("Case 23: a second crossing while a refill is due", ["debited 9 1:9, 90 left"]) {
      $0.refilled()
      $0.spend(51)
      return $0.spend(9)
    },
    Scene("Case 23: a second crossing while a refill is charging", ["debited 150 2:141 1:9, 90 left"]) {
      $0.refilled()
      $0.spend(51)
      $0.send()
      $0.give(150, .promotion("p"))
      $0.spend(9)
      return $0.spend(150)
    },
    Scene(
      "Case 23: when the refill closes, the level is looked at once more",
      ["credited 500 #1 20.00 USD 2:500, 500 left", "refill-due 500 #2 20.00 USD, 500 left"]
    ) {
      $0.refilled(600, Fixture.terms(below: 550))
      $0.spend(60)
      $0.send()
      $0.spend(540)
      return $0.tell(Fixture.paid())
    },
    Scene(
      "Case 24: a debit that jumps far below buys enough packs, once",
      ["debited 1550 1:1550, 0 left", empty, "refill-due 1500 #1 60.00 USD, 0 left"]
    ) {
      $0.refilled(1_550, Fixture.terms(below: 1_400))
      return $0.spend(1_550)
    },
    Scene("Case 24: enough is to end at the threshold", ["debited 500 1:500, 0 left", empty, twoPacks]) {
      $0.refilled(500, Fixture.terms(below: 400, pack: 200))
      return $0.spend(500)
    },
    Scene(
      "Case 24: as many packs as the cap allows",
      ["debited 1550 1:1550, 0 left", empty, "refill-due 1000 #1 40.00 USD, 0 left"]
    ) {
      $0.refilled(1_550, Fixture.terms(below: 1_400, cap: 59_99))
      return $0.spend(1_550)
    },
    Scene("Case 28: switched on while below", ["refill-set 100 20.00 USD on, 99 left", due]) {
      $0.give(99)
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.setRefill(Fixture.terms())).records
    },
    Scene("Case 28: switched on at the threshold", ["refill-set 100 20.00 USD on, 100 left"]) {
      $0.give(100)
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.setRefill(Fixture.terms())).records
    },
    Scene(
      "Case 28: the threshold is raised to above the balance",
      ["refill-set 200 20.00 USD on, 150 left", "refill-due 500 #1 20.00 USD, 150 left"]
    ) {
      $0.refilled()
      return $0.run(.setRefill(Fixture.terms(below: 200))).records
    },
    Scene("Case 28: switched on twice while below", [setOn, changed, "refill-due 500 #2 20.00 USD, 99 left"]) {
      $0.refilled(99)
      return $0.run(.setRefill(Fixture.terms())).records
    },
    Scene("Case 28: changed while a refill is charging", [setOn]) {
      $0.refilled(99)
      $0.send()
      return $0.run(.setRefill(Fixture.terms())).records
    },
    Scene("a refill without a payment method", ["denied 100 no-method 20.00 USD, 0 left"]) {
      $0.run(.setRefill(Fixture.terms())).records
    },
  ]

  static let twoPacks = "refill-due 400 #1 40.00 USD, 0 left"
  static let setOn = "refill-set 100 20.00 USD on, 99 left"
  static let changed = "charge-cancelled 500 #1 changed, 99 left"

  static let checks = [
    Scene("what is due is sent", ["charging 500 #1 20.00 USD, 99 left"]) {
      $0.refilled(99)
      return $0.send()
    },
    Scene("what was sent is not sent again", []) {
      $0.refilled(99)
      $0.send()
      return $0.send()
    },
    Scene("what does not exist is not sent", []) {
      $0.refilled(99)
      return $0.send(2)
    },
    Scene("Case 25: the balance has risen to the threshold", ["charge-cancelled 500 #1 not needed, 100 left"]) {
      $0.refilled(99)
      $0.give(1)
      return $0.send()
    },
    Scene("Case 25: the balance has risen, and less is bought", ["charging 1000 #1 40.00 USD, 500 left"]) {
      $0.refilled(0.5, Fixture.terms(below: 1_400))
      $0.give(499.5)
      return $0.send()
    },
    Scene("Case 24: the balance has fallen further, and more is bought", ["charging 1000 #1 40.00 USD, 0 left"]) {
      $0.refilled(590, Fixture.terms(below: 600))
      $0.spend(590)
      return $0.send()
    },
    Scene("Case 22: a release cancels what is not sent yet", ["charge-cancelled 500 #1 not needed, 150 left"]) {
      $0.refilled()
      $0.hold(51)
      $0.run(.release(RequestID(77)))
      return $0.send()
    },
    Scene("Case 22: a release does not cancel what was sent", ["credited 500 #1 20.00 USD 2:500, 650 left"]) {
      $0.refilled()
      $0.hold(51)
      $0.send()
      $0.run(.release(RequestID(77)))
      return $0.tell(Fixture.paid())
    },
    Scene("Case 27: switched off while due", ["refill-set 0 off, 99 left", changed]) {
      $0.refilled(99)
      return $0.run(.setRefill(nil)).records
    },
    Scene("Case 27: switched off while charging: completed, and no more", ["credited 500 #1 20.00 USD 2:500, 500 left"])
    {
      $0.refilled(99, Fixture.terms(below: 590))
      $0.send()
      $0.run(.setRefill(nil))
      $0.spend(99)
      return $0.tell(Fixture.paid())
    },
    Scene("Case 27: frozen while due", ["frozen 0, 99 left", "charge-cancelled 500 #1 frozen, 99 left"]) {
      $0.refilled(99)
      return $0.run(.freeze(reason: "")).records
    },
    Scene("Case 27: frozen while charging", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      $0.run(.freeze(reason: ""))
      return $0.tell(Fixture.paid())
    },
    Scene("Case 27: unfrozen while below", ["unfrozen 0, 99 left", "refill-due 500 #2 20.00 USD, 99 left"]) {
      $0.refilled(99)
      $0.run(.freeze(reason: ""))
      return $0.run(.unfreeze(reason: "")).records
    },
    Scene("a frozen account falls below", ["expired 60 1:60, 90 left"]) {
      $0.give(60, .allowance, expires: at(9))
      $0.refilled(90)
      $0.run(.freeze(reason: ""))
      return $0.wait(until: at(9))
    },
    Scene("Case 27: closed while due", ["charge-cancelled 500 #1 closed, 99 left", "closed 99, 0 left"]) {
      $0.refilled(99)
      return $0.run(.close(reason: "")).records
    },
    Scene("Case 27: closed while charging: what was paid is credited", ["credited 500 #1 20.00 USD 2:500, 500 left"]) {
      $0.refilled(99)
      $0.send()
      $0.run(.close(reason: ""))
      return $0.tell(Fixture.paid())
    },
    Scene("Case 27: closed while charging, and declined", ["charge-declined 500 #1 until 3600, 0 left"]) {
      $0.refilled(99)
      $0.send()
      $0.run(.close(reason: ""))
      return $0.tell(.declined(reason: "no funds"))
    },
    Scene("Case 27: the method is removed while due", ["method-removed 0, 99 left", changed]) {
      $0.refilled(99)
      return $0.run(.removeMethod(1)).records
    },
    Scene("Case 27: the method is removed while charging", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      $0.run(.removeMethod(1))
      return $0.tell(Fixture.paid())
    },
    Scene("Case 27: without a method nothing comes due", ["debited 51 1:51, 99 left"]) {
      $0.refilled()
      $0.run(.removeMethod(1))
      return $0.spend(51)
    },
    Scene(
      "Case 27: another card while due: a new refill with that card",
      ["method-saved 0, 99 left", changed, "refill-due 500 #2 20.00 USD, 99 left"]
    ) {
      $0.refilled(99)
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene("Case 27: another card, not for refills, while due", ["method-saved 0, 99 left"]) {
      $0.refilled(99)
      return $0.run(.saveMethod(Fixture.card, forRefill: false)).records
    },
  ]

  static let caps = [
    Scene("Case 26: the cap is below a pack", ["debited 51 1:51, 99 left", capped]) {
      $0.refilled(150, Fixture.terms(cap: 19_99))
      return $0.spend(51)
    },
    Scene("Case 26: the cap is a pack", ["debited 51 1:51, 99 left", due]) {
      $0.refilled(150, Fixture.terms(cap: 20_00))
      return $0.spend(51)
    },
    Scene("Case 26: the cap is reached by what was charged", ["debited 500 1:99 2:401, 99 left", capped]) {
      $0.refilled(99, Fixture.terms(cap: 39_99))
      $0.send()
      $0.tell(Fixture.paid())
      return $0.spend(500)
    },
    Scene("Case 26: one event per period", ["debited 100 2:100, 0 left", empty]) {
      $0.refilled(150, Fixture.terms(cap: 19_99))
      $0.spend(51)
      $0.give(100)
      $0.spend(99)
      return $0.spend(100)
    },
    Scene(
      "Case 26: a new period, still below",
      ["refill-rearmed 0 new period, 99 left", "refill-due 500 #2 20.00 USD, 99 left"]
    ) {
      $0.refilled(150, Fixture.terms(cap: 39_99))
      $0.spend(51)
      $0.send()
      $0.tell(Fixture.paid())
      $0.spend(500)
      return $0.wait(until: at(month))
    },
    Scene("Case 26: a microsecond before the new period", []) {
      $0.refilled(99, Fixture.terms(cap: 19_99))
      return $0.wait(until: at(month) - .microseconds(1))
    },
    Scene("Case 26: a new period, and enough meanwhile", ["refill-rearmed 0 new period, 199 left"]) {
      $0.refilled(99, Fixture.terms(cap: 19_99))
      $0.give(100)
      return $0.wait(until: at(month))
    },
    Scene(
      "Case 26: a refill within the cap that does not reach the threshold is the last",
      [
        "credited 1000 #1 40.00 USD 2:1000, 1000 left", "refill-capped 1400 until 2678400, 1000 left",
      ]
    ) {
      $0.refilled(1_400, Fixture.terms(below: 1_400, cap: 45_00))
      $0.spend(1_400)
      $0.send()
      return $0.tell(Fixture.paid(40_00))
    },
    Scene("Case 26: what is charging counts", [setOn, "credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99, Fixture.terms(cap: 20_00))
      $0.send()
      return $0.run(.setRefill(Fixture.terms(cap: 20_00))).records + $0.tell(Fixture.paid())
    },
    Scene(
      "Case 26: what was declined does not count",
      [
        "refill-rearmed 0 pause over, 99 left", "refill-due 500 #2 20.00 USD, 99 left",
      ]
    ) {
      $0.refilled(99, Fixture.terms(cap: 20_00))
      $0.fail(1, at: at(0))
      return $0.wait(until: at(3_600))
    },
    Scene(
      "Case 26: what the provider never had does not count",
      [
        "charge-cancelled 500 #1 never charged, 99 left", "refill-due 500 #2 20.00 USD, 99 left",
      ]
    ) {
      $0.refilled(99, Fixture.terms(cap: 20_00))
      $0.send()
      return $0.tell(.neverCharged)
    },
    Scene("Case 26: switching off and on again begins no new period", [setOn, capped]) {
      $0.refilled(99, Fixture.terms(cap: 20_00))
      $0.send()
      $0.tell(Fixture.paid())
      $0.spend(500)
      $0.run(.setRefill(nil), at: at(9))
      return $0.run(.setRefill(Fixture.terms(cap: 20_00)), at: at(10)).records
    },
    Scene(
      "Case 26: a charge that is paid after all fills the cap before the next one is sent",
      [
        "charge-cancelled 500 #2 capped, 599 left", "refill-capped 600 until 2678400, 599 left",
      ]
    ) {
      $0.refilled(99, Fixture.terms(below: 600, cap: 20_00))
      $0.fail(1, at: at(0))
      $0.wait(until: at(3_600))
      $0.tell(Fixture.paid(), at: at(3_601))
      return $0.send(2, at: at(3_602))
    },
    Scene("a raised cap", ["refill-set 100 20.00 USD on, 99 left", due]) {
      $0.refilled(99, Fixture.terms(cap: 19_99))
      return $0.run(.setRefill(Fixture.terms(cap: 20_00))).records
    },
    Scene("a purchase does not count", ["debited 500 1:99 2:401, 99 left", "refill-due 500 #3 20.00 USD, 99 left"]) {
      $0.refilled(99, Fixture.terms(cap: 20_00))
      $0.run(.setRefill(nil))
      $0.run(.order(500, price: Money(20_00, .usd), method: 1))
      $0.send(2)
      $0.tell(Fixture.paid(), of: 2)
      $0.run(.setRefill(Fixture.terms(cap: 20_00)))
      return $0.spend(500)
    },
  ]

  static let capped = "refill-capped 100 until 2678400, 99 left"

  @Test("a refill comes due when less is available than the threshold", arguments: thresholds)
  func checkThresholds(_ scene: Scene) { scene.check() }

  @Test("a refill is looked at once more before it is sent", arguments: checks)
  func checkChecks(_ scene: Scene) { scene.check() }

  @Test("the money of a period bounds what is charged in it", arguments: caps)
  func checkCaps(_ scene: Scene) { scene.check() }

  @Test("what is charging counts from the moment it is sent")
  func inFlight() {
    var fixture = Fixture()
    fixture.refilled(99)
    #expect(fixture.refill.charged == nil)
    fixture.send()
    #expect(fixture.refill.charged == Money(20_00, .usd))
    fixture.tell(.unknown(reason: ""))
    #expect(fixture.refill.charged == Money(20_00, .usd))
    fixture.tell(Fixture.paid(), at: RefillRulesTests.at(10))
    #expect(fixture.refill.charged == Money(20_00, .usd))
  }

  @Test(
    "terms that are out of range are refused, and leave no trace",
    arguments: [
      Fixture.terms(below: 0), Fixture.terms(below: -1), Fixture.terms(pack: 0), Fixture.terms(price: 0),
      Fixture.terms(cap: 0), Fixture.terms(below: 5_000_000), Fixture.terms(pack: .max),
      RefillTerms(
        threshold: 100, pack: Pack(credits: 500, price: Money(20_00, .usd)), cap: Money(100_00, .eur), period: .month,
        method: 1, consent: ""),
      RefillTerms(
        threshold: 100, pack: Pack(credits: 500, price: Money(20_00, .usd)), cap: Money(100_00, .usd), period: .month,
        method: 1, consent: String(repeating: "x", count: 256)),
    ])
  func outOfRange(_ terms: RefillTerms) {
    var fixture = Fixture()
    fixture.run(.saveMethod(Fixture.card, forRefill: true))
    let count = fixture.records.count
    #expect(fixture.refusal(.setRefill(terms)) == .invalid)
    #expect(fixture.records.count == count)
  }
}
