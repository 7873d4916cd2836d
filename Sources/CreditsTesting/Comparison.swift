/// Collects what differs between expected and found values of one thing; the first difference counts.
struct Comparison {
  private let subject: String
  /// The first difference, in words; nil if there is none.
  private(set) var difference: String?

  init(of subject: String) { self.subject = subject }

  mutating func check<T: Equatable>(_ name: String, _ expected: T, _ found: T) {
    if difference == nil, expected != found {
      difference = "\(subject): \(name) is \(found), expected \(expected)"
    }
  }
}
