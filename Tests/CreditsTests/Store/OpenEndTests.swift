import Credits
import CreditsTesting
import Glibc
import LMDB
import Testing

@Suite("What is open for long: holds that the request window has forgotten, charges between two openings")
struct OpenEndTests {
  private let fixture = StoreFixture { $0.windowRequests = 1_024 }
  private let card = PaymentMethod(
    token: "tok_1", brand: "visa", lastFour: "4242", expiryYear: 2_030, expiryMonth: 12)

  @Test("G2: a hold that outlives the request window is not made a second time, and can still be captured")
  func hold() async throws {
    var (store, alice) = try await fixture.open(with: 10_000)
    let hold = try await store.hold(10, on: alice, for: .seconds(86_400), request: "long")
    for number in UInt64(1)...3_000 {
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 16 == 0 { try await store.sync() }
    }
    for _ in 0..<2 {
      let again = await refusal { () throws(StoreError) in
        try await store.hold(10, on: alice, for: .seconds(86_400), request: "long")
      }
      #expect(again == .tooOld)
      #expect(try store.balance(of: alice)?.held == 10)
      try await store.close()
      store = try fixture.open()
    }
    #expect(try await store.capture(hold, amount: 4).captured == 4)
    #expect(try store.balance(of: alice)?.available == 6_996)
    try await store.close()
  }

