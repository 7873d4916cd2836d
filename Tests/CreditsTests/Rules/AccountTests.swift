import Testing

@testable import Credits

@Suite("Accounts")
struct AccountTests {
  /// An entry that does not fit an account with 5 credits of grant 1, a grant that waits, and last entry 3.
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let record: Record
    let sequence: SequenceNumber

    init(
      _ reason: String, _ kind: Entry.Kind = .debited, _ amount: Amount = 1, left: Amount = 4, grant: UInt32 = 1,
      detail: UInt8 = 0, units: UInt32 = 0, previous: UInt64 = 3, sequence: UInt64 = 4, seconds: Int64 = 1_000,
      account: AccountID = EntryTests.account, items: [Item] = []
    ) {
      testDescription = reason
      var entry = Entry(
        kind, account: account, request: RequestID(9), amount: amount, available: left,
        time: Timestamp(seconds: seconds), previous: SequenceNumber(previous))
      entry.grant = grant
      entry.detail = detail
      entry.units = units
      record = Record(entry, items)
      self.sequence = SequenceNumber(sequence)
    }
  }

  static let misfits = [
    Row("another account", account: AccountID(1)), Row("the entry follows entry 2", previous: 2),
    Row("does not come after", sequence: 3), Row("is before the account's", seconds: 999),
    Row("below zero", .debited, -1, left: 6), Row("3 available is noted", left: 3),
    Row("opened before", .opened, 0, left: 5), Row("the source 0 is unknown", .granted, 1, left: 6, grant: 3, units: 1),
    Row("grant 4 follows grant 2", .granted, 1, left: 6, grant: 4, detail: 1, units: 1),
    Row("priority is 256", .granted, 1, left: 6, grant: 3, detail: 1, units: 256),
    Row("not waiting to start", .begun, 1, left: 6, grant: 1),
    Row("not waiting to start", .begun, 1, left: 6, grant: 7),
    Row("8 available is noted", .begun, 2, left: 8, grant: 2), Row("too little left", .debited, 6, left: -1),
    Row("has nothing left", grant: 2), Row("has nothing left", .expired, grant: 9),
    Row("too little left", .expired, 5.000001, left: -0.000001),
    Row("too little left", items: [.part(grant: 1, amount: 2)]), Row("4.5 available is noted", .expired, 1, left: 4.5),
    Row("closes 4 of 5", .closed, 4, left: 0), Row("1 available is noted", .closed, 5, left: 1),
    Row("4 available is noted", .frozen, 0, left: 4), Row("4 available is noted", .denied, 1, left: 4),
    Row("the granted total overflows", .granted, .max, left: .max, grant: 3, detail: 1, units: 1),
  ]

  static func account() -> Account {
    var fixture = Fixture()
    fixture.give(5)
    fixture.give(7, starts: RulesTests.at(9))
    return fixture.account
  }

  @Test("an entry that does not fit the account is refused with a reason", arguments: misfits)
  func misfit(_ row: Row) {
    var account = AccountTests.account()
    let error = #expect(throws: Inconsistency.self) { try account.apply(row.record, at: row.sequence) }
    #expect(error?.reason.contains(row.testDescription) == true, "\(error?.reason ?? "")")
  }

  @Test("an account that was not opened takes an opening only", arguments: Entry.Kind.allCases)
  func unopened(_ kind: Entry.Kind) {
    var account = Account(EntryTests.account)
    let row = Row("", kind, 0, left: 0, grant: 1, detail: 1, previous: 0)
    #expect((try? account.apply(row.record, at: row.sequence)) != nil || kind != .opened)
    #expect((kind == .opened) == (account.last == row.sequence))
  }

  @Test("G8: the records alone bring a fresh account into the same state")
  func replay() throws {
    var fixture = Fixture()
    for step in 0..<400 {
      let now = RulesTests.at(Int64(step))
      switch step % 7 {
      case 0: fixture.give(3, .allowance, expires: RulesTests.at(Int64(step + step % 40 + 1)), at: now)
      case 1: fixture.give(2, starts: RulesTests.at(Int64(step + 9)), at: now)
      case 2: fixture.run(.debit(4, .upTo), at: now)
      case 3: fixture.run(step % 3 == 0 ? .freeze(reason: "r") : .unfreeze(reason: "r"), at: now)
      default: fixture.run(.debit(0.25, .whole), at: now)
      }
    }
    fixture.run(.close(reason: ""), at: RulesTests.at(400))
    var account = Account(EntryTests.account)
    for (index, record) in fixture.records.enumerated() {
      try account.apply(record, at: SequenceNumber(UInt64(index) + 1))
      #expect(account.isConserved)
    }
    #expect(account == fixture.account)
  }

  @Test("the trip wire leaves the short path to debits that only subtract")
  func tripWire() {
    var fixture = Fixture()
    #expect(!fixture.account.isShort(1, at: Fixture.start), "there is nothing to take from")
    fixture.give(5, expires: RulesTests.at(9))
    fixture.give(5)
    let account = fixture.account
    #expect(account.isShort(4.999999, at: Fixture.start))
    #expect(!account.isShort(5, at: Fixture.start), "the grant in use is used up")
    #expect(account.isShort(1, at: RulesTests.at(9) - .microseconds(1)))
    #expect(!account.isShort(1, at: RulesTests.at(9)), "it expires")
    var watched = account
    watched.isWatched = true
    #expect(!watched.isShort(1, at: Fixture.start), "somebody follows it")
    watched.isWatched = false
    #expect(watched.isShort(1, at: Fixture.start))
    fixture.give(1, starts: RulesTests.at(3))
    #expect(fixture.account.tripTime == RulesTests.at(3))
    fixture.run(.freeze(reason: ""))
    #expect(!fixture.account.isShort(1, at: Fixture.start), "it is frozen")
    fixture.run(.close(reason: ""))
    #expect(fixture.account.tripTime == .never && fixture.account.grants.isEmpty)
  }

  @Test("the short path leads to the same state as the full rules")
  func shortPath() throws {
    var fixture = Fixture()
    fixture.give(5)
    var short = fixture.account
    let record = fixture.run(.debit(2, .whole)).records[0]
    #expect(short.isShort(2, at: Fixture.start))
    short.applyShort(record.entry, at: fixture.account.last)
    #expect(short == fixture.account)
  }

  @Test("a followed account differs from the same one that is not followed in the trip wire only")
  func balance() {
    let account = AccountTests.account()
    #expect(account.balance == Balance(available: 5, held: 0, version: SequenceNumber(3)))
    #expect(account.grants.map(\.number) == [1, 2] && account.grants[1].starts == RulesTests.at(9))
  }
}
