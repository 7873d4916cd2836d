import CreditsTesting
import Testing

@testable import Credits

@Suite("Reasons of denials")
struct ReasonTests {
  private let fixture = StoreFixture()

  /// The reasons of which the journal has an entry, and then those of which it has none.
  static let recorded = [
    "insufficient", "frozen", "closed", "limit", "no-price", "unknown-feature", "unknown-model", "unknown-tier",
    "unknown-unit", "price-changed", "no-plan", "no-method", "no-refill", "already-corrected", "no-charge",
  ]
  static let unrecorded = [
    "no-hold", "no-debit", "conflict", "too-old", "unknown-account", "invalid", "already-open",
  ]

  /// Brings a reason about under the request `why`.
  private func provoke(_ code: String, _ store: CreditStore, _ alice: AccountID) async throws(StoreError) -> Denial? {
    let why: RequestID = "why"
    func change(_ body: () async throws(StoreError) -> Void) async -> Denial? {
      if case .denied(let denial) = await failure(body) { denial } else { nil }
    }
    switch code {
    case "insufficient": return try await store.debit(11, from: alice, request: why).denial
    case "frozen":
      try await store.freeze(alice, request: "freeze")
      return try await store.debit(1, from: alice, request: why).denial
    case "closed":
      try await store.close(alice, request: "close")
      return await change { () throws(StoreError) in
        try await store.grant(1, to: alice, source: .allowance, request: why)
      }
    case "limit":
      return await change { () throws(StoreError) in
        try await store.grant(.max, to: alice, source: .allowance, request: why)
      }
    case "no-price": return try await store.debit(for: Usage("image"), from: alice, request: why).denial
    case "unknown-feature", "unknown-model", "unknown-tier", "unknown-unit":
      try await store.publish(StoreFixture.book)
      let usages = [
        "unknown-feature": Usage("draw"), "unknown-model": Usage("chat", model: "tiny"),
        "unknown-tier": Usage("chat", tier: "soft"), "unknown-unit": Usage("image", units: 1),
      ]
      return try await store.debit(for: usages[code] ?? Usage("image"), from: alice, request: why).denial
    case "price-changed":
      try await store.publish(StoreFixture.book)
      let quote = try store.quote(for: Usage("image"))
      try await store.publish(StoreFixture.dearer)
      fixture.clock.now = quote.expires
      return try await store.debit(quote, from: alice, request: why).denial
    case "no-plan":
      return await change { () throws(StoreError) in try await store.unsubscribe(alice, request: why) }
    case "no-method":
      return await change { () throws(StoreError) in
        try await store.purchase(.pack(500), for: alice, with: StoreFixture.card, request: why)
      }
    case "no-refill":
      return await change { () throws(StoreError) in try await store.resumeAutoRefill(for: alice, request: why) }
    case "already-corrected":
      guard let debit = try await store.debit(2, from: alice, request: "debit").sequence else { return nil }
      try await store.correct(debit, of: alice, by: 1, reason: "r", agent: "eve", request: "first")
      return await change { () throws(StoreError) in
        try await store.correct(debit, of: alice, by: 1, reason: "r", agent: "eve", request: why)
      }
    case "no-charge":
      return await change { () throws(StoreError) in
        try await store.dispute(charge: 1, of: alice, reason: "r", request: why)
      }
    case "no-hold": return await change { () throws(StoreError) in try await store.capture(why, on: alice) }
    case "no-debit":
      return await change { () throws(StoreError) in
        try await store.correct(SequenceNumber(2), of: alice, by: 1, reason: "r", agent: "eve", request: why)
      }
    case "conflict": return try await store.debit(1, from: alice, request: "order-17").denial
    case "too-old":
      let old = RequestID(at: fixture.clock.now)
      for number in UInt64(1)...120 {
        fixture.clock.advance(by: .seconds(3_600))
        _ = try await store.debit(0.001, from: alice, request: RequestID(number))
      }
      return try await store.debit(1, from: alice, request: old).denial
    case "unknown-account": return try await store.debit(1, from: "nobody", request: why).denial
    case "invalid": return try await store.debit(-1, from: alice, request: why).denial
    case "already-open":
      // The window has forgotten the opening, which the account has not.
      for number in UInt64(1)...120 {
        fixture.clock.advance(by: .seconds(3_600))
        _ = try await store.debit(0.001, from: alice, request: RequestID(number))
      }
      return await change { () throws(StoreError) in try await store.open(alice, label: "other") }
    default: return nil
    }
  }

  @Test(
    "every reason is given where it applies, is recorded or not as it says, and stays after a reopening",
    arguments: recorded + unrecorded)
  func reasons(_ code: String) async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let denial = try #require(try await provoke(code, store, alice))
    #expect(denial.reason.code == code && !denial.isReplay && !denial.reason.description.isEmpty)
    let isRecorded = ReasonTests.recorded.contains(code)
    #expect((denial.sequence != nil) == isRecorded)
    store = try await fixture.reopen(store)
    if isRecorded {
      let entry = try #require(try await store.explain("why", of: alice)?.entry)
      #expect(entry.denial == denial.reason && entry.sequence == denial.sequence && entry.kind == .denied)
    } else {
      #expect(try await store.explain("why", of: alice) == nil)
    }
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  @Test("the table has a row for every reason that the journal can record")
  func complete() {
    let codes = Entry.DenialCode.allCases.map { code in
      var entry = Entry(
        .denied, account: AccountID(1), request: RequestID(1), amount: 1, available: 0, time: .zero, previous: .none)
      entry.detail = code.rawValue
      if case .denied(let denial) = Answer(Record(entry), at: SequenceNumber(1), isReplay: false) {
        return denial.reason.code
      }
      return ""
    }
    #expect(codes == ReasonTests.recorded)
  }
}
