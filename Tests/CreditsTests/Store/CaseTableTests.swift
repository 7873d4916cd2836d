import Testing

@Suite("The forty cases")
struct CaseTableTests {
  /// The lines of all tests that name a case, but for those of rules.
  private static let lines = TidyTests.files(in: "Tests").flatMap { file in
    file.path.contains("/Rules/") || file.path.hasSuffix("CaseTableTests.swift")
      ? [] : file.lines.filter { $0.contains("\"Case ") }
  }

  @Test(
    "each case of the forty is named by a test of a real store, not by a table of the rules alone", arguments: 1...40)
  func named(_ number: Int) {
    let isNamed = CaseTableTests.lines.contains {
      $0.contains("\"Case \(number):") || $0.contains("\"Case \(number), ")
    }
    #expect(isNamed, "no test begins with \"Case \(number)\"")
  }
}
