import Credits
import CreditsTesting
import Testing

@Suite("The request window of a store")
struct WindowTests {
  private let fixture = StoreFixture {
    $0.windowRequests = 1_024
    $0.windowAge = .seconds(3_600)
  }

  @Test("Case 5, G2: a request whose id carries a time before the window is refused as too old, also after a reopening")
  func tooOld() async throws {
    var (store, alice) = try await fixture.open(with: 1_000)
    let old = RequestID(at: fixture.clock.now)
    #expect(try await store.debit(1, from: alice, request: old).receipt?.balance == 999)
    #expect(try await store.debit(1, from: alice, request: old).receipt?.isReplay == true)
    try await age(store, alice)
    for _ in 0..<2 {
      let denial = try #require(try await store.debit(1, from: alice, request: old).denial)
      #expect(denial.reason == .tooOld && denial.sequence == nil)
      let grant = await refusal { () throws(StoreError) in
        try await store.grant(1, to: alice, source: .allowance, request: old)
      }
      #expect(grant == .tooOld)
      try await store.close()
      store = try fixture.open()
    }
    let new = RequestID(at: fixture.clock.now)
    #expect(try await store.debit(1, from: alice, request: new).receipt?.isReplay == false)
    try await store.close()
  }

  /// The window is measured in entries, too: under load it may end in the millisecond in which a request was made. That
  /// one had been forgotten, was not before the window, and was carried out a second time.
  @Test("Case 5, G2: a request that is forgotten at the very moment that its id carries is refused as too old")
  func forgottenAtOnce() async throws {
    let (store, alice) = try await fixture.open(with: 100_000)
    let request = RequestID(at: fixture.clock.now)
    #expect(try await store.debit(1, from: alice, request: request).receipt?.isReplay == false)
    for number in UInt64(1)...3_000 {
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 16 == 0 { try await store.sync() }
    }
    #expect(try await store.debit(1, from: alice, request: request).denial?.reason == .tooOld)
    #expect(try store.balance(of: alice)?.available == 96_999)
    fixture.clock.advance(by: .milliseconds(1))
    let new = RequestID(at: fixture.clock.now)
    #expect(try await store.debit(1, from: alice, request: new).receipt?.isReplay == false)
    try await store.close()
  }

  /// Entries of different accounts may be out of order by a hair. When a store was opened, the latest time of the last
  /// forgotten block was taken as the one up to which requests are too old; a block before it was later. A request from
  /// there was neither remembered nor too old, and carried out a second time.
  @Test("Case 5, G2: what is forgotten is too old after a reopening, though what follows it was decided earlier")
  func laterThanItsSuccessors() async throws {
    let fixture = StoreFixture { $0.windowRequests = 1_024 }
    let (prepared, alice) = try await fixture.open(with: 1_000)
    let bob = try await prepared.open("bob")
    try await prepared.grant(10_000, to: bob, source: .allowance, request: "for bob")
    try await prepared.close()
    // Nothing is committed but when it is asked for.
    var settings = fixture.settings
    settings.simulation = Simulation(store: "s", key: HashKey(1, 3, 5), commit: {})
    let store = try CreditStore.open(at: fixture.place.path, settings: settings)
    let perBlock = (Block.capacity - Block.Header.size) / Entry.size
    let start = fixture.clock.now
    fixture.clock.now = start + .milliseconds(10)
    let request = RequestID(at: start + .milliseconds(5))
    #expect(try await store.debit(1, from: alice, request: request, acknowledge: .applied).receipt != nil)
    for number in 1..<UInt64(perBlock) {
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
    }
    fixture.clock.now = start
    for number in 0..<UInt64(4 * perBlock) {
      if number == UInt64(perBlock) { try commit(store) }
      _ = try await store.debit(1, from: bob, request: RequestID(1_000 + number), acknowledge: .applied)
    }
    try commit(store)
    try await store.close()
    let again = try fixture.open()
    #expect(try await again.debit(1, from: alice, request: request).denial?.reason == .tooOld)
    #expect(try again.balance(of: alice)?.available == Amount(millionths: 1_000_000 * Int64(1_000 - perBlock)))
    fixture.clock.now = start + .milliseconds(11)
    let new = RequestID(at: fixture.clock.now)
    #expect(try await again.debit(1, from: alice, request: new).receipt?.isReplay == false, "it is not too old")
    try await again.close()
  }

  private func commit(_ store: CreditStore) throws {
    let moved = store.simulated
    guard let commit = try moved.begin(idles: false) else { return }
    try moved.write(commit)
    moved.finish(commit)
  }

  @Test("Case 5: a request whose id carries no time is executed again once the window has forgotten it, as documented")
  func forgotten() async throws {
    let (store, alice) = try await fixture.open(with: 1_000)
    let first = try #require(try await store.debit(1, from: alice, request: "plain").receipt)
    try await age(store, alice)
    let second = try #require(try await store.debit(1, from: alice, request: "plain").receipt)
    #expect(!second.isReplay && second.sequence > first.sequence)
    try await store.close()
  }

  @Test("G9: by count, too, old requests are forgotten, and the latest are not")
  func count() async throws {
    let (store, alice) = try await fixture.open(with: 100_000)
    for number in UInt64(1)...3_000 {
      _ = try await store.debit(1, from: alice, request: RequestID(number), acknowledge: .applied)
      if number % 16 == 0 { try await store.sync() }
    }
    #expect(try await store.debit(1, from: alice, request: RequestID(2_900)).receipt?.isReplay == true)
    #expect(try await store.debit(1, from: alice, request: RequestID(2_000)).receipt?.isReplay == true)
    #expect(try await store.debit(1, from: alice, request: RequestID(500)).receipt?.isReplay == false)
    try await store.close()
  }

  /// Lets two hours pass, with a little traffic.
  private func age(_ store: CreditStore, _ alice: AccountID) async throws {
    for _ in 0..<120 {
      fixture.clock.advance(by: .seconds(60))
      _ = try await store.debit(1, from: alice, request: RequestID(at: fixture.clock.now))
    }
  }
}
