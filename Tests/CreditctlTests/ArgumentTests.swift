import ArgumentParser
import Credits
import Testing

@testable import creditctl

@Suite("Arguments")
struct ArgumentTests {
  @Test(
    "name accounts and requests as text, uuid or integer",
    arguments: [
      ("alice", Name.text("alice")), ("text:uuid:x", .text("uuid:x")), ("int:42", .integer(42)),
      ("uuid:018f6e2a-7c1b-7def-8123-456789abcdef", .uuid("018f6e2a-7c1b-7def-8123-456789abcdef")),
    ])
  func names(given: String, name: Name) { #expect(Name(given) == name) }

  @Test("that name nothing are refused", arguments: ["", "text:", "int:", "int:-1", "int:+1", "int:x", "uuid:x"])
  func noNames(given: String) { #expect(AccountArgument(argument: given) == nil) }

  @Test("of text have the id of that text and are their own label")
  func labels() {
    let alice = AccountArgument(argument: "alice")
    #expect(alice?.id == "alice")
    #expect(alice?.label == "alice")
    #expect(AccountArgument(argument: "int:42")?.id == AccountID(42))
    #expect(AccountArgument(argument: "int:42")?.label == "")
    #expect(AccountArgument(argument: String(repeating: "x", count: 256)) == nil)
  }

  @Test(
    "of time are durations or moments",
    arguments: [
      ("45s", Moment.relative(.seconds(45))), ("15m", .relative(.seconds(900))), ("12h", .relative(.seconds(43_200))),
      ("30d", .relative(.seconds(2_592_000))), ("2w", .relative(.seconds(1_209_600))),
      ("250ms", .relative(.milliseconds(250))), ("1970-01-02", .absolute(Timestamp(seconds: 86_400))),
    ])
  func moments(given: String, moment: Moment) { #expect(Moment(argument: given) == moment) }

  @Test(
    "of time that are neither are refused", arguments: ["", "30", "d", "-5s", "1.5h", "30 d", "1234567890d", "now"])
  func noMoments(given: String) { #expect(Moment(argument: given) == nil) }

  @Test("of amounts are above zero and exact", arguments: ["0", "-1", "1e3", "0.0000001", "1,000", ""])
  func noAmounts(given: String) { #expect(PositiveAmount(argument: given) == nil) }
}
