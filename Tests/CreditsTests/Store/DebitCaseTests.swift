import Credits
import CreditsTesting
import Testing

@Suite("Cases 1 to 9: debits and requests")
struct DebitCaseTests {
  private let fixture = StoreFixture()

  @Test("Case 1, G1: two debits race for the last credits: exactly one succeeds, the other sees what was left")
  func race() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    async let first = store.debit(7, from: alice, request: "1")
    async let second = store.debit(7, from: alice, request: "2")
    let outcomes = try await [first, second]
    #expect(outcomes.compactMap(\.receipt).map(\.balance) == [3])
    #expect(outcomes.compactMap(\.denial).map(\.reason) == [.insufficient(available: 3, needed: 7)])
    try await store.close()
  }

  @Test(
    "Case 2, G2: the same request again gives the original outcome: at once, after a reopening, after its grant is gone"
  )
  func replay() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let outcome = try await store.debit(4, from: alice, request: "req")
    let original = try #require(outcome.receipt)
    for round in 0..<3 {
      let again = try #require(try await store.debit(4, from: alice, request: "req").receipt)
      #expect(again.isReplay && again.sequence == original.sequence && again.balance == original.balance)
      #expect(again.time == original.time && again.amount == 4)
      if round == 0 { _ = try await store.debit(6, from: alice, request: "rest") }
      let last = try store.statistics().last
      try await store.close()
      fixture.clock.advance(by: .seconds(60))
      store = try fixture.open()
      #expect(try store.statistics().last == last, "a replay adds no entry")
    }
    let grant = try await store.grant(10, to: alice, source: .purchase("order-17"), request: "order-17")
    #expect(grant.isReplay && grant.balance == 10)
    #expect(try store.balance(of: alice)?.available == 0)
    try await store.close()
  }

  @Test("Case 3, G2: the same request with other contents is a conflict, and the original stays")
  func conflict() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let original = try #require(try await store.debit(4, from: alice, request: "req").receipt)
    let conflict = Denial.Reason.conflict(with: original.sequence)
    #expect(try await store.debit(5, from: alice, request: "req").denial?.reason == conflict)
    #expect(try await store.debit(4, from: alice, request: "req", extent: .upTo).denial?.reason == conflict)
    #expect(try await store.debit(0, from: alice, request: "req").denial?.sequence == nil)
    let verbs = await refusal { () throws(StoreError) in try await store.freeze(alice, request: "req") }
    #expect(verbs == conflict)
    let grant = await refusal { () throws(StoreError) in
      try await store.grant(10, to: alice, source: .purchase("order-18"), request: "order-17")
    }
    #expect(grant == .conflict(with: SequenceNumber(2)))
    #expect(try await store.debit(4, from: alice, request: "req").receipt?.sequence == original.sequence)
    #expect(try store.statistics().last == original.sequence)
    try await store.close()
  }

  @Test("one request id is of one account: another account's is another request")
  func ownSpace() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let bob = try await store.open("bob")
    try await store.grant(5, to: bob, source: .allowance, request: "order-17")
    _ = try await store.debit(4, from: alice, request: "req")
    #expect(try await store.debit(5, from: bob, request: "req").receipt?.isReplay == false)
    try await store.close()
  }

  @Test("Case 4, G2: a denial stays a denial, with credit arrived meanwhile and after a reopening")
  func denial() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let original = try #require(try await store.debit(11, from: alice, request: "req").denial)
    try await store.grant(100, to: alice, source: .allowance, request: "more")
    for _ in 0..<2 {
      let again = try #require(try await store.debit(11, from: alice, request: "req").denial)
      #expect(again.isReplay && again.reason == original.reason && again.sequence == original.sequence)
      try await store.close()
      store = try fixture.open()
    }
    #expect(try await store.debit(12, from: alice, request: "req").denial?.reason != original.reason)
    #expect(try await store.debit(11, from: alice, request: "new").receipt?.balance == 99)
    try await store.close()
  }

  @Test(
    "Case 6: zero, negative and overflowing amounts are refused before anything is touched",
    arguments: [0, -1, Int64.min])
  func amounts(_ millionths: Int64) async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let amount = Amount(millionths: millionths)
    let denial = try #require(try await store.debit(amount, from: alice, request: "1").denial)
    #expect(denial.reason == .invalid && denial.sequence == nil)
    let grant = await refusal { () throws(StoreError) in
      try await store.grant(amount, to: alice, source: .allowance, request: "2")
    }
    #expect(grant == .invalid)
    #expect(
      try await store.debit(1, from: alice, request: "1").receipt?.balance == 9, "the id is free for another attempt")
    try await store.close()
  }

  @Test("Case 7: parts taken from grants sum to the whole, to the millionth")
  func parts() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    for number in 0..<30 {
      try await store.grant(
        0.333333, to: alice, source: .allowance, request: RequestID(UInt64(100 + number)), acknowledge: .applied)
    }
    let receipt = try #require(try await store.debit(9.999989, from: alice, request: "req").receipt)
    #expect(receipt.balance == 0.000001)
    let entry = try #require(try await store.explain("req", of: alice)?.entry)
    #expect(entry.parts.count == 30 && entry.parts.reduce(0) { $0 + $1.amount } == 9.999989)
    try await store.close()
  }

  @Test("Case 8: more than available is denied whole; up to it takes what there is, only when asked for")
  func upTo() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    #expect(
      try await store.debit(11, from: alice, request: "1").denial?.reason == .insufficient(available: 10, needed: 11))
    #expect(try store.balance(of: alice)?.available == 10)
    let receipt = try #require(try await store.debit(11, from: alice, request: "2", extent: .upTo).receipt)
    #expect(receipt.amount == 10)
    #expect(try await store.explain("2", of: alice)?.entry.asked == 11)
    #expect(try await store.debit(11, from: alice, request: "2", extent: .upTo).receipt?.isReplay == true)
    try await store.close()
  }

  @Test("Case 1, G1: debits and holds race for the last credits: exactly one succeeds", arguments: 0..<8)
  func raceOfKinds(_ round: Int) async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let wins = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<UInt64(8) {
        group.addTask {
          do {
            if number % 2 == 0 {
              return try await store.debit(6, from: alice, request: RequestID(number + 1)).receipt != nil
            }
            _ = try await store.hold(6, on: alice, for: .seconds(60), request: RequestID(number + 1))
            return true
          } catch { return false }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(wins == 1)
    #expect(try store.available(alice) == 4)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("Case 2, G3: before the commit a request has not happened; after it and before the reply, it has")
  func crash() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let before = fixture.place.place("before")
    let after = fixture.place.place("after")
    try await store.backup(to: before)
    let original = try #require(try await store.debit(4, from: alice, request: "req").receipt)
    try await store.backup(to: after)
    // The copies are what a crash at these moments leaves; the client never got a reply and asks again.
    let crashedBefore = try CreditStore.open(at: before, settings: fixture.settings)
    let again = try #require(try await crashedBefore.debit(4, from: alice, request: "req").receipt)
    #expect(!again.isReplay && again.balance == 6)
    let crashedAfter = try CreditStore.open(at: after, settings: fixture.settings)
    let last = try crashedAfter.statistics().last
    let replayed = try #require(try await crashedAfter.debit(4, from: alice, request: "req").receipt)
    #expect(replayed.isReplay && replayed.sequence == original.sequence && replayed.time == original.time)
    #expect(try crashedAfter.statistics().last == last)
    for store in [store, crashedBefore, crashedAfter] { try await store.close() }
  }

  @Test("Case 3, G2: the same request for another feature, model, tier or number of units is a conflict")
  func usageConflict() async throws {
    var (store, alice) = try await fixture.open(with: 100)
    try await store.publish(StoreFixture.book)
    let usage = Usage("chat", model: "large", tier: "hard", units: 30)
    let original = try #require(try await store.debit(for: usage, from: alice, request: "req").receipt)
    #expect(original.amount == 50)
    let others = [
      Usage("image"), Usage("chat", tier: "hard", units: 30), Usage("chat", model: "large", units: 30),
      Usage("chat", model: "large", tier: "hard", units: 31), Usage("draw", model: "large", tier: "hard", units: 30),
      Usage("chat", model: "tiny", tier: "hard", units: 30),
    ]
    for _ in 0..<2 {
      let last = try store.statistics().last
      for other in others {
        let denial = try await store.debit(for: other, from: alice, request: "req").denial
        #expect(denial?.reason == .conflict(with: original.sequence) && denial?.sequence == nil, "\(other)")
      }
      #expect(
        try await store.debit(50, from: alice, request: "req").denial?.reason == .conflict(with: original.sequence))
      let hold = await refusal { () throws(StoreError) in
        _ = try await store.hold(for: usage, on: alice, lasting: .seconds(60), request: "req")
      }
      #expect(hold == .conflict(with: original.sequence))
      let same = try #require(try await store.debit(for: usage, from: alice, request: "req").receipt)
      #expect(same.isReplay && same.sequence == original.sequence)
      #expect(try store.statistics().last == last && store.available(alice) == 50)
      store = try await fixture.reopen(store)
    }
    try await store.close()
  }

  @Test(
    "Case 6: an amount finer than a millionth, or beyond what fits, cannot be written down",
    arguments: ["0.0000001", "9223372036854.775808", "-9223372036854.775809", "1e3", "", "-", "NaN", "1,5"])
  func texts(_ text: String) { #expect(Amount(text) == nil) }

  @Test("Case 6: usage that the book prices at zero is recorded as free, with and without credits")
  func free() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    try await store.publish(StoreFixture.book)
    for (number, credits) in [0, 5].enumerated() {
      if credits > 0 { try await store.grant(5, to: alice, source: .allowance, request: "g") }
      let receipt = try #require(
        try await store.debit(for: Usage("ping"), from: alice, request: RequestID(UInt64(number + 1))).receipt)
      #expect(receipt.amount == 0 && receipt.balance == Amount(millionths: Int64(credits) * 1_000_000))
      let explanation = try #require(try await store.explain(RequestID(UInt64(number + 1)), of: alice))
      #expect(explanation.entry.usage == Usage("ping") && explanation.entry.priceVersion == 1)
      #expect(explanation.entry.parts.isEmpty && explanation.price?.price == 0)
    }
    // A hold of something free once stopped the program.
    let hold = try await store.hold(for: Usage("ping"), on: alice, lasting: .seconds(60), request: "hold")
    #expect(hold.amount == 0)
    let outcome = try await store.capture(hold)
    #expect(outcome.captured == 0)
    #expect(try store.available(alice) == 5)
    #expect(store.canAfford(Usage("ping"), alice))
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test(
    "Case 7: fractional prices are exact and rounded up once, at the end",
    arguments: [
      (UInt64(1), nil as String?, nil as String?, 0.333334 as Amount), (2, nil, nil, 0.666667), (3, nil, nil, 1),
      (1, "large", nil, 0.833334), (1, "large", "hard", 1.666667), (6, "large", "hard", 10),
      (4_808, nil, nil, 1_602.666667),
    ])
  func rounding(_ units: UInt64, _ model: String?, _ tier: String?, _ price: Amount) async throws {
    let (store, alice) = try await fixture.open(with: 5_000)
    try await store.publish(StoreFixture.book)
    let usage = Usage("chat", model: model, tier: tier, units: units)
    #expect(try store.quote(for: usage).amount == price)
    #expect(try await store.debit(for: usage, from: alice, request: "req").receipt?.amount == price)
    let explanation = try #require(try await store.explain("req", of: alice))
    #expect(explanation.price?.price == price)
    #expect(explanation.entry.usage == Usage("chat", model: model, tier: tier, units: ["token": units]))
    try await store.close()
  }

  @Test("Case 9: usage without a price is denied and recorded, never free, also after a price has come")
  func unknown() async throws {
    var (store, alice) = try await fixture.open(with: 100)
    let early = try #require(try await store.debit(for: Usage("image"), from: alice, request: "early").denial)
    #expect(early.reason == .noPrice && early.sequence != nil)
    try await store.publish(StoreFixture.book)
    let rows: [(Usage, Denial.Reason)] = [
      (Usage("draw"), .unknownFeature), (Usage("chat", model: "tiny", units: 1), .unknownModel),
      (Usage("chat", tier: "soft", units: 1), .unknownTier),
      (Usage("chat", units: ["second": 1]), .unknownUnit), (Usage("image", units: 1), .unknownUnit),
      (Usage("chat", units: .max), .noPrice),
    ]
    for (number, row) in rows.enumerated() {
      let id = RequestID(UInt64(number + 1))
      let denial = try #require(try await store.debit(for: row.0, from: alice, request: id).denial)
      #expect(denial.reason == row.1 && denial.sequence != nil, "\(row.0)")
      let entry = try #require(try await store.explain(id, of: alice)?.entry)
      #expect(entry.denial == row.1 && entry.declined == .debited && entry.usage == row.0)
      #expect(!store.canAfford(row.0, alice))
      let hold = await refusal { () throws(StoreError) in
        _ = try await store.hold(for: row.0, on: alice, lasting: .seconds(1), request: RequestID(UInt64(number + 100)))
      }
      #expect(hold == row.1)
      let quote = await refusal { () throws(StoreError) in _ = try store.quote(for: row.0) }
      #expect(quote == row.1)
    }
    store = try await fixture.reopen(store)
    #expect(try store.available(alice) == 100)
    let late = try #require(try await store.debit(for: Usage("image"), from: alice, request: "early").denial)
    #expect(late.isReplay && late.reason == .noPrice && late.sequence == early.sequence)
    #expect(try await store.debit(for: Usage("image"), from: alice, request: "late").receipt?.amount == 4)
    try await store.close()
  }

  @Test("Case 9: a quote of another store, where the book may say otherwise, is no price")
  func foreignQuote() async throws {
    let (store, alice) = try await fixture.open(with: 100)
    let other = StoreFixture()
    let stranger = try other.open()
    try await stranger.publish(StoreFixture.book)
    // With no book here, and with another one.
    let quote = try stranger.quote(for: Usage("ping"))
    for round in 0..<2 {
      let error = await failure { () throws(StoreError) in _ = try await store.debit(quote, from: alice, request: "1") }
      #expect(error?.code == "invalid-argument", "round \(round)")
      #expect(try await store.explain("1", of: alice) == nil)
      if round == 0 { try await store.publish(StoreFixture.dearer) }
    }
    try await stranger.close()
    try await store.close()
  }

  @Test("Case 9: a quoted version is used while it is valid, and then refused if prices have changed")
  func quotes() async throws {
    var (store, alice) = try await fixture.open(with: 100)
    try await store.publish(StoreFixture.book)
    let quote = try store.quote(for: Usage("image"))
    #expect(quote.amount == 4 && quote.version == 1 && quote.expires == fixture.clock.now + .seconds(60))
    try await store.publish(StoreFixture.dearer)
    fixture.clock.now = quote.expires - .microseconds(1)
    #expect(try await store.debit(quote, from: alice, request: "1").receipt?.amount == 4)
    #expect(try await store.explain("1", of: alice)?.entry.priceVersion == 1)
    #expect(try await store.debit(for: Usage("image"), from: alice, request: "2").receipt?.amount == 8)
    fixture.clock.now = quote.expires
    let denial = try #require(try await store.debit(quote, from: alice, request: "3").denial)
    #expect(denial.reason == .priceChanged && denial.sequence != nil)
    #expect(try await store.explain("3", of: alice)?.entry.denial == .priceChanged)
    store = try await fixture.reopen(store)
    #expect(try await store.debit(quote, from: alice, request: "1").receipt?.isReplay == true, "as it was")
    #expect(try await store.debit(quote, from: alice, request: "3").denial?.isReplay == true)
    let fresh = try store.quote(for: Usage("image"))
    fixture.clock.advance(by: .seconds(600))
    #expect(try await store.debit(fresh, from: alice, request: "4").receipt?.amount == 8, "no newer prices")
    #expect(try store.available(alice) == 80)
    try await store.close()
  }
}
