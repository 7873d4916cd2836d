/// A piece of Swift, as documents show it and as example functions contain it.
///
/// An example function marks what documents may show: from a line `// snippet: name` to a line `// end`. In documents,
/// a path stands for the name of a variable; see `places`.
struct Snippet: Hashable {
  /// The name; for a block of a document, the file and the line it begins at.
  let name: String
  /// The lines, without indentation that all of them share and with single spaces inside.
  let lines: [String]

  /// The paths in documents and the variables in example functions that they stand for.
  private static let places = [
    "\"/var/lib/credits\"": "folder",
    "\"/var/backups/credits\"": "copy",
  ]

  init(name: String, lines: [Substring]) {
    self.name = name
    let shared = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    self.lines = lines.map { Snippet.normal($0.dropFirst(min(shared, $0.count))) }
  }

  /// A line with single spaces after its indentation, and variables for paths.
  private static func normal(_ line: Substring) -> String {
    let indentation = line.prefix { $0 == " " }
    var text = indentation + line.split(separator: " ").joined(separator: " ")
    for (path, variable) in places {
      text = Substring(text.split(separator: path, omittingEmptySubsequences: false).joined(separator: variable))
    }
    return String(text)
  }

  /// The snippets of the example functions.
  static let all: [Snippet] = SourceTree.files(under: "Tests/ExampleTests", extension: "swift").flatMap { path in
    var snippets: [Snippet] = []
    var open: (name: String, lines: [Substring])?
    for line in (SourceTree.text(of: path) ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      let words = line.split(separator: " ")
      if words.count == 3, words[0] == "//", words[1] == "snippet:" {
        open = (String(words[2]), [])
      } else if words == ["//", "end"], let done = open {
        snippets.append(Snippet(name: done.name, lines: done.lines))
        open = nil
      } else {
        open?.lines.append(line)
      }
    }
    return snippets
  }

  /// The blocks of Swift in a document; in a source file, those of its documentation comments.
  ///
  /// Leading imports are left out, and so are blocks that are lines of a package's manifest.
  static func blocks(of path: String) -> [Snippet] {
    var blocks: [Snippet] = []
    var open: (line: Int, lines: [Substring])?
    let text = SourceTree.text(of: path) ?? ""
    for (number, whole) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      var line = whole
      if path.hasSuffix(".swift") {
        line = line.drop { $0 == " " }
        guard line.hasPrefix("///") else { continue }
        line = line.dropFirst(line.hasPrefix("/// ") ? 4 : 3)
      }
      if line.drop(while: { $0 == " " }) == "```swift" {
        open = (number + 1, [])
      } else if line.drop(while: { $0 == " " }) == "```", let done = open {
        let body = done.lines.drop { $0.hasPrefix("import ") || $0.isEmpty }
        if body.first?.hasPrefix(".package(") == false {
          blocks.append(Snippet(name: "\(path):\(done.line)", lines: Array(body)))
        }
        open = nil
      } else {
        open?.lines.append(line)
      }
    }
    return blocks
  }

  /// The blocks of another language in a document, as they stand.
  static func text(of path: String, language: String) -> [String] {
    var blocks: [String] = []
    var open: [Substring]?
    for line in (SourceTree.text(of: path) ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "```\(language)" {
        open = []
      } else if line == "```", let lines = open {
        blocks.append(lines.joined(separator: "\n"))
        open = nil
      } else {
        open?.append(line)
      }
    }
    return blocks
  }
}
