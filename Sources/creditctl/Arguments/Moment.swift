public import ArgumentParser
import Credits
import Glibc
// Declares timespec.
import SwiftOverlayShims

/// A moment as the command line names it: a time, or a duration from or before now.
enum Moment: ExpressibleByArgument, Equatable {
  case absolute(Timestamp)
  case relative(Duration)

  init?(argument: String) {
    if let duration = Duration(argument: argument) {
      self = .relative(duration)
    } else if let time = Timestamp(argument) {
      self = .absolute(time)
    } else {
      return nil
    }
  }

  /// The moment, where a duration counts ahead from now.
  func ahead(of now: Timestamp) -> Timestamp {
    switch self {
    case .absolute(let time): time
    case .relative(let duration): now + duration
    }
  }

  /// The moment, where a duration counts back from now.
  func before(_ now: Timestamp) -> Timestamp {
    switch self {
    case .absolute(let time): time
    case .relative(let duration): now - duration
    }
  }
}

extension Duration: @retroactive ExpressibleByArgument {
  /// Parses `500ms`, `45s`, `15m`, `12h`, `30d` or `2w`; nil for anything else.
  public init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard digits.utf8.count <= 9, let count = Int64(digits) else { return nil }
    switch argument.dropFirst(digits.count) {
    case "ms": self = .milliseconds(count)
    case "s": self = .seconds(count)
    case "m": self = .seconds(count * 60)
    case "h": self = .seconds(count * 3_600)
    case "d": self = .seconds(count * 86_400)
    case "w": self = .seconds(count * 604_800)
    default: return nil
    }
  }
}

extension Timestamp {
  /// The moment that the system's clock shows.
  static var now: Timestamp {
    var value = timespec()
    // Safe: the pointer is to a local value and does not outlive the call.
    unsafe clock_gettime(CLOCK_REALTIME, &value)
    return Timestamp(microseconds: Int64(value.tv_sec) * 1_000_000 + Int64(value.tv_nsec) / 1000)
  }

  /// The moment to the second, without the letters between: `2026-11-22 22:17:45`.
  var brief: String {
    guard self != .never else { return "never" }
    let text = String(description.prefix(19))
    return text.replacing("T", with: " ")
  }
}
