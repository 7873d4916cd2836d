import Testing

@Suite("The forty cases")
struct CaseTableTests {
  @Test(
    "each case of the forty is named by a test of a real store, not by a table of the rules alone", arguments: 1...40)
  func named(_ number: Int) {
    let isNamed = TidyTests.files(in: "Tests").contains { file in
      guard !file.path.contains("/Rules/"), !file.path.hasSuffix("CaseTableTests.swift") else { return false }
      return file.lines.contains { $0.contains("\"Case \(number):") || $0.contains("\"Case \(number), ") }
    }
    #expect(isNamed, "no test begins with \"Case \(number)\"")
  }
}
