import Credits
import CreditsTesting
import Testing

@Suite("The verbs of a store")
struct VerbTests {
  private let fixture = StoreFixture()

  @Test("an account is opened once; opening it again is a replay, under another label a conflict")
  func opening() async throws {
    let store = try fixture.open()
    let first = try await store.open(AccountID(7), label: "seven")
    #expect(!first.isReplay && first.sequence.value == 1 && first.balance == 0)
    let again = try await store.open(AccountID(7), label: "seven")
    #expect(again.isReplay && again.sequence == first.sequence)
    let conflict = await refusal { () throws(StoreError) in try await store.open(AccountID(7), label: "eight") }
    #expect(conflict == .conflict(with: first.sequence))
    #expect(try await store.open("alice") == AccountID("alice"))
    #expect(try store.account("alice")?.label == "alice")
    #expect(try store.account(AccountID(8)) == nil)
    let tooLong = await refusal { () throws(StoreError) in
      try await store.open(String(repeating: "x", count: 256))
    }
    #expect(tooLong == .invalid)
    try await store.close()
  }

  @Test("a grant gives credits with source, priority, start and expiry")
  func granting() async throws {
    let store = try fixture.open()
    let alice = try await store.open("alice")
    let expires = StoreFixture.start + .seconds(60)
    let receipt = try await store.grant(5, to: alice, source: .allowance, expires: expires, request: "a")
    #expect(receipt.amount == 5 && receipt.balance == 5 && !receipt.isReplay && receipt.time == StoreFixture.start)
    try await store.grant(7, to: alice, source: .promotion("p"), priority: 1, request: "b", acknowledge: .applied)
    let summary = try #require(try store.account(alice))
    #expect(summary.grants.map(\.number) == [2, 1] && summary.grants.map(\.priority) == [1, 10])
    #expect(summary.grants[1].expires == expires && summary.grants[1].kind == .allowance)
    #expect(summary.granted == 12 && summary.balance.available == 12 && summary.status == .open)
    try await store.close()
  }

