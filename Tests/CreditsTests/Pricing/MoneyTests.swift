import Testing

@testable import Credits

@Suite("Money and currencies")
struct MoneyTests {
  @Test("money is printed with all decimals of its currency, and read back")
  func text() throws {
    let (jpy, kwd, clf) = (
      try #require(Currency("JPY")), try #require(Currency("KWD")), try #require(Currency("CLF"))
    )
    let rows: [(Money, String)] = [
      (Money(20_00, .usd), "20.00 USD"), (Money(0, .usd), "0.00 USD"), (Money(5, .eur), "0.05 EUR"),
      (Money(-5, .eur), "-0.05 EUR"), (Money(-1_99, .gbp), "-1.99 GBP"), (Money(500, jpy), "500 JPY"),
      (Money(-1, jpy), "-1 JPY"), (Money(-1_250, kwd), "-1.250 KWD"), (Money(7, clf), "0.0007 CLF"),
      (Money(.max, .usd), "92233720368547758.07 USD"), (Money(.min, .usd), "-92233720368547758.08 USD"),
      (Money(.min, jpy), "-9223372036854775808 JPY"),
    ]
    for (money, text) in rows {
      #expect(money.description == text)
      #expect(Money(text) == money)
    }
    #expect(Money("-0.00 USD") == Money(0, .usd))
    #expect(Money("007.00 USD") == Money(7_00, .usd))
  }

  @Test(
    "what is no money is not read",
    arguments: [
      "", "USD", " USD", "20 USD", "20.0 USD", "20.000 USD", "20.00", "20.00USD", "20.00  USD", "20.00 usd",
      "20.00 US", "20.00 USDT", "20,00 USD", ".00 USD", "+1.00 USD", "--1.00 USD", "-.00 USD", "1 .00 USD",
      "1.0-0 USD", "1.0\u{660} USD", "\u{661}.00 USD", "1.00 U\u{D6}D", "500.00 JPY", "- JPY", "1.00 KWD",
      "92233720368547758.08 USD", "-92233720368547758.09 USD", "1e2.00 USD", "1.00 USD ", " 1.00 USD", "1\u{0}.00 USD",
      "99999999999999999999999.00 USD",
    ])
  func refusals(_ text: String) { #expect(Money(text) == nil) }

  @Test("sums, differences and products are exact, and nothing beyond the range or between currencies")
  func arithmetic() {
    let one = Money(1_00, .usd)
    #expect(one.adding(Money(99, .usd)) == Money(1_99, .usd))
    #expect(one.adding(Money(99, .eur)) == nil && Money(.max, .usd).adding(one) == nil)
    #expect(one.subtracting(Money(1_01, .usd)) == Money(-1, .usd))
    #expect(one.subtracting(Money(1, .eur)) == nil && Money(.min, .usd).subtracting(one) == nil)
    #expect(one.multiplied(by: -3) == Money(-3_00, .usd) && Money(.min, .usd).multiplied(by: -1) == nil)
    #expect(one.isLess(than: Money(1_01, .usd)) == true && one.isLess(than: one) == false)
    #expect(one.isLess(than: Money(1_01, .eur)) == nil)
  }

  @Test("a currency is three capitals, packed into 24 bits, with its decimals")
  func currencies() {
    for text in ["", "US", "USDX", "usd", "US1", "U D", "\u{C4}B", "\u{FF21}\u{FF22}\u{FF23}", "US\u{0}"] {
      #expect(Currency(text) == nil, "\(text)")
    }
    for code: UInt32 in [0, 0x55_5300, 0x1_55_5344, 0x75_7364, .max] { #expect(Currency(code: code) == nil) }
    #expect(Currency("USD") == .usd && Currency("EUR") == .eur && Currency("GBP") == .gbp)
    #expect(Currency.usd.code == 0x55_5344 && Currency(code: 0x45_5552) == .eur && "\(Currency.gbp)" == "GBP")
    let decimals = [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("KRW", 0), ("TND", 3), ("XAU", 2), ("UYW", 4)]
    for (text, count) in decimals {
      #expect(Currency(text)?.decimals == count)
      #expect(Currency(text)?.minorPerMajor == [1, 0, 100, 1_000, 10_000][count])
    }
  }
}
