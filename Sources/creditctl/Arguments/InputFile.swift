import Credits
import Glibc

/// A small file that a command is given: a price book or a catalogue.
enum InputFile {
  /// The most bytes of a file; the library refuses larger texts, too.
  private static let largest = 1 << 20

  /// The price book in a file; `-` is the standard input.
  static func priceBook(_ path: String) throws -> PriceBook {
    let text = try read(path)
    do throws(PricingError) { return try PriceBook(json: text) } catch {
      throw UsageFailure(
        code: "bad-price-book",
        sentence: "\(path) is no price book that can be used: \(error); 'creditctl price example' prints one")
    }
  }

  /// The catalogue in a file; `-` is the standard input.
  static func catalogue(_ path: String) throws -> Catalogue {
    let text = try read(path)
    do throws(PricingError) { return try Catalogue(json: text) } catch {
      throw UsageFailure(
        code: "bad-catalogue",
        sentence: "\(path) is no catalogue that can be used: \(error); 'creditctl packs --json' prints one")
    }
  }

  /// The bytes of a file.
  private static func read(_ path: String) throws -> [UInt8] {
    // Safe: a path is a terminated string that outlives the call.
    let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, "cannot be opened: \(systemReason())") }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while text.count <= largest {
      // Safe: the array outlives the call and the count is its own.
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure(path, "cannot be read: \(systemReason())") }
      guard count > 0 else { return text }
      text += chunk.prefix(count)
    }
    throw failure(path, "is larger than 1 MiB")
  }

  private static func failure(_ path: String, _ reason: String) -> UsageFailure {
    UsageFailure(code: "bad-input", sentence: "\(path) \(reason); name another file")
  }
}
