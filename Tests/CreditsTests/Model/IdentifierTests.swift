import Testing

@testable import Credits

@Suite("Identifiers")
struct IdentifierTests {
  @Test("an id is the first bits of the SHA-256 of its text, marked as a version 8 UUID")
  func text() {
    let alice: AccountID = "user_alice"
    #expect(alice.description == "5c5c2c16-4ead-8e3f-8aa2-e8db34327753")
    #expect(AccountID("user_alice") == alice)
    #expect(RequestID("user_alice").high == alice.high)
    #expect(AccountID("user_alicf") != alice)
    for text in ["", "a", "ü", String(repeating: "long", count: 100)] {
      let id = RequestID(text)
      #expect(id.high >> 12 & 0xF == 8 && id.low >> 62 == 2)
      #expect(id.time == nil, "a hashed id carries no time")
    }
  }

  @Test("a UUID is taken as it is, in either case, and printed in lower case")
  func uuid() {
    let id = AccountID(uuid: "018F6E2A-7c1b-7def-8123-456789abcdef")
    #expect(id == AccountID(high: 0x018F_6E2A_7C1B_7DEF, low: 0x8123_4567_89AB_CDEF))
    #expect(id?.description == "018f6e2a-7c1b-7def-8123-456789abcdef")
  }

  @Test(
    "what is no canonical UUID is refused",
    arguments: [
      "", "018f6e2a7c1b7def8123456789abcdef", "018f6e2a-7c1b-7def-8123-456789abcde",
      "018f6e2a-7c1b-7def-8123-456789abcdef0", "018f6e2a-7c1b-7def-8123_456789abcdef",
      "{018f6e2a-7c1b-7def-8123-456789abcdef}", "018f6e2g-7c1b-7def-8123-456789abcdef",
      "-18f6e2a-7c1b-7def-8123-456789abcdef", "018f6e2a-7c1b-7def-8123-456789abcdeé",
    ])
  func refusals(_ text: String) { #expect(AccountID(uuid: text) == nil) }

  @Test("an integer fills the low half")
  func integer() {
    #expect(AccountID(42) == AccountID(high: 0, low: 42))
    #expect(RequestID(.max).description == "00000000-0000-0000-ffff-ffffffffffff")
  }

  @Test("a version 7 id carries its time to the millisecond, and no other id does")
  func time() {
    let now = Timestamp(microseconds: 1_700_000_000_123_456)
    let id = RequestID(at: now)
    #expect(id.time == Timestamp(microseconds: 1_700_000_000_123_000))
    #expect(RequestID(at: now) != id)
    #expect(RequestID(uuid: "018f6e2a-7c1b-7def-8123-456789abcdef")?.time != nil)
    #expect(RequestID(uuid: "018f6e2a-7c1b-4def-8123-456789abcdef")?.time == nil)
    #expect(RequestID(uuid: "018f6e2a-7c1b-7def-c123-456789abcdef")?.time == nil)
    #expect(RequestID(1).time == nil)
  }

  @Test("sequence numbers are ordered, and none comes before the first")
  func sequences() {
    #expect(SequenceNumber.none < SequenceNumber(1))
    #expect(SequenceNumber(17).description == "17")
  }
}
