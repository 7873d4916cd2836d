import Credits
import Testing

@Suite("Amounts")
struct AmountTests {
  @Test(
    "an amount is printed as the shortest exact decimal and parsed from it",
    arguments: [
      (0, "0"), (1, "0.000001"), (-1, "-0.000001"), (10, "0.00001"), (1_000_000, "1"), (87_250_000, "87.25"),
      (-3_500_000, "-3.5"), (1_000_001, "1.000001"), (Int64.max, "9223372036854.775807"),
      (-Int64.max, "-9223372036854.775807"), (Int64.min, "-9223372036854.775808"),
    ])
  func printing(_ millionths: Int64, _ text: String) {
    #expect(Amount(millionths: millionths).description == text)
    #expect(Amount(text) == Amount(millionths: millionths))
    #expect(Amount(utf8: text.utf8) == Amount(millionths: millionths))
  }

  @Test(
    "other ways to write an amount are read exactly",
    arguments: [("1.0", 1_000_000), ("007", 7_000_000), ("1.500000", 1_500_000), ("-0", 0), ("0.0", 0)])
  func parsing(_ text: String, _ millionths: Int64) { #expect(Amount(text) == Amount(millionths: millionths)) }

  @Test(
    "Case 6: what is no decimal, too fine or too large is no amount",
    arguments: [
      "", "-", ".", ".5", "5.", "1.2.3", "+1", " 1", "1 ", "1,5", "1e3", "0x1", "NaN", "inf", "1.0000001", "0.1234567",
      "9223372036854.775808", "-9223372036854.775809", "99999999999999999999", "9223372036855", "--1", "1-", "١",
    ])
  func refusals(_ text: String) { #expect(Amount(text) == nil) }

  @Test("random amounts survive printing and parsing")
  func roundTrip() {
    for _ in 0..<2_000 {
      let amount = Amount(millionths: .random(in: -Int64.max ... .max) >> Int64.random(in: 0..<63))
      #expect(Amount(amount.description) == amount)
    }
  }

  @Test("literals are exact")
  func literals() {
    #expect((3.5 as Amount).millionths == 3_500_000)
    #expect((0.000001 as Amount).millionths == 1)
    #expect((-0.1 as Amount).millionths == -100_000)
    #expect((500 as Amount).millionths == 500_000_000)
    #expect((123_456_789.123456 as Amount).millionths == 123_456_789_123_456)
  }

  @Test("sums and differences are exact, and checked where asked for")
  func arithmetic() {
    var amount: Amount = 0.1 + 0.2
    #expect(amount == 0.3)
    amount += 1
    amount -= 0.000001
    #expect(amount == 1.299999)
    #expect((1 as Amount) - 2 == -1)
    #expect((1 as Amount) < 1.000001)
    #expect(Amount.max.adding(0) == .max)
    #expect(Amount.max.adding(Amount(millionths: 1)) == nil)
    #expect(Amount(millionths: .min).adding(Amount(millionths: -1)) == nil)
    #expect(Amount.zero == 0)
  }

  @Test("arithmetic beyond the range stops the program instead of wrapping around")
  func overflow() async {
    await #expect(processExitsWith: .failure) { _ = Amount.max + Amount(millionths: 1) }
    await #expect(processExitsWith: .failure) { _ = Amount(millionths: .min) - Amount(millionths: 1) }
  }
}
