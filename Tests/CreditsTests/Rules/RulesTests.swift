import Testing

@testable import Credits

@Suite("Rules")
struct RulesTests {
  /// A state, a command at a moment, and the records that the rules make of it.
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let prepare: @Sendable (inout Fixture) -> Void
    let command: Command
    let seconds: Int64
    let records: [String]

    init(
      _ name: String, _ command: Command, after seconds: Int64 = 0, _ records: [String],
      prepare: @escaping @Sendable (inout Fixture) -> Void = { _ in }
    ) {
      testDescription = name
      self.prepare = prepare
      self.command = command
      self.seconds = seconds
      self.records = records
    }
  }

  static func at(_ seconds: Int64) -> Timestamp { Fixture.start + .seconds(seconds) }

  static func grant(_ amount: Amount, starts: Timestamp = .zero, expires: Timestamp = .never) -> Command {
    .grant(amount, .promotion("p"), priority: 20, starts: starts, expires: expires)
  }

  /// The record that follows one that leaves nothing.
  static let empty = "exhausted 0 left 0"

  static let outcomes = [
    Row("a grant", grant(5), ["granted 5 left 5 1:5"]),
    Row("a grant of the smallest amount", grant(0.000001), ["granted 0.000001 left 0.000001 1:0.000001"]),
    Row("Case 16: a grant that starts later", grant(5, starts: at(10)), ["granted 5 left 0 1:5"]),
    Row("a grant that starts now", grant(5, starts: at(0)), ["granted 5 left 5 1:5"]),
    Row("a grant that has expired", grant(5, expires: at(0)), ["granted 5 left 5 1:5", "expired 5 left 0 1:5", empty]),
    Row("a debit", .debit(2, .whole), ["debited 2 left 3 1:2"]) { $0.give(5) },
    Row("a debit of all there is", .debit(5, .whole), ["debited 5 left 0 1:5", empty]) { $0.give(5) },
    Row("Case 8: a debit of more", .debit(5.000001, .whole), ["denied 5.000001 left 5"]) { $0.give(5) },
    Row("Case 8: a debit up to more", .debit(6, .upTo), ["debited 5 left 0 1:5", empty]) { $0.give(5) },
    Row("a debit up to less", .debit(4, .upTo), ["debited 4 left 1 1:4"]) { $0.give(5) },
    Row("a debit up to something of nothing", .debit(4, .upTo), ["denied 4 left 0"]),
    Row("a debit up to the largest amount, after another debit", .debit(.max, .upTo), ["debited 4 left 0 1:4", empty]) {
      $0.give(5)
      $0.run(.debit(1, .whole))
    },
    Row("Case 11: a debit over several grants", .debit(9, .whole), ["debited 9 left 1 2:3 1:5 3:1"]) {
      $0.give(5, .promotion("a"))
      $0.give(3, .allowance)
      $0.give(2, .purchase("b"))
    },
    Row("priority comes before expiry", .debit(1, .whole), ["debited 1 left 1 2:1"]) {
      $0.give(1, priority: 2, expires: at(1))
      $0.give(1, priority: 1)
    },
    Row("the soonest expiry comes first", .debit(3, .whole), ["debited 3 left 0 3:1 2:1 1:1", empty]) {
      $0.give(1)
      $0.give(1, expires: at(9))
      $0.give(1, expires: at(8))
    },
    Row("Case 11: the older of two equal grants comes first", .debit(1.5, .whole), ["debited 1.5 left 0.5 1:1 2:0.5"]) {
      $0.give(1, expires: at(9))
      $0.give(1, expires: at(9))
    },
    Row("Case 10: the microsecond before the expiry", .debit(5, .whole), after: 9, ["debited 5 left 0 1:5", empty]) {
      $0.give(5, expires: at(9) + .microseconds(1))
    },
    Row(
      "Case 10: the instant of the expiry", .debit(5, .whole), after: 9,
      ["expired 5 left 0 1:5", empty, "denied 5 left 0"]
    ) {
      $0.give(5, expires: at(9))
    },
    Row("Case 16: the microsecond before the start", .debit(5, .whole), after: 9, ["denied 5 left 0"]) {
      $0.give(5, starts: at(9) + .microseconds(1))
    },
    Row(
      "Case 16: the instant of the start", .debit(5, .whole), after: 9,
      ["begun 5 left 5 1:5", "debited 5 left 0 1:5", empty]
    ) {
      $0.give(5, starts: at(9))
    },
    Row(
      "what time did is recorded in its order", .debit(1, .whole), after: 99,
      ["begun 2 left 3 2:2", "expired 1 left 2 1:1", "expired 2 left 0 2:2", empty, "denied 1 left 0"]
    ) {
      $0.give(1, expires: at(6))
      $0.give(2, starts: at(5), expires: at(7))
    },
    Row(
      "a beginning comes before an expiry at the same instant", .freeze(reason: ""), after: 5,
      ["begun 2 left 3 2:2", "expired 1 left 2 1:1", "frozen 0 left 2"]
    ) {
      $0.give(1, expires: at(5))
      $0.give(2, starts: at(5))
    },
    Row("a freeze", .freeze(reason: "fraud"), ["frozen 0 left 5"]) { $0.give(5) },
    Row("a freeze of a frozen account", .freeze(reason: ""), ["frozen 0 left 0"]) { $0.run(.freeze(reason: "")) },
    Row("an unfreeze", .unfreeze(reason: ""), ["unfrozen 0 left 0"]) { $0.run(.freeze(reason: "")) },
    Row("a grant to a frozen account", grant(5), ["granted 5 left 5 1:5"]) { $0.run(.freeze(reason: "")) },
    Row("a debit of a frozen account", .debit(1, .upTo), ["denied 1 left 5"]) {
      $0.give(5)
      $0.run(.freeze(reason: ""))
    },
    Row("a close", .close(reason: "gone"), ["closed 5 left 0"]) {
      $0.give(5)
      $0.give(7, starts: at(9))
    },
    Row("a close of a frozen account", .close(reason: ""), ["closed 0 left 0"]) { $0.run(.freeze(reason: "")) },
    Row("a debit of a closed account", .debit(1, .whole), ["denied 1 left 0"]) { $0.run(.close(reason: "")) },
    Row("a grant to a closed account", grant(1), ["denied 1 left 0"]) { $0.run(.close(reason: "")) },
    Row("a freeze of a closed account", .freeze(reason: ""), ["denied 0 left 0"]) { $0.run(.close(reason: "")) },
    Row("an unfreeze of a closed account", .unfreeze(reason: ""), ["denied 0 left 0"]) { $0.run(.close(reason: "")) },
    Row("a close of a closed account", .close(reason: ""), ["denied 0 left 0"]) { $0.run(.close(reason: "")) },
    Row("Case 6: a debit of nothing", .debit(0, .whole), []),
    Row("Case 6: a debit below zero", .debit(-0.000001, .upTo), []),
    Row("Case 6: a grant of nothing", grant(0), []), Row("Case 6: a grant below zero", grant(-1), []),
    Row("a grant that expires before it starts", grant(1, starts: at(5), expires: at(4)), []),
    Row("a grant that expires when it starts", grant(1, starts: at(5), expires: at(5)), []),
    Row("a grant that starts before 1970", grant(1, starts: Timestamp(microseconds: -1)), []),
    Row("a grant that starts after the year 9999", grant(1, starts: .latest + .microseconds(1)), []),
    Row("a grant that expires after the year 9999", grant(1, expires: .latest + .microseconds(1)), []),
    Row("a text that is too long", .freeze(reason: String(repeating: "x", count: 256)), []),
    Row("an open account is opened", .open(label: "bob"), []),
    Row(
      "what cannot be accepted still lets time do its work", .debit(0, .whole), after: 5,
      ["expired 1 left 0 1:1", empty]
    ) {
      $0.give(1, expires: at(5))
    },
  ]

  @Test("the rules make these records", arguments: outcomes)
  func outcome(_ row: Row) {
    var fixture = Fixture()
    row.prepare(&fixture)
    let records = fixture.run(row.command, at: RulesTests.at(row.seconds)).records
    #expect(records.map(\.line) == row.records)
    #expect(fixture.account.isConserved)
  }

  @Test("every reason of a denial is given where it applies, in the order of precedence")
  func refusals() {
    var fixture = Fixture(unopened: ())
    #expect(fixture.refusal(.debit(1, .whole)) == .unknownAccount)
    #expect(fixture.refusal(.freeze(reason: "")) == .unknownAccount)
    #expect(fixture.refusal(.debit(0, .whole)) == .invalid)
    fixture.run(.open(label: ""))
    #expect(fixture.refusal(.open(label: "")) == .alreadyOpen(by: SequenceNumber(1)))
    #expect(fixture.refusal(.debit(2, .whole)) == .insufficient(available: 0, needed: 2))
    fixture.run(.freeze(reason: ""))
    #expect(fixture.refusal(.debit(2, .whole)) == .frozen)
    fixture.run(.close(reason: ""))
    #expect(fixture.refusal(.debit(2, .whole)) == .closed)
    #expect(fixture.refusal(RulesTests.grant(.max)) == .closed)
    #expect(fixture.refusal(RulesTests.grant(0)) == .invalid)
  }

  @Test("totals stay below a quarter of what fits, grants that start later included")
  func totals() {
    let quarter = Int64.max / 4
    var fixture = Fixture()
    #expect(fixture.refusal(RulesTests.grant(Amount(millionths: quarter))) == .limit)
    #expect(fixture.refusal(RulesTests.grant(.max)) == .limit)
    fixture.give(Amount(millionths: quarter - 11), starts: RulesTests.at(5))
    fixture.give(Amount(millionths: 9))
    #expect(fixture.refusal(RulesTests.grant(0.000002)) == .limit)
    #expect(fixture.refusal(RulesTests.grant(0.000001)) == nil)
    #expect(fixture.refusal(.debit(Amount(millionths: quarter - 1), .whole), at: RulesTests.at(5)) == nil)
    #expect(fixture.account.spent == Amount(millionths: quarter - 1))
    #expect(fixture.refusal(RulesTests.grant(0.000001), at: RulesTests.at(5)) == .limit)
  }

  @Test("an account has at most a thousand grants with credits left, and one debit can use them all")
  func grants() {
    var fixture = Fixture()
    for _ in 0..<1_000 { fixture.give(1) }
    #expect(fixture.refusal(RulesTests.grant(1)) == .limit)
    let record = fixture.run(.debit(1_000, .whole)).records[0]
    #expect(record.parts.count == 1_000 && record.size <= Block.capacity - Block.Header.size)
    #expect(fixture.refusal(RulesTests.grant(1)) == nil)
  }

  @Test("Case 3: a record matches its own command only")
  func matches() {
    let commands: [Command] = [
      .open(label: ""), .open(label: "a"), RulesTests.grant(1), RulesTests.grant(2),
      RulesTests.grant(1, starts: RulesTests.at(0)), RulesTests.grant(1, expires: RulesTests.at(9)),
      .grant(1, .promotion("q"), priority: 20, starts: .zero, expires: .never),
      .grant(1, .promotion("p"), priority: 21, starts: .zero, expires: .never),
      .grant(1, .purchase("p"), priority: 20, starts: .zero, expires: .never), .debit(1, .whole), .debit(1, .upTo),
      .debit(9, .upTo), .debit(9, .whole), .freeze(reason: ""), .freeze(reason: "a"), .unfreeze(reason: ""),
      .unfreeze(reason: "a"), .close(reason: ""), .close(reason: "a"),
    ]
    for closed in [false, true] {
      for command in commands {
        if case .open = command, closed { continue }
        var fixture = Fixture(unopened: ())
        if case .open = command {} else { fixture.run(.open(label: "")) }
        fixture.give(5, .allowance)
        if closed { fixture.run(.close(reason: "")) }
        guard let record = fixture.run(command).records.first else { continue }
        for other in commands { #expect(other.matches(record) == (other == command), "\(other), \(command)") }
      }
    }
  }
}