  @Test("G1: a debit takes all of the amount or nothing")
  func debiting() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let receipt = try #require(try await store.debit(3.5, from: alice, request: "req-1").receipt)
    #expect(receipt.amount == 3.5 && receipt.balance == 6.5 && !receipt.isReplay)
    let denial = try #require(try await store.debit(6.500001, from: alice, request: "req-2").denial)
    #expect(denial.reason == .insufficient(available: 6.5, needed: 6.500001) && denial.sequence != nil)
    let rest = try #require(try await store.debit(100, from: alice, request: "req-3", extent: .upTo).receipt)
    #expect(rest.amount == 6.5 && rest.balance == 0)
    let none = try #require(try await store.debit(1, from: alice, request: "req-4", extent: .upTo).denial)
    #expect(none.reason == .insufficient(available: 0, needed: 1))
    let summary = try #require(try store.account(alice))
    #expect(summary.spent == 10 && summary.expired == 0 && summary.grants.isEmpty)
    try await store.close()
  }

  @Test("up to the largest amount takes all there is, also after earlier debits")
  func everything() async throws {
    // The oracle found that the amount asked for, not the amount taken, was added to the total: denied as beyond a
    // limit.
    let (store, alice) = try await fixture.open(with: 10)
    _ = try await store.debit(1, from: alice, request: "a")
    #expect(try await store.debit(.max, from: alice, request: "b", extent: .upTo).receipt?.amount == 9)
    try await store.close()
  }

  @Test("the request id of 128 zeros stands for no request and is refused, on every path")
  func zeroRequest() async throws {
    // The oracle found that a debit under this id was applied but answered as invalid, or applied twice over a
    // reopening.
    let (store, alice) = try await fixture.open(with: 10)
    for amount in [1, 10] as [Amount] {
      #expect(try await store.debit(amount, from: alice, request: RequestID(0)).denial?.reason == .invalid)
    }
    #expect(try await store.debit([Debit(1, from: alice, request: RequestID(0))])[0].denial?.reason == .invalid)
    let grant = await refusal { () throws(StoreError) in
      try await store.grant(1, to: alice, source: .allowance, request: RequestID(0))
    }
    #expect(grant == .invalid)
    #expect(try store.balance(of: alice)?.available == 10)
    try await store.close()
  }

  @Test("G2: a batch answers each debit by itself, in order")
  func batches() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let debits = [
      Debit(4, from: alice, request: "1"), Debit(4, from: alice, request: "2"), Debit(4, from: alice, request: "3"),
      Debit(4, from: alice, request: "1"), Debit(4, from: "nobody", request: "4"),
      Debit(9, from: alice, request: "5", extent: .upTo), Debit(0, from: alice, request: "6"),
      Debit(5, from: alice, request: "2"),
    ]
    let outcomes = try await store.debit(debits)
    #expect(outcomes.map(\.receipt?.amount) == [4, 4, nil, 4, nil, 2, nil, nil])
    #expect(outcomes[3].receipt?.isReplay == true)
    #expect(outcomes[4].denial?.reason == .unknownAccount && outcomes[6].denial?.reason == .invalid)
    #expect(outcomes[7].denial?.reason == .conflict(with: outcomes[1].receipt?.sequence ?? .none))
    #expect(try await store.debit([]).isEmpty)
    try await store.close()
  }

  @Test("a frozen account takes credits and spends none until it is unfrozen")
  func freezing() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    try await store.freeze(alice, reason: "fraud", request: "f")
    #expect(try await store.debit(1, from: alice, request: "1").denial?.reason == .frozen)
    #expect(try store.account(alice)?.status == .frozen && !store.canAfford(1, alice))
    try await store.grant(1, to: alice, source: .allowance, request: "g")
    try await store.unfreeze(alice, request: "u")
    #expect(try await store.debit(11, from: alice, request: "2").receipt?.balance == 0)
    let history = try await store.history(of: alice)
    #expect(history.entries.first { $0.kind == .frozen }?.text == "fraud")
    try await store.close()
  }

  @Test("a closed account is closed for good, and its credits are booked as expired")
  func closing() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let receipt = try await store.close(alice, reason: "gone", request: "c")
    #expect(receipt.amount == 10 && receipt.balance == 0)
    #expect(try await store.close(alice, reason: "gone", request: "c").isReplay)
    #expect(try await store.debit(1, from: alice, request: "d").denial?.reason == .closed)
    for verb in 0..<4 {
      let id = RequestID(UInt64(100 + verb))
      let reason = await refusal { () throws(StoreError) in
        switch verb {
        case 0: try await store.grant(1, to: alice, source: .allowance, request: id)
        case 1: try await store.freeze(alice, request: id)
        case 2: try await store.unfreeze(alice, request: id)
        default: try await store.close(alice, request: id)
        }
      }
      #expect(reason == .closed)
    }
    let summary = try #require(try store.account(alice))
    #expect(summary.status == .closed && summary.expired == 10 && summary.grants.isEmpty)
    #expect(!store.canAfford(0.000001, alice))
    try await store.close()
  }

  @Test("requests that cannot be accepted leave no trace")
  func untraced() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let before = try store.balance(of: alice)
    #expect(try await store.debit(1, from: "nobody", request: "1").denial?.reason == .unknownAccount)
    for verb in 0..<4 {
      let id = RequestID(UInt64(100 + verb))
      let reason = await refusal { () throws(StoreError) in
        switch verb {
        case 0: try await store.grant(1, to: "nobody", source: .allowance, request: id)
        case 1: try await store.freeze("nobody", request: id)
        case 2: try await store.unfreeze("nobody", request: id)
        default: try await store.close("nobody", request: id)
        }
      }
      #expect(reason == .unknownAccount)
    }
    let long = await refusal { () throws(StoreError) in
      try await store.grant(1, to: alice, source: .purchase(String(repeating: "x", count: 256)), request: "2")
    }
    #expect(long == .invalid)
    #expect(try store.balance(of: alice) == before)
    #expect(try store.statistics().last.value == 2)
    try await store.close()
  }

  @Test("a grant beyond the limit of an account's totals is denied and recorded")
  func limit() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let reason = await refusal { () throws(StoreError) in
      try await store.grant(.max, to: alice, source: .allowance, request: "l")
    }
    #expect(reason == .limit)
    #expect(try await store.explain("l", of: alice)?.entry.denial == .limit)
    try await store.close()
  }

  @Test("G3: what was acknowledged as applied is durable after sync")
  func applied() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let outcome = try await store.debit(1, from: alice, request: "1", acknowledge: .applied)
    try await store.sync(try #require(outcome.receipt))
    #expect(try store.statistics().last.value >= 3)
    try await store.sync()
    try await store.close()
  }

  @Test("the gate fails closed")
  func gate() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    #expect(store.canAfford(10, alice) && !store.canAfford(10.000001, alice))
    #expect(store.canAfford(0, alice) && !store.canAfford(-1, alice) && !store.canAfford(1, "nobody"))
    _ = try await store.debit(10, from: alice, request: "1")
    #expect(!store.canAfford(0, alice), "with nothing left, not even nothing is affordable")
    try await store.grant(1, to: alice, source: .allowance, expires: StoreFixture.start + .seconds(5), request: "2")
    #expect(store.canAfford(1, alice))
    fixture.clock.advance(by: .seconds(5))
    #expect(!store.canAfford(0.000001, alice), "it has expired, though no entry says so yet")
    try await store.close()
    #expect(!store.canAfford(0.000001, alice))
  }
}
