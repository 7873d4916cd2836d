import Testing

@testable import Credits

@Suite("Rules of charges: declines, answers of the provider, purchases, disputes")
struct ChargeRulesTests {
  private static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }
  private static let hour: Int64 = 3_600
  private static let due2 = "refill-due 500 #2 20.00 USD, 99 left"
  private static let due5 = "refill-due 500 #5 20.00 USD, 99 left"

  /// An account whose card was declined four times in a row, the last time at hour 31.
  private static func suspended(_ fixture: inout Fixture) {
    fixture.refilled(99)
    fixture.fail(1, at: at(0))
    fixture.fail(2, at: at(1 * hour))
    fixture.fail(3, at: at(7 * hour))
    fixture.fail(4, at: at(31 * hour))
  }

  static let declines = [
    Scene("Case 33: the first decline pauses for an hour", ["charge-declined 500 #1 until 3600, 99 left"]) {
      $0.refilled(99)
      return Array($0.fail(1, at: at(0)).suffix(1))
    },
    Scene("Case 33: the pause is over", ["refill-rearmed 0 pause over, 99 left", due2]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return $0.wait(until: at(hour))
    },
    Scene("Case 33: a microsecond before the pause is over", []) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return $0.wait(until: at(hour) - .microseconds(1))
    },
    Scene("Case 33: a crossing during the pause", ["debited 9 1:9, 90 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      $0.give(10, .allowance)
      $0.spend(10)
      return $0.spend(9)
    },
    Scene("Case 33: the second decline pauses for six hours", ["charge-declined 500 #2 until 25200, 99 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return Array($0.fail(2, at: at(hour)).suffix(1))
    },
    Scene("Case 33: the third decline pauses for a day", ["charge-declined 500 #3 until 111600, 99 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      $0.fail(2, at: at(hour))
      return Array($0.fail(3, at: at(7 * hour)).suffix(1))
    },
    Scene("Case 33: after the fourth decline it waits for a person", ["charge-declined 500 #4, 99 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      $0.fail(2, at: at(hour))
      $0.fail(3, at: at(7 * hour))
      return Array($0.fail(4, at: at(31 * hour)).suffix(1))
    },
    Scene("Case 33: the passing of time alone does not re-arm it", []) {
      suspended(&$0)
      return $0.wait(until: at(100_000 * hour))
    },
    Scene("Case 33: a crossing does not re-arm it", ["debited 98.5 1:98.5, 2 left"]) {
      suspended(&$0)
      $0.give(1)
      $0.give(0.5)
      return $0.spend(98.5)
    },
    Scene("Case 33: a new card re-arms it", ["method-saved 0, 99 left", rearmed + "new payment method, 99 left", due5])
    {
      suspended(&$0)
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene("Case 33: a card that is not for refills does not", ["method-saved 0, 99 left"]) {
      suspended(&$0)
      return $0.run(.saveMethod(Fixture.card, forRefill: false)).records
    },
    Scene(
      "Case 33: terms with another card re-arm it",
      ["refill-set 100 20.00 USD on, 99 left", rearmed + "new payment method, 99 left", due5]
    ) {
      suspended(&$0)
      $0.run(.saveMethod(Fixture.card, forRefill: false))
      return $0.run(.setRefill(Fixture.terms(method: 2))).records
    },
    Scene("Case 33: switching it off and on with the same card does not", ["refill-set 100 20.00 USD on, 99 left"]) {
      suspended(&$0)
      $0.run(.setRefill(nil))
      return $0.run(.setRefill(Fixture.terms())).records
    },
    Scene(
      "Case 33: a purchase that is paid re-arms it",
      ["credited 25 #5 1.00 USD 2:25, 124 left", rearmed + "purchase paid, 124 left"]
    ) {
      suspended(&$0)
      $0.run(.order(25, price: Money(1_00, .usd), method: 1))
      $0.send(5)
      return $0.tell(paid(1_00), of: 5)
    },
    Scene(
      "Case 33: a purchase that is paid re-arms it while below: the next refill comes due",
      [
        "credited 25 #5 1.00 USD 2:25, 75 left", rearmed + "purchase paid, 75 left",
        "refill-due 500 #6 20.00 USD, 75 left",
      ]
    ) {
      suspended(&$0)
      $0.spend(49)
      $0.run(.order(25, price: Money(1_00, .usd), method: 1))
      $0.send(5)
      return $0.tell(paid(1_00), of: 5)
    },
    Scene("Case 33: a purchase that is declined does not", ["charge-declined 25 #5, 99 left"]) {
      suspended(&$0)
      $0.run(.order(25, price: Money(1_00, .usd), method: 1))
      return Array($0.fail(5, at: at(32 * hour)).suffix(1))
    },
    Scene("it is re-armed by hand", [rearmed + "by hand, 99 left", due5]) {
      suspended(&$0)
      return $0.run(.resumeRefill(reason: "called")).records
    },
    Scene("a pause is ended by hand", [rearmed + "by hand, 99 left", due2]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return $0.run(.resumeRefill(reason: "")).records
    },
    Scene("by hand, while it is off", ["denied 0 no-refill, 0 left"]) { $0.run(.resumeRefill(reason: "")).records },
    Scene("Case 33: a success begins the count of declines anew", ["charge-declined 500 #3 until 10800, 99 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      $0.wait(until: at(hour))
      $0.send(2, at: at(hour))
      $0.tell(paid(), of: 2, at: at(hour))
      $0.spend(500, at: at(2 * hour))
      return Array($0.fail(3, at: at(2 * hour)).suffix(1))
    },
  ]

  private static let rearmed = "refill-rearmed 0 "
  private static func paid(_ minor: Int64 = 20_00) -> ChargeOutcome { Fixture.paid(minor) }

  static let answers = [
    Scene("paid", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(paid())
    },
    Scene("Case 32: paid, told twice", []) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid())
      return $0.tell(paid())
    },
    Scene("Case 32: told before the reply, and even before it was sent", ["credited 500 #1 20.00 USD 2:500, 599 left"])
    {
      $0.refilled(99)
      return $0.tell(paid())
    },
    Scene("Case 32: out of order: processing after paid", []) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid())
      return $0.tell(.processing) + $0.tell(.declined(reason: "")) + $0.tell(.needsAction(link: ""))
        + $0.tell(.unknown(reason: "")) + $0.tell(.neverCharged)
    },
    Scene("what is due is not declined, nor anything else but paid", []) {
      $0.refilled(99)
      return $0.tell(.processing) + $0.tell(.declined(reason: "")) + $0.tell(.needsAction(link: ""))
        + $0.tell(.unknown(reason: "")) + $0.tell(.neverCharged)
    },
    Scene("what does not exist is not paid", []) {
      $0.refilled(99)
      return $0.tell(paid(), of: 2)
    },
    Scene("Case 32: another amount", ["charge-mismatched 500 #1 19.99 USD, 99 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(paid(19_99))
    },
    Scene("Case 32: another currency", ["charge-mismatched 500 #1 20.00 EUR, 99 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(.succeeded(reference: "", price: Money(20_00, .eur)))
    },
    Scene("Case 32: another amount, told twice", []) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid(19_99))
      return $0.tell(paid(19_99))
    },
    Scene("Case 32: another amount, then the right one", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid(19_99))
      return $0.tell(paid())
    },
    Scene("Case 32: another amount: no second episode", ["debited 9 1:9, 90 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid(19_99))
      return $0.spend(9)
    },
    Scene("a mismatch is undone by the provider", ["charge-declined 500 #1 until 3600, 99 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(paid(19_99))
      return $0.tell(.declined(reason: "refunded"))
    },
    Scene("paid after all, after a decline", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return $0.tell(paid())
    },
    Scene("paid after all, after a decline, told twice", []) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      $0.tell(paid())
      return $0.tell(paid())
    },
    Scene("paid after all with another amount, after a decline", ["charge-mismatched 500 #1 1.00 USD, 99 left"]) {
      $0.refilled(99)
      $0.fail(1, at: at(0))
      return $0.tell(paid(1_00))
    },
    Scene("paid after all, though the provider never had it", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(.neverCharged)
      return $0.tell(paid())
    },
    Scene("Case 31: unknown", ["charge-unsettled 500 #1 unknown until 10, 99 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(.unknown(reason: "time-out"))
    },
    Scene("Case 31: unknown again, before its time", []) {
      $0.refilled(99)
      $0.send()
      $0.tell(.unknown(reason: ""))
      return $0.tell(.unknown(reason: ""), at: at(9))
    },
    Scene("Case 31: unknown for long: pauses grow up to six hours", pauses) { fixture in
      fixture.refilled(99)
      fixture.send()
      var records: [Record] = []
      var now = at(0)
      for _ in 0..<7 {
        records += fixture.tell(.unknown(reason: ""), at: now)
        now = fixture.account.extras.charges[0].retry
      }
      return records
    },
    Scene("Case 31: no second episode while it is unknown", ["debited 9 1:9, 90 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(.unknown(reason: ""))
      return $0.spend(9)
    },
    Scene("processing", ["charge-unsettled 500 #1 processing until 10, 99 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(.processing)
    },
    Scene("Case 34: the bank asks for action", ["charge-needs-action 500 #1 until 10, 99 left"]) {
      $0.refilled(99)
      $0.send()
      return $0.tell(.needsAction(link: "https://bank.example/3ds"))
    },
    Scene("Case 34: the bank asks again: no second notice", ["charge-unsettled 500 #1 needs action until 20, 99 left"])
    {
      $0.refilled(99)
      $0.send()
      $0.tell(.needsAction(link: "a"))
      return $0.tell(.needsAction(link: "b"), at: at(5)) + $0.tell(.needsAction(link: "c"), at: at(10))
    },
    Scene(
      "Case 34: nothing clear keeps it at needing action", ["charge-unsettled 500 #1 needs action until 20, 99 left"]
    ) {
      $0.refilled(99)
      $0.send()
      $0.tell(.needsAction(link: "a"))
      return $0.tell(.unknown(reason: ""), at: at(10))
    },
    Scene("Case 34: the customer does it", ["credited 500 #1 20.00 USD 2:500, 599 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(.needsAction(link: "a"))
      return $0.tell(paid(), at: at(5))
    },
    Scene("Case 34: the customer does not", ["charge-declined 500 #1 until 3605, 99 left"]) {
      $0.refilled(99)
      $0.send()
      $0.tell(.needsAction(link: "a"))
      return $0.tell(.declined(reason: "no 3-D Secure"), at: at(5))
    },
  ]

  private static let pauses = [10, 70, 370, 2_170, 9_370, 30_970, 52_570].map {
    "charge-unsettled 500 #1 unknown until \($0), 99 left"
  }

  static let purchases = [
    Scene("an order", ["purchase-ordered 500 #1 20.00 USD, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.order(500, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order is sent as it is", ["charging 500 #1 20.00 USD, 0 left"]) {
      $0.ordered()
      return $0.send()
    },
    Scene("an order is paid", ["credited 500 #1 20.00 USD 1:500, 500 left"]) {
      $0.ordered()
      $0.send()
      return $0.tell(paid())
    },
    Scene("an order is declined", ["charge-declined 500 #1, 0 left"]) {
      $0.ordered()
      $0.send()
      return $0.tell(.declined(reason: ""))
    },
    Scene("an order without a payment method", ["denied 500 no-method 20.00 USD, 0 left"]) {
      $0.run(.order(500, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order of a frozen account", ["denied 500 frozen 20.00 USD, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      $0.run(.freeze(reason: ""))
      return $0.run(.order(500, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order of a closed account", ["denied 500 closed 20.00 USD, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      $0.run(.close(reason: ""))
      return $0.run(.order(500, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order beyond the limit of totals", ["denied 9000000000000 limit 20.00 USD, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.order(9_000_000_000_000, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order of nothing", []) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.order(0, price: Money(20_00, .usd), method: 1)).records
    },
    Scene("an order for nothing", []) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.order(500, price: Money(0, .usd), method: 1)).records
    },
    Scene("the order after the sixteenth", ["denied 500 limit 20.00 USD, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      for _ in 0..<16 { $0.run(.order(500, price: Money(20_00, .usd), method: 1)) }
      return $0.run(.order(500, price: Money(20_00, .usd), method: 1)).records
    },
    Scene(
      "the account is frozen before an order is sent", ["frozen 0, 0 left", "charge-cancelled 500 #1 frozen, 0 left"]
    ) {
      $0.ordered()
      return $0.run(.freeze(reason: "")).records
    },
    Scene(
      "the method is removed before an order is sent",
      [
        "method-removed 0, 0 left", "charge-cancelled 500 #1 changed, 0 left",
      ]
    ) {
      $0.ordered()
      return $0.run(.removeMethod(1)).records
    },
    Scene("auto-refill is switched off before an order is sent", ["refill-set 0 off, 0 left"]) {
      $0.ordered()
      return $0.run(.setRefill(nil)).records
    },
    Scene("the ninth charge that ended unpaid: the first is forgotten", ["credited 500 #2 20.00 USD 1:500, 500 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      for number in UInt32(1)...9 {
        $0.run(.order(500, price: Money(20_00, .usd), method: 1))
        $0.fail(number, at: Fixture.start)
      }
      return $0.tell(paid(), of: 1) + $0.tell(paid(), of: 2)
    },
  ]

  static let disputes = [
    Scene("Case 35: a dispute", ["charge-disputed 0 #1, 599 left"]) {
      $0.credited()
      return $0.run(.dispute(1, reason: "not me")).records
    },
    Scene("Case 35: after a dispute nothing comes due", ["debited 599 1:99 2:500, 0 left", "exhausted 0, 0 left"]) {
      $0.credited()
      $0.run(.dispute(1, reason: "not me"))
      return $0.spend(599)
    },
    Scene(
      "Case 35: a dispute cancels what is due",
      ["charge-disputed 0 #1, 99 left", "charge-cancelled 500 #2 changed, 99 left"]
    ) {
      $0.credited()
      $0.spend(500)
      return $0.run(.dispute(1, reason: "not me")).records
    },
    Scene("Case 35: a dispute of one charge while the next is charging", ["credited 500 #2 20.00 USD 3:500, 599 left"])
    {
      $0.credited()
      $0.spend(500)
      $0.send(2)
      $0.run(.dispute(1, reason: "not me"))
      return $0.tell(paid(), of: 2)
    },
    Scene("Case 35: after a dispute it goes on by hand only", ["refill-rearmed 0 by hand, 99 left", due2]) {
      $0.credited()
      $0.run(.dispute(1, reason: "not me"))
      $0.spend(500)
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      return $0.run(.resumeRefill(reason: "clear")).records
    },
    Scene("Case 35: a new card does not re-arm it after a dispute", ["method-saved 0, 99 left"]) {
      $0.credited()
      $0.run(.dispute(1, reason: "not me"))
      $0.spend(500)
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene(
      "Case 35: a new card in the place of a removed one does not re-arm it after a dispute",
      [
        "method-saved 0, 99 left"
      ]
    ) {
      // The removal of the card once took the place of the dispute, and the next card re-armed the refill.
      $0.credited()
      $0.run(.dispute(1, reason: "not me"))
      $0.spend(500)
      $0.run(.removeMethod(1))
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene("Case 35: by hand after a dispute, without a card", ["refill-rearmed 0 by hand, 99 left"]) {
      $0.credited()
      $0.run(.dispute(1, reason: "not me"))
      $0.spend(500)
      $0.run(.removeMethod(1))
      return $0.run(.resumeRefill(reason: "clear")).records
    },
    Scene("a dispute of an open charge", ["denied 0 no-charge, 99 left"]) {
      $0.refilled(99)
      return $0.run(.dispute(1, reason: "")).records
    },
    Scene("a dispute of no charge", ["denied 0 no-charge, 0 left"]) { $0.run(.dispute(1, reason: "")).records },
    Scene("a dispute of charge 0", ["denied 0 no-charge, 0 left"]) { $0.run(.dispute(0, reason: "")).records },
  ]

  static let methods = [
    Scene("a method", ["method-saved 0, 0 left"]) { $0.run(.saveMethod(Fixture.card, forRefill: true)).records },
    Scene("the method after the sixteenth", ["denied 0 limit, 0 left"]) {
      for _ in 0..<16 { $0.run(.saveMethod(Fixture.card, forRefill: true)) }
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene("a method of a closed account", ["denied 0 closed, 0 left"]) {
      $0.run(.close(reason: ""))
      return $0.run(.saveMethod(Fixture.card, forRefill: true)).records
    },
    Scene("the removal of no method", ["denied 0 no-method, 0 left"]) { $0.run(.removeMethod(1)).records },
    Scene("the removal of a method twice", ["denied 0 no-method, 0 left"]) {
      $0.run(.saveMethod(Fixture.card, forRefill: true))
      $0.run(.removeMethod(1))
      return $0.run(.removeMethod(1)).records
    },
  ]

  @Test("declines pause auto-refill, longer each time, and then stop it", arguments: declines)
  func checkDeclines(_ scene: Scene) { scene.check() }

  @Test("every answer of the provider is booked once", arguments: answers)
  func checkAnswers(_ scene: Scene) { scene.check() }

  @Test("a purchase is an intent, a charge, and a grant", arguments: purchases)
  func checkPurchases(_ scene: Scene) { scene.check() }

  @Test("a dispute claws nothing back, and stops auto-refill", arguments: disputes)
  func checkDisputes(_ scene: Scene) { scene.check() }

  @Test("payment methods are kept within limits", arguments: methods)
  func checkMethods(_ scene: Scene) { scene.check() }

  static func method(
    token: String = "tok", brand: String = "visa", lastFour: String = "4242", year: Int = 2030, month: Int = 6
  ) -> PaymentMethod {
    PaymentMethod(token: token, brand: brand, lastFour: lastFour, expiryYear: year, expiryMonth: month)
  }

  static let bad = [
    method(token: ""), method(token: "4242424242424242"), method(token: "tok 4242-4242-4242-4242"),
    method(brand: "5555 5555 5555 4444"), method(token: String(repeating: "x", count: 256)), method(lastFour: "424"),
    method(lastFour: "42424"), method(lastFour: "42a2"), method(lastFour: "٤٢٤٢"), method(year: 1999),
    method(year: 10_000), method(month: 0), method(month: 13),
  ]

  @Test("a card number, or a method that is not whole, is refused and leaves no trace", arguments: bad)
  func badMethod(_ method: PaymentMethod) {
    var fixture = Fixture()
    #expect(fixture.refusal(.saveMethod(method, forRefill: true)) == .invalid)
    #expect(fixture.records.count == 1 && fixture.account.extras.methods.isEmpty)
  }

  @Test("every state of auto-refill is visible")
  func states() {
    var fixture = Fixture()
    #expect(fixture.refillState == "off")
    fixture.refilled(150)
    #expect(fixture.refillState == "armed")
    fixture.spend(51)
    #expect(fixture.refillState == "due")
    fixture.send()
    #expect(fixture.refillState == "charging")
    fixture.tell(.unknown(reason: ""))
    #expect(fixture.refillState == "unknown")
    fixture.tell(.processing, at: ChargeRulesTests.at(10))
    #expect(fixture.refillState == "processing")
    fixture.tell(.needsAction(link: ""), at: ChargeRulesTests.at(10))
    #expect(fixture.refillState == "needs action")
    fixture.tell(Fixture.paid(1), at: ChargeRulesTests.at(10))
    #expect(fixture.refillState == "mismatched")
    fixture.tell(.declined(reason: ""), at: ChargeRulesTests.at(10))
    #expect(fixture.refillState == "cooling down until 1970-01-01T01:16:50Z")
    #expect(fixture.refill.declines == 1 && fixture.refill.terms == Fixture.terms())
    fixture.run(.setRefill(Fixture.terms(cap: 19_99)), at: ChargeRulesTests.at(11))
    fixture.run(.resumeRefill(reason: ""), at: ChargeRulesTests.at(12))
    #expect(fixture.refillState == "capped until 1970-02-01T00:16:40Z")
    fixture.run(.removeMethod(1), at: ChargeRulesTests.at(13))
    #expect(fixture.refillState == "suspended because no method")
    var declined = Fixture()
    ChargeRulesTests.suspended(&declined)
    #expect(declined.refillState == "suspended because declined" && declined.refill.declines == 4)
    var disputed = Fixture()
    disputed.credited()
    disputed.run(.dispute(1, reason: ""))
    #expect(disputed.refillState == "suspended because disputed")
  }

  @Test("every cause of a cancellation and of a re-arming, and every suspension, is made by a row of these tables")
  func complete() {
    var causes: Set<String> = []
    var suspensions: Set<RefillState.Suspension> = []
    var kinds: Set<Entry.Kind> = []
    let tables = [
      RefillRulesTests.thresholds, RefillRulesTests.checks, RefillRulesTests.caps, ChargeRulesTests.declines,
      ChargeRulesTests.answers, ChargeRulesTests.purchases, ChargeRulesTests.disputes, ChargeRulesTests.methods,
      HoldRulesTests.scenes, PlanRulesTests.scenes, AlertRulesTests.scenes, CorrectionRulesTests.scenes,
    ]
    for scene in tables.joined() {
      var fixture = Fixture()
      _ = scene.play(&fixture)
      if let reason = fixture.account.extras.refill.suspended { suspensions.insert(reason) }
      for record in fixture.records {
        kinds.insert(record.entry.kind)
        guard record.entry.kind == .cancelled || record.entry.kind == .rearmed else { continue }
        causes.insert(JournalEntry(record, at: SequenceNumber(1)).cause ?? "")
      }
    }
    #expect(causes == Set(Cancellation.allCases.map(\.description) + Rearming.allCases.map(\.description)))
    #expect(suspensions == Set(RefillState.Suspension.allCases))
    #expect(kinds == Set(Entry.Kind.allCases), "every kind of entry is made")
  }
}

extension Fixture {
  /// An order of 500 credits for $20.
  mutating func ordered() {
    run(.saveMethod(Fixture.card, forRefill: true))
    run(.order(500, price: Money(20_00, .usd), method: 1))
  }

  /// An account of which the first refill was paid.
  mutating func credited() {
    refilled(99)
    send()
    tell(Fixture.paid())
  }
}
