import CreditsTesting
import LMDB
import Testing

@testable import Credits

@Suite("Price books in a store")
struct PublishingTests {
  static func book(_ name: String, base: Amount = 1) -> PriceBook {
    PriceBook(name, features: [PriceBook.Feature("chat", base: base), PriceBook.Feature("free")])
  }

  @Test("versions and the catalogue survive reopening")
  func reopening() async throws {
    let fixture = StoreFixture()
    let catalogue = try Catalogue(packs: [Pack(credits: 7, price: Money(3_00, .eur))], custom: nil)
    var store = try fixture.open()
    #expect(store.priceBooks.isEmpty && store.catalogue == .standard)
    #expect(try await store.publish(PublishingTests.book("one")) == 1)
    #expect(try await store.publish(PublishingTests.book("two", base: 2)) == 2)
    try await store.setCatalogue(catalogue)
    try await store.close()
    store = try fixture.open()
    #expect(store.priceBooks == [PublishingTests.book("one"), PublishingTests.book("two", base: 2)])
    #expect(store.catalogue == catalogue)
    #expect(try store.quote(for: Usage("chat")).amount == 2)
    #expect(try await store.publish(PublishingTests.book("three", base: 3)) == 3)
    try await store.close()
    store = try fixture.open()
    #expect(store.priceBooks.map(\.name) == ["one", "two", "three"])
    try await store.close()
  }

  @Test("a refused book changes nothing")
  func refused() async throws {
    let fixture = StoreFixture()
    var store = try fixture.open()
    try await store.publish(PublishingTests.book("one"))
    let error = await failure { () async throws(StoreError) in
      try await store.publish(PriceBook("", features: []))
    }
    guard case .invalidArgument(let text) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(text.contains("name: 0 bytes; give a name of 1 to 255 bytes"))
    #expect(store.priceBooks == [PublishingTests.book("one")])
    #expect(try await store.publish(PublishingTests.book("two")) == 2)
    try await store.close()
    store = try fixture.open()
    #expect(store.priceBooks.map(\.name) == ["one", "two"])
    try await store.close()
  }

  @Test("books that are published at once get a version each")
  func together() async throws {
    let fixture = StoreFixture()
    let store = try fixture.open()
    let versions = try await withThrowingTaskGroup(of: UInt32.self) { group in
      for index in 0..<20 { group.addTask { try await store.publish(PublishingTests.book("book \(index)")) } }
      var versions: [UInt32] = []
      for try await version in group { versions.append(version) }
      return versions
    }
    #expect(store.priceBooks.count == 20 && Set(store.priceBooks.map(\.name)).count == 20)
    #expect(versions.sorted() == Array(1...20))
    try await store.close()
  }

  @Test("what another one has published is seen after a look at the disk, by a reader from the start")
  func reader() async throws {
    let fixture = StoreFixture()
    let (store, alice) = try await fixture.open(with: 10)
    try await store.publish(PublishingTests.book("one"))
    // A process opens a store once: the reader's part that knows the books stands for one in another process.
    let other = try Prices(store.engine.database)
    #expect(other.table.books.map(\.name) == ["one"])
    try await store.publish(PublishingTests.book("two", base: 2))
    let catalogue = try Catalogue(packs: [], custom: nil)
    try await store.setCatalogue(catalogue)
    #expect(other.table.versionCount == 1 && other.catalogue == .standard)
    try other.refresh()
    try other.refresh()
    #expect(other.table.books == store.priceBooks && other.catalogue == catalogue)
    _ = try await store.debit(for: Usage("chat"), from: alice, request: "r")
    try await store.close()
    let reader = try CreditReader.open(at: fixture.place.path)
    let found = try reader.explain("r", of: alice)
    let entry = try #require(found?.entry)
    #expect(entry.priceVersion == 2 && entry.usage == Usage("chat") && entry.amount == 2)
    #expect(found?.price?.book == "two")
  }

  @Test("a hold for usage that costs nothing is made, recorded and captured")
  func freeHold() async throws {
    let fixture = StoreFixture()
    let (store, alice) = try await fixture.open(with: 10)
    try await store.publish(PublishingTests.book("one"))
    let hold = try await store.hold(for: Usage("free"), on: alice, lasting: .seconds(60), request: "h")
    #expect(hold.amount == 0)
    #expect(try await store.capture(hold).captured == 0)
    #expect(try store.balance(of: alice)?.available == 10)
    try await store.close()
  }

  /// A change of the table of prices, and what opening the store says of it.
  struct Damage: Sendable {
    let key: [UInt8]
    let value: [UInt8]?
    let what: String
    let reason: String

    init(_ key: [UInt8], _ value: [UInt8]?, _ what: String, _ reason: String) {
      (self.key, self.value, self.what, self.reason) = (key, value, what, reason)
    }
  }

  static func sealed(_ json: String) -> [UInt8] {
    let sum = Checksum.of(Array(json.utf8).span.rawBytes)
    return (0..<8).map { UInt8(truncatingIfNeeded: sum >> UInt64($0 * 8)) } + Array(json.utf8)
  }

  static let damages: [Damage] = [
    Damage([0, 0, 0, 1], [], "price book 1", "checksum"),
    Damage([0, 0, 0, 1], [1, 2, 3], "price book 1", "checksum"),
    Damage([0, 0, 0, 2], [UInt8](repeating: 0, count: 8) + Array(book("two").json.utf8), "price book 2", "checksum"),
    Damage([0, 0, 0, 2], sealed("{}"), "price book 2", "name: missing"),
    Damage([0, 0, 0, 2], sealed(""), "price book 2", "no JSON"),
    Damage([0, 0, 0, 0], sealed("{}"), "the catalogue", "packs: missing"),
    Damage([0, 0, 0, 0], [9], "the catalogue", "checksum"),
    Damage([0, 0, 0, 1], nil, "price book 2", "missing"),
    Damage([0, 0, 0, 9], sealed(book("nine").json), "price book 9", "missing"),
    Damage([7], sealed(book("x").json), "the table of prices", "key"),
    Damage([0, 0, 0, 1, 0], sealed(book("x").json), "the table of prices", "key"),
  ]

  @Test("a damaged row of the table of prices is reported as corrupt", arguments: damages.indices)
  func damaged(_ index: Int) async throws {
    let damage = PublishingTests.damages[index]
    let fixture = StoreFixture()
    let store = try fixture.open()
    try await store.publish(PublishingTests.book("one"))
    try await store.publish(PublishingTests.book("two"))
    try await store.close()
    try changeTables(["prices"], at: fixture.place.path) { transaction, tables in
      if let value = damage.value {
        try transaction.put(value.span.rawBytes, for: damage.key.span.rawBytes, in: tables[0])
      } else {
        try transaction.delete(damage.key.span.rawBytes, from: tables[0])
      }
    }
    let error = await failure { () async throws(StoreError) in _ = try fixture.open() }
    guard case .corrupt(let what, _, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(what == damage.what && reason.contains(damage.reason), "\(what): \(reason)")
  }
}
