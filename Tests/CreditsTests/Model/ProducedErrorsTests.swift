import Testing

/// Which test brings each error and each refusal about, from the code as it is: a table of evidence that is compared
/// with the source text, so that a new case needs a row, and a row needs an assertion.
@Suite("Every error and every refusal is brought about by a test")
struct ProducedErrorsTests {
  /// A case, the file of a test, and a part of the line that asserts it.
  typealias Row = (name: String, file: String, assertion: String)

  static let storeErrors: [Row] = [
    ("denied", "CreditsTests/Store/ReasonTests.swift", "#expect(denial.reason.code == code"),
    ("notFound", "CreditsTests/Store/RecordTests.swift", "== .notFound(path: path))"),
    ("notAStore", "CrashTests/CorruptionTests.swift", "if case .notAStore(path, _) = writer {} else { Issue.record("),
    ("locked", "CrashTests/ProcessTests.swift", "#expect(error == .locked(path: path, holder: child.id))"),
    ("unsupportedVersion", "CrashTests/CorruptionTests.swift", "#expect(writer == .unsupportedVersion("),
    ("corrupt", "CrashTests/CorruptionTests.swift", "} else if case .corrupt(_, let sequence, _) = findings.error {"),
    ("permissionDenied", "CrashTests/CorruptionTests.swift", "#expect(steps == [\"writer: permission-denied\""),
    ("diskFull", "CrashTests/FullTests.swift", "#expect(course.errors == Array(repeating: .diskFull("),
    ("mapFull", "CrashTests/FullTests.swift", "#expect(course.errors == Array(repeating: .mapFull("),
    ("inputOutput", "CreditsTests/Storage/StoreFolderTests.swift", "guard case .inputOutput(path, let reason) = error"),
    ("stopped", "CreditsTests/Journal/FrameQueueTests.swift", "#expect(await waiter == .stopped(reason:"),
    ("closed", "CreditsTests/Store/EventTests.swift", "try await store.addConsumer(\"late\") } == .closed)"),
    ("overloaded", "ConcurrencyTests/LimitTests.swift", "allSatisfy { $0 == .overloaded(waiting: 1) }"),
    ("clockJumped", "CreditsTests/Store/ClockCaseTests.swift", "let expected = StoreError.clockJumped(from:"),
    (
      "outsideRetention", "CreditsTests/Store/ClockCaseTests.swift", "let outside = StoreError.outsideRetention(before:"
    ),
    ("invalidArgument", "CreditsTests/Store/QuoteTests.swift", "guard case .invalidArgument? = error else {"),
  ]

  /// The codes of LMDB that a test brings about with files and transactions.
  static let databaseErrors: [Row] = [
    ("mapFull", "LMDBTests/WriteTransactionTests.swift", "#expect(code == .mapFull)"),
    ("readersFull", "LMDBTests/ReadTransactionTests.swift", "#expect(code == .readersFull)"),
    ("tablesFull", "LMDBTests/EnvironmentTests.swift", "#expect(code == .tablesFull)"),
    ("invalidFile", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .invalidFile)"),
    ("corrupted", "LMDBTests/OpenRefusalTests.swift", "[(false, LMDBError.Code.corrupted)"),
    ("pageNotFound", "LMDBTests/OpenRefusalTests.swift", "(true, .pageNotFound)]"),
    ("versionMismatch", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .versionMismatch)"),
    ("mapResized", "LMDBTests/ProcessTests.swift", "#expect(code == .mapResized)"),
    ("incompatible", "LMDBTests/EnvironmentTests.swift", "#expect(code == .incompatible)"),
    ("badTransaction", "LMDBTests/WriteTransactionTests.swift", "#expect(codes == [.mapFull, .badTransaction,"),
    ("keyExists", "LMDBTests/WriteTransactionTests.swift", "#expect(code == .keyExists)"),
    ("badValueSize", "LMDBTests/WriteTransactionTests.swift", "#expect(code == .badValueSize)"),
    ("permissionDenied", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .permissionDenied)"),
    ("noSuchFile", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .noSuchFile)"),
    ("busy", "LMDBTests/EnvironmentTests.swift", "#expect(code == .busy)"),
    ("alreadyOpenInThisProcess", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .alreadyOpenInThisProcess)"),
    ("truncated", "LMDBTests/TruncationTests.swift", "#expect(code == .truncated(expected:"),
    ("missingTable", "LMDBTests/EnvironmentTests.swift", "#expect(code == .missingTable("),
    ("other", "LMDBTests/OpenRefusalTests.swift", "#expect(code == .other(ELOOP))"),
    ("noSpace", "CrashTests/FullTests.swift", "#expect(course.errors == Array(repeating: .diskFull("),
  ]

  /// Codes that LMDB gives only where a device fails, or never to calls as this module makes them: their meaning alone
  /// is tested, by `LMDBErrorTests.meanings`; `make faults` has every call of the files fail.
  static let meaningsOnly = ["transactionFull", "notFound", "panic", "badTable", "inputOutput"]

  @Test("each error of the store", arguments: storeErrors.indices)
  func storeError(_ index: Int) { expectEvidence(Self.storeErrors[index]) }

  @Test("each code of LMDB", arguments: databaseErrors.indices)
  func databaseError(_ index: Int) { expectEvidence(Self.databaseErrors[index]) }

  @Test("the tables have a row for every case that the source has")
  func complete() {
    let codes = cases(of: "Sources/LMDB/LMDBError.swift", "public enum Code:")
    #expect(codes.count == 25 && codes == (Self.databaseErrors.map(\.name) + Self.meaningsOnly).sorted())
    let errors = cases(of: "Sources/Credits/Model/StoreError.swift", "public enum StoreError:")
    #expect(errors.count == 16 && errors == Self.storeErrors.map(\.name).sorted())
    let reasons = cases(of: "Sources/Credits/Model/Outcome.swift", "public enum Reason:")
    let known = (ReasonTests.recorded + ReasonTests.unrecorded).map { code in
      let words = code.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
      return words.prefix(1).lowercased() + words.dropFirst()
    }
    #expect(reasons.count == 22 && reasons == known.sorted())
    let meanings = TidyTests.all.first { $0.path == "Tests/LMDBTests/LMDBErrorTests.swift" }?.lines ?? []
    for name in Self.meaningsOnly { #expect(meanings.contains { $0.contains(", .\(name))") }, "\(name)") }
  }

  /// The names of the cases of an enumeration, sorted.
  private func cases(of path: String, _ declaration: String) -> [String] {
    let lines = TidyTests.sources.first { $0.path == path }?.lines ?? []
    guard let start = lines.firstIndex(where: { $0.contains(declaration) }) else { return [] }
    let indentation = lines[start].prefix { $0 == " " }
    return lines[start...].prefix { $0 != indentation + "}" }.compactMap { line -> String? in
      let line = line.drop { $0 == " " }
      guard line.hasPrefix("case ") else { return nil }
      return String(line.dropFirst(5).prefix { $0.isLetter || $0.isNumber })
    }.sorted()
  }

  private func expectEvidence(_ row: Row) {
    let lines = TidyTests.all.first { $0.path == "Tests/" + row.file }?.lines ?? []
    let found = lines.contains { $0.contains(row.assertion) && !$0.drop { $0 == " " }.hasPrefix("//") }
    #expect(found, "\(row.file) does not assert \(row.name) by \(row.assertion)")
  }
}
