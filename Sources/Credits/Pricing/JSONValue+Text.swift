extension JSONValue {
  /// The value as text, always the same for the same value: what holds no lists and objects takes one line, all else
  /// a line for each item.
  var text: String {
    var text = ""
    write(to: &text, indentation: "")
    return text
  }

  private func write(to text: inout String, indentation: String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let digits): text += digits
    case .string(let string): Self.write(string, to: &text)
    case .array(let items):
      Self.write(items.map { (nil, $0) }, between: ("[", "]"), to: &text, indentation: indentation)
    case .object(let members):
      Self.write(members.map { ($0.key, $0.value) }, between: ("{", "}"), to: &text, indentation: indentation)
    }
  }

  private static func write(
    _ items: [(key: String?, value: JSONValue)], between brackets: (String, String), to text: inout String,
    indentation: String
  ) {
    let isOneLine = items.allSatisfy { !$0.value.isNested }
    let inner = indentation + "  "
    text += brackets.0
    for (index, item) in items.enumerated() {
      text += isOneLine ? (index == 0 ? "" : ", ") : (index == 0 ? "\n" : ",\n") + inner
      if let key = item.key {
        write(key, to: &text)
        text += ": "
      }
      item.value.write(to: &text, indentation: inner)
    }
    if !isOneLine { text += "\n" + indentation }
    text += brackets.1
  }

  private var isNested: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..."\u{1F}", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  /// A text in quotes for a message, escaped and not too long.
  static func quoted(_ string: String) -> String {
    let isShort = string.unicodeScalars.dropFirst(64).isEmpty
    return JSONValue.string(isShort ? string : String(string.unicodeScalars.prefix(64)) + "…").text
  }

  /// The place of a member of the object at a place.
  static func place(_ key: String, in place: String) -> String {
    let step = String(quoted(key).dropFirst().dropLast())
    return place.isEmpty ? step : place + "." + step
  }
}