  @Test("a purchase that is paid before the worker sends it is credited once, and never sent")
  func early() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let method = try await store.savePaymentMethod(card, for: alice, request: "m")
    let purchase = try await store.purchase(.pack(500), for: alice, with: method, request: "p")
    let paid = ChargeOutcome.succeeded(reference: "ch_1", price: Money(20_00, .usd))
    for _ in 0..<2 { try await store.report(paid, ofChargeWithKey: purchase.key) }
    let gateway = ScriptedGateway()
    try await RefillWorker(store: store, gateway: gateway).work()
    #expect(gateway.calls == 0)
    #expect(try store.balance(of: alice)?.available == 510)
    try await store.close()
  }

  @Test("Case 26: a refill that is paid before it is sent counts in the period of its cap")
  func cap() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let method = try await store.savePaymentMethod(card, for: alice, request: "m")
    try await store.setAutoRefill(
      .on(below: 100, buy: .pack(500), atMost: Money(30_00, .usd), per: .month, with: method), for: alice, request: "r")
    guard case .due(let charge)? = try store.account(alice)?.refill.state else {
      Issue.record("no refill is due")
      return
    }
    let paid = ChargeOutcome.succeeded(reference: "ch_1", price: charge.price)
    let key = try #require(try await store.key(ofCharge: charge.number, of: alice))
    try await store.report(paid, ofChargeWithKey: key)
    #expect(try store.account(alice)?.refill.charged == Money(20_00, .usd))
    _ = try await store.debit(450, from: alice, request: "d")
    let gateway = ScriptedGateway()
    try await RefillWorker(store: store, gateway: gateway).work()
    #expect(gateway.calls == 0, "a second pack would be beyond the cap")
    guard case .capped? = try store.account(alice)?.refill.state else {
      Issue.record("the refill is not capped")
      return
    }
    try await store.close()
  }

  @Test("Case 38: a store that took the place of a later one never takes the charges of that one for its own")
  func lost() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    let method = try await store.savePaymentMethod(card, for: alice, request: "m")
    let copy = fixture.place.place("copy")
    try await store.backup(to: copy)
    let lost = try await store.purchase(.pack(500), for: alice, with: method, request: "lost")
    let gateway = ScriptedGateway()
    try await RefillWorker(store: store, gateway: gateway).work()
    #expect(gateway.taken.map(\.key) == [lost.key])
    try await store.close()
    fixture.clock.advance(by: .seconds(60))
    store = try CreditStore.open(at: copy, settings: fixture.settings)
    try await store.resumeCharges()
    let paid = ChargeOutcome.succeeded(reference: "ch-1", price: Money(20_00, .usd))
    for _ in 0..<2 {
      let denied = await refusal { () throws(StoreError) in try await store.report(paid, ofChargeWithKey: lost.key) }
      #expect(denied == .noCharge, "money without credits is for people to look at")
      #expect(try store.balance(of: alice)?.available == 10)
      _ = try await store.purchase(.pack(500), for: alice, with: method, request: "new")
    }
    try await RefillWorker(store: store, gateway: gateway).work()
    #expect(gateway.taken.count == 2 && gateway.chargedTwice.isEmpty)
    #expect(try store.balance(of: alice)?.available == 510)
    let denied = await refusal { () throws(StoreError) in try await store.report(paid, ofChargeWithKey: lost.key) }
    #expect(denied == .noCharge)
    #expect(try await store.verify().problem == nil)
    try await store.close()
  }

  /// Whether an old charge was credited is looked up in the journal. Where that no longer went so far, a success was
  /// taken without a word, though the charge may have ended without credits.
  @Test("Case 32: the payment of a charge whose end is outside retention is refused, for people to look at")
  func outsideRetention() async throws {
    let fixture = StoreFixture {
      $0.windowRequests = 1_024
      $0.checkpointEntries = 1_024
    }
    let (store, alice) = try await fixture.open(with: 100_000)
    let method = try await store.savePaymentMethod(card, for: alice, request: "m")
    let purchase = try await store.purchase(.pack(500), for: alice, with: method, request: "p")
    try await store.removePaymentMethod(method, of: alice, request: "r")
    for number in UInt64(1)...6_000 {
      fixture.clock.advance(by: .seconds(1))
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 200 == 0 { try await store.sync() }
    }
    let paid = ChargeOutcome.succeeded(reference: "ch_1", price: Money(20_00, .usd))
    func report() async -> Denial.Reason? {
      await refusal { () throws(StoreError) in try await store.report(paid, ofChargeWithKey: purchase.key) }
    }
    #expect(await report() == .noCharge)
    var trimmed: UInt64 = 0
    for _ in 0..<200 where trimmed == 0 { trimmed += try await store.trim(before: .latest).entries }
    #expect(try await store.progress(of: purchase) == nil)
    #expect(await report() == .noCharge)
    try await store.report(.declined(reason: "late"), ofChargeWithKey: purchase.key)
    #expect(try store.balance(of: alice)?.available == 94_000)
    try await store.close()
  }

  @Test("Case 38: an older copy of the data file that is put in the place of the store's own pauses charges")
  func older() async throws {
    var (store, alice) = try await fixture.open(with: 10)
    try await store.close()
    let file = fixture.place.path + "/data.mdb"
    let old = try bytes(of: file)
    for _ in 0..<2 {
      store = try fixture.open()
      #expect(!store.chargesArePaused)
      _ = try await store.debit(1, from: alice, request: "d")
      try await store.close()
    }
    try overwrite(file, with: old)
    for _ in 0..<2 {
      store = try fixture.open()
      #expect(store.chargesArePaused, "the charges of the later one may have been made")
      #expect(try store.balance(of: alice)?.available == 10)
      try await store.close()
    }
    store = try fixture.open()
    try await store.resumeCharges()
    try await store.close()
    store = try fixture.open()
    #expect(!store.chargesArePaused)
    try await store.close()
  }

  private func bytes(of path: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { throw CancellationError() }
    defer { unsafe fclose(file) }
    var (all, chunk): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 1 << 16))
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk.prefix(count) }
    return all
  }

  /// Puts other contents into a file, which stays the same file.
  private func overwrite(_ path: String, with bytes: [UInt8]) throws {
    guard let file = unsafe fopen(path, "r+") else { throw CancellationError() }
    defer { unsafe fclose(file) }
    #expect(ftruncate(unsafe fileno(file), off_t(bytes.count)) == 0)
    #expect(unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }

  @Test("verify finds an account with an open charge that has no row among those that have, and the other way round")
  func rows() async throws {
    let (store, alice) = try await fixture.open(with: 10)
    let bob = try await store.open("bob")
    let method = try await store.savePaymentMethod(card, for: alice, request: "m")
    try await store.purchase(.pack(500), for: alice, with: method, request: "p")
    #expect(try await store.verify().problem == nil)
    try await store.close()
    for change in [[], [bob], [alice, bob], [alice]] { try await check(change, expecting: [alice]) }
  }

  /// Replaces the rows of open charges, and verifies.
  private func check(_ rows: [AccountID], expecting expected: [AccountID]) async throws {
    try changeTables(["charges"], at: fixture.place.path) { transaction, tables in
      for account in [AccountID("alice"), AccountID("bob")] {
        let key = bytes(account)
        try transaction.delete(key.span.rawBytes, from: tables[0])
      }
      for account in rows {
        let (key, value): ([UInt8], [UInt8]) = (bytes(account), [])
        try transaction.put(value.span.rawBytes, for: key.span.rawBytes, in: tables[0])
      }
    }
    let reader = try CreditReader.open(at: fixture.place.path)
    #expect((try await reader.verify().problem == nil) == (rows == expected), "\(rows)")
  }

  private func bytes(_ account: AccountID) -> [UInt8] {
    [account.high, account.low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
  }
}
