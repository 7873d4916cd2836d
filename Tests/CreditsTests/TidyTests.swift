import Glibc
import Testing

/// The house rules that a compiler does not keep.
@Suite("The source tree is tidy")
struct TidyTests {
  struct File: Sendable, CustomTestStringConvertible {
    let path: String
    let lines: [String]
    var testDescription: String { path }
  }

  static let root: String = {
    let parts = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  /// All Swift files of a folder of the package.
  static func files(in folder: String) -> [File] {
    var files: [File] = []
    for name in names(in: root + "/" + folder) where !name.hasPrefix(".") {
      let path = folder + "/" + name
      if name.hasSuffix(".swift") {
        files.append(File(path: path, lines: read(root + "/" + path)))
      } else {
        files += TidyTests.files(in: path)
      }
    }
    return files.sorted { $0.path < $1.path }
  }

  private static func names(in folder: String) -> [String] {
    // Safe: the stream lives until `closedir`, each of its entries until the next `readdir`.
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      names.append(
        unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return names
  }

  private static func read(_ path: String) -> [String] {
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { text += chunk.prefix(count) }
    return String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
  }

  static let sources = files(in: "Sources")
  static let all = sources + files(in: "Tests")

  @Test("the tree is found")
  func found() {
    #expect(TidyTests.sources.count > 60)
    #expect(TidyTests.all.contains { $0.path == "Tests/CreditsTests/TidyTests.swift" })
    #expect(TidyTests.all.allSatisfy { $0.lines.count > 1 })
  }

  @Test("no line is longer than 120 columns, and nothing is left to be done")
  func lines() {
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
    for file in TidyTests.all {
      // Long texts keep their own lines.
      var isInText = false
      for (number, line) in file.lines.enumerated() {
        if line.contains("\"\"\"") { isInText.toggle() }
        #expect(isInText || line.count <= 120, "\(file.path):\(number + 1)")
        #expect(!marks.contains { line.contains($0) }, "\(file.path):\(number + 1)")
      }
    }
  }

  @Test("no source file is longer than 400 lines")
  func length() {
    for file in TidyTests.sources { #expect(file.lines.count <= 400, "\(file.path)") }
  }

  @Test("only the folder LMDB imports the C library")
  func importers() {
    for file in TidyTests.all where imports(file).contains("CLMDB") {
      #expect(file.path.hasPrefix("Sources/LMDB/"), "\(file.path)")
    }
  }

  @Test("the rules import nothing")
  func rules() {
    let rules = TidyTests.sources.filter { $0.path.hasPrefix("Sources/Credits/Rules/") }
    #expect(!rules.isEmpty)
    for file in rules { #expect(imports(file).isEmpty, "\(file.path)") }
  }

  @Test("the store and its storage do without Foundation")
  func foundation() {
    for file in TidyTests.sources
    where file.path.hasPrefix("Sources/LMDB/") || file.path.hasPrefix("Sources/Credits/") {
      #expect(!imports(file).contains { $0.hasPrefix("Foundation") }, "\(file.path)")
    }
  }

  @Test("only storage and the store's own doors know LMDB; the ledger and the journal know no disk")
  func floors() {
    for file in TidyTests.sources where imports(file).contains("LMDB") {
      for folder in ["Model", "Rules", "Journal", "Ledger"] {
        #expect(!file.path.hasPrefix("Sources/Credits/\(folder)/"), "\(file.path)")
      }
    }
  }

  @Test("whatever is shared without the compiler's proof says why it is safe")
  func sendable() {
    for file in TidyTests.sources {
      for (number, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
        let near = file.lines[max(0, number - 3)...min(file.lines.count - 1, number + 3)]
        #expect(
          near.contains { $0.contains("//") && ($0.contains("Safe") || $0.contains("`Sendable`")) },
          "\(file.path):\(number + 1)")
      }
    }
  }

  private func imports(_ file: File) -> [String] {
    file.lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"), index < 3, index + 1 < words.count,
        words[..<index].allSatisfy({ ["public", "internal", "package", "private", "@testable"].contains($0) })
      else { return nil }
      return String(words[index + 1])
    }
  }
}
