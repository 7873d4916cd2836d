/// Whether a text contains what looks like the number of a payment card.
///
/// That is 12 to 19 decimal digits, of whatever script, which pass the Luhn check (ISO/IEC 7812-1, annex B); spaces and
/// ends of lines, dashes, dots and invisible characters of whatever kind between them are ignored. Groups of digits are
/// looked at together but never split, so a card number is found beside other numbers. Numbers that begin with 0 are no
/// payment cards.
package func looksLikeCardNumber(_ text: String) -> Bool {
  var groups: [[UInt8]] = []
  var isInGroup = false
  for scalar in text.unicodeScalars {
    if let digit = digit(scalar) {
      if !isInGroup { groups.append([]) }
      groups[groups.count - 1].append(digit)
      isInGroup = true
    } else if separatesDigits(scalar) {
      isInGroup = false
    } else {
      if hasCardNumber(groups) { return true }
      groups = []
      isInGroup = false
    }
  }
  return hasCardNumber(groups)
}

private func digit(_ scalar: Unicode.Scalar) -> UInt8? {
  if scalar.isASCII { return scalar.value >= 48 && scalar.value <= 57 ? UInt8(scalar.value - 48) : nil }
  guard scalar.properties.generalCategory == .decimalNumber else { return nil }
  return scalar.properties.numericValue.map { UInt8($0) }
}

private func separatesDigits(_ scalar: Unicode.Scalar) -> Bool {
  // Dots of other scripts, middle dots, bullets, and the minus sign, which counts as no dash.
  if [".", "·", "•", "‧", "․", "∙", "⋅", "・", "．", "。", "｡", "･", "−"].contains(scalar) { return true }
  switch scalar.properties.generalCategory {
  case .dashPunctuation, .spaceSeparator, .lineSeparator, .paragraphSeparator, .format, .control: return true
  default: return scalar.properties.isWhitespace
  }
}

private func hasCardNumber(_ groups: [[UInt8]]) -> Bool {
  for start in groups.indices where groups[start][0] != 0 {
    var digits: [UInt8] = []
    for group in groups[start...] {
      guard digits.count + group.count <= 19 else { break }
      digits += group
      if digits.count >= 12, passesLuhnCheck(digits) { return true }
    }
  }
  return false
}

private func passesLuhnCheck(_ digits: [UInt8]) -> Bool {
  var sum = 0
  for (position, digit) in digits.reversed().enumerated() {
    let doubled = Int(digit) * (position % 2 == 0 ? 1 : 2)
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 == 0
}
