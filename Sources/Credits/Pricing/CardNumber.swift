/// Whether a text contains what looks like the number of a payment card.
///
/// That is 12 to 19 ASCII digits which pass the Luhn check (ISO/IEC 7812-1, annex B), spaces, dashes and dots between
/// them ignored. Groups of digits are looked at together but never split, so a card number is found beside other
/// numbers. Numbers that begin with 0 are no payment cards.
package func looksLikeCardNumber(_ text: String) -> Bool {
  var groups: [[UInt8]] = []
  var isInGroup = false
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      if !isInGroup { groups.append([]) }
      groups[groups.count - 1].append(byte - UInt8(ascii: "0"))
      isInGroup = true
    case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."):
      isInGroup = false
    default:
      if hasCardNumber(groups) { return true }
      groups = []
      isInGroup = false
    }
  }
  return hasCardNumber(groups)
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
