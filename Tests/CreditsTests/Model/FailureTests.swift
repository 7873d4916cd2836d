import Credits
import Testing

@Suite("Errors and refusals")
struct FailureTests {
  static let denial = StoreError.denied(
    .init(reason: .frozen, sequence: SequenceNumber(7), time: .zero, isReplay: false))

  static let errors: [(StoreError, String, [String])] = [
    (denial, "denied", ["frozen"]), (.notFound(path: "/p"), "not-found", ["/p", "create"]),
    (.notAStore(path: "/p", reason: "why"), "not-a-store", ["/p", "why"]),
    (.locked(path: "/p", holder: 42), "locked", ["/p", "42"]),
    (.unsupportedVersion(found: 2, supported: 1), "unsupported-version", ["2", "1"]),
    (.corrupt(what: "a block", at: SequenceNumber(9), reason: "why"), "corrupt", ["a block", "9", "why", "backup"]),
    (.permissionDenied(path: "/p"), "permission-denied", ["/p"]),
    (.diskFull(path: "/p"), "disk-full", ["/p", "reopen"]),
    (.mapFull(path: "/p"), "map-full", ["/p", "reopen"]),
    (.inputOutput(path: "/p", reason: "why"), "input-output", ["/p", "why"]),
    (.stopped(reason: "why"), "stopped", ["why", "reopen"]), (.closed, "closed", ["closed"]),
    (.overloaded(waiting: 5), "overloaded", ["5", "later"]),
    (.clockJumped(from: .zero, to: Timestamp(seconds: 1)), "clock-jumped", ["1970-01-01T00:00:01Z"]),
    (.outsideRetention(before: SequenceNumber(8)), "outside-retention", ["8", "trimmed"]),
    (.invalidArgument("why"), "invalid-argument", ["why"]),
  ]

  @Test("every store error has a stable code, and says what happened and what to do", arguments: errors)
  func storeErrors(_ error: StoreError, _ code: String, _ words: [String]) {
    #expect(error.code == code)
    for word in words { #expect(error.description.contains(word)) }
  }

  static let reasons: [(Denial.Reason, String, [String])] = [
    (.insufficient(available: 1.5, needed: 2), "insufficient", ["1.5", "2"]), (.frozen, "frozen", ["unfreeze"]),
    (.closed, "closed", ["closed"]), (.limit, "limit", ["limit"]),
    (.conflict(with: SequenceNumber(3)), "conflict", ["3", "new request id"]),
    (.tooOld, "too-old", ["new request id"]), (.unknownAccount, "unknown-account", ["open it"]),
    (.invalid, "invalid", ["amount"]), (.alreadyOpen(by: SequenceNumber(4)), "already-open", ["4"]),
  ]

  @Test("every reason of a denial has a stable code and a sentence", arguments: reasons)
  func denials(_ reason: Denial.Reason, _ code: String, _ words: [String]) {
    #expect(reason.code == code)
    for word in words { #expect(reason.description.contains(word)) }
  }

  @Test("names of sources, statuses and default priorities are stable")
  func names() {
    #expect(Grant.Source.Kind.allCases.map(\.rawValue) == [1, 2, 3, 4, 5])
    #expect(
      Grant.Source.Kind.allCases.map(\.description) == [
        "allowance", "purchase", "refill", "promotion", "correction",
      ])
    #expect(Grant.Source.Kind.allCases.map(\.priority) == [10, 30, 30, 20, 30])
    #expect(AccountStatus.open.description == "open" && AccountStatus.frozen.description == "frozen")
    #expect(AccountStatus.closed.description == "closed")
  }
}
