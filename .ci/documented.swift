// Checks that every public declaration has a documentation comment: swift .ci/documented.swift GRAPH
//
// GRAPH is the compiler's symbol graph of a module. What the compiler makes by itself has no place in the sources and is
// left out.

import Foundation

struct Graph: Decodable {
  struct Symbol: Decodable {
    struct Comment: Decodable {}
    struct Location: Decodable {
      struct Position: Decodable { let line: Int }
      let uri: String
      let position: Position
    }
    let pathComponents: [String]
    let docComment: Comment?
    let location: Location?
  }
  let symbols: [Symbol]
}

let graph = try JSONDecoder().decode(Graph.self, from: Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1])))
let declared = graph.symbols.filter { $0.location != nil }
let bare = declared.filter { $0.docComment == nil }
for symbol in bare {
  let place = symbol.location.map { "\($0.uri.replacing("file://", with: "")):\($0.position.line + 1)" } ?? ""
  print("\(place): error: \(symbol.pathComponents.joined(separator: ".")) has no documentation comment")
}
print("\(declared.count - bare.count) of \(declared.count) public declarations are documented.")
exit(bare.isEmpty && !declared.isEmpty ? 0 : 1)
