import Testing

/// The documents with examples: the README, the guides, and the library's documentation comments.
private let documents =
  ["README.md"] + SourceTree.files(under: "Sources/Credits/Credits.docc", extension: "md")
  + SourceTree.files(under: "Sources/Credits", extension: "swift")

@Suite("The documents")
struct DocumentTests {
  @Test("show Swift only as it stands in an example function", arguments: documents)
  func examplesCompile(document: String) {
    let known = Set(Snippet.all.map(\.lines))
    for block in Snippet.blocks(of: document) {
      let isKnown = known.contains(block.lines)
      #expect(isKnown, "\(block.name) shows Swift that is in no example function")
    }
  }

  @Test("show every example function")
  func examplesAreShown() {
    let shown = Set(documents.flatMap(Snippet.blocks).map(\.lines))
    for snippet in Snippet.all {
      let isShown = shown.contains(snippet.lines)
      #expect(isShown, "no document shows the snippet \(snippet.name)")
    }
  }

  @Test("link only to files that are there", arguments: documents.filter { $0.hasSuffix(".md") })
  func linksLead(document: String) {
    let text = SourceTree.text(of: document) ?? ""
    for part in text.split(separator: "](").dropFirst() {
      let target = part.prefix { $0 != ")" && $0 != "#" }
      guard !target.isEmpty, !target.contains(":") else { continue }
      let path = SourceTree.root + "/" + target
      let isThere = SourceTree.text(of: String(target)) != nil || !SourceTree.names(in: path).isEmpty
      #expect(isThere, "\(document) links to \(target), which is not there")
    }
  }
}
