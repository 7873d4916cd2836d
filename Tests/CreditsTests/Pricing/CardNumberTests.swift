import CreditsTesting
import Testing

@testable import Credits

@Suite("Card numbers are found")
struct CardNumberTests {
  /// Numbers that payment providers publish for tests.
  static let cards = [
    "4242424242424242", "4000056655665556", "4111111111111111", "5555555555554444", "5105105105105100",
    "2223003122003222", "378282246310005", "371449635398431", "6011111111111117", "6011000990139424",
    "3056930009020004", "36227206271667", "3566002020360505", "6200000000000005", "6205500000000000004",
    "4222222222222", "6759649826438453", "501800000009",
  ]

  @Test("a card number is found, with spaces, dashes or dots, and within other text", arguments: cards)
  func found(_ card: String) {
    #expect(looksLikeCardNumber(card))
    let digits = Array(card)
    for separator in [
      " ", "-", ".", " - ", "\u{A0}", "\u{202F}", "\u{2009}", "\u{3000}", "\t", "\n", "\r\n", "\u{2028}", "\u{2010}",
      "\u{2011}", "\u{2013}", "\u{2014}", "\u{2212}", "\u{B7}", "\u{2022}", "\u{3002}", "\u{FF0E}", "\u{200B}",
      "\u{AD}",
      "\u{2060}", "\u{0}",
    ] {
      var text = ""
      for (index, digit) in digits.enumerated() {
        text += (index > 0 && index % 4 == 0 ? separator : "") + String(digit)
      }
      #expect(looksLikeCardNumber(text), "\(text)")
    }
    for text in [
      "card \(card)", "\(card), thanks", "tok_\(card)_x", "(\(card))", "pay\n\(card)\n", "no. 7 \(card)",
      "\(card) 11/30", "\u{1F4B3}\(card)",
    ] {
      #expect(looksLikeCardNumber(text), "\(text)")
    }
  }

  @Test("a card number in the digits of another script is found", arguments: cards)
  func digits(_ card: String) {
    for zero: UInt32 in [0x660, 0x6F0, 0x966, 0xFF10, 0x1D7CE] {
      let text = card.utf8.compactMap { Unicode.Scalar(zero + UInt32($0) - 48) }.map { String($0) }
      #expect(looksLikeCardNumber(text.joined()), "\(text)")
      #expect(looksLikeCardNumber(text.joined(separator: "\u{2009}")))
    }
    // Half in one script and half in another.
    let mixed = card.enumerated().map { place, digit in
      place % 2 == 0
        ? String(digit) : Unicode.Scalar(0xFF10 + UInt32(digit.wholeNumberValue ?? 0)).map { String($0) } ?? ""
    }
    #expect(looksLikeCardNumber(mixed.joined()))
  }

  @Test("a card number with one digit wrong is none", arguments: cards)
  func wrongDigit(_ card: String) {
    for place in card.indices {
      for digit in "0123456789" where digit != card[place] {
        let other = card.replacing(at: place, with: digit)
        #expect(!looksLikeCardNumber(other), "\(other)")
      }
    }
  }

  @Test(
    "what payment providers give instead, and other numbers, are none",
    arguments: [
      "", "4242", "visa", "pm_1NfAbcDEfGhIjKlM4242", "tok_visa", "cus_9s6XKzkNRiz8i3", "card_1MvoiELkdIwHu7ix",
      "src_18eYalAHEMiOZZp1l9ZTjSU0", "order-17", "2026-11-22T12:00:00Z", "2026-11-22", "+49 30 901820", "1795348800",
      "550e8400-e29b-41d4-a716-446655440000", "018f4d9e-7c3a-7b2e-9f10-3a5b7c9d1e2f", "4242 4242 424", "0",
      "00000000000000000000", "000000000000", "0000 0000 0000 0000", "42424242424242424242", "424242/42424/2424",
      "1234567890123456", "B2-4242-4242", "11/30", "INV-2026-000123",
    ])
  func others(_ text: String) { #expect(!looksLikeCardNumber(text)) }

  @Test("random tokens of letters and digits are hardly ever taken for card numbers")
  func tokens() {
    var random = SplitMix64(seed: 4)
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    for _ in 0..<20_000 {
      let token = "pm_1" + String((0..<23).map { _ in random.pick(letters) })
      #expect(!looksLikeCardNumber(token), "\(token)")
    }
  }

  @Test("a payment method with a card number in any text is refused")
  func methods() {
    func method(_ token: String, _ brand: String, _ lastFour: String) -> PaymentMethod {
      PaymentMethod(token: token, brand: brand, lastFour: lastFour, expiryYear: 2030, expiryMonth: 1)
    }
    #expect(method("pm_1", "visa", "4242").isValid)
    for wrong in [
      method("4242 4242 4242 4242", "visa", "4242"), method("pm_1", "4242424242424242", "4242"),
      method("pm_1", "visa", "424242"), method("pm_1", "visa", "42"), method("pm_1", "visa", "424x"),
      method("", "visa", "4242"), method(String(repeating: "x", count: 256), "visa", "4242"),
      method("pm_1", String(repeating: "x", count: 256), "4242"), method("pm_1", "visa", "\u{664}242"),
    ] {
      #expect(!wrong.isValid, "\(wrong)")
    }
    for (year, month) in [(2030, 0), (2030, 13), (1999, 1), (10_000, 1), (-1, 1)] {
      #expect(
        !PaymentMethod(token: "t", brand: "", lastFour: "4242", expiryYear: year, expiryMonth: month).isValid)
    }
  }
}

extension String {
  fileprivate func replacing(at place: Index, with character: Character) -> String {
    String(self[..<place]) + String(character) + String(self[index(after: place)...])
  }
}
