import ArgumentParser
import Credits

/// An account as the command line names it.
struct AccountArgument: ExpressibleByArgument {
  /// The account's id.
  let id: AccountID
  /// The text it is labelled with when it is opened; empty for ids.
  let label: String
  /// What was given, safe to print.
  let name: String

  init?(argument: String) {
    guard let name = Name(argument) else { return nil }
    self.name = argument.escapedForTerminal
    switch name {
    case .text(let text): (id, label) = (AccountID(text), text)
    case .uuid(let text):
      guard let id = AccountID(uuid: text) else { return nil }
      (self.id, label) = (id, "")
    case .integer(let number): (id, label) = (AccountID(number), "")
    }
  }
}

/// A request id as the command line names it.
struct RequestArgument: ExpressibleByArgument {
  /// The id.
  let id: RequestID
  /// What was given, safe to print; for a new id, a form that can be given again.
  let name: String

  init?(argument: String) {
    guard let name = Name(argument) else { return nil }
    self.name = argument.escapedForTerminal
    switch name {
    case .text(let text): id = RequestID(text)
    case .uuid(let text):
      guard let id = RequestID(uuid: text) else { return nil }
      self.id = id
    case .integer(let number): id = RequestID(number)
    }
  }

  /// A new id that carries the present time.
  init(new time: Timestamp) {
    id = RequestID(at: time)
    name = "uuid:\(id)"
  }
}

/// The forms in which accounts and requests are named.
enum Name: Equatable {
  case text(String)
  case uuid(String)
  case integer(UInt64)

  /// The most bytes of a text: what a label can have.
  static let maximumText = 255

  init?(_ argument: String) {
    if argument.hasPrefix("uuid:") {
      self = .uuid(String(argument.dropFirst(5)))
    } else if argument.hasPrefix("int:") {
      let digits = argument.dropFirst(4)
      guard let number = UInt64(digits), digits.utf8.first != UInt8(ascii: "+") else { return nil }
      self = .integer(number)
    } else {
      let text = argument.hasPrefix("text:") ? String(argument.dropFirst(5)) : argument
      guard !text.isEmpty, text.utf8.count <= Name.maximumText else { return nil }
      self = .text(text)
    }
  }
}
