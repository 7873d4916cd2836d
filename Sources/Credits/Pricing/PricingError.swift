/// Why a price book or a catalogue is not accepted: where in it, and what to do.
public struct PricingError: Error, Hashable, Sendable {
  /// The place, such as `features[2].rates[0].per`, or `line 3, column 7` in text that is no JSON; empty for the whole.
  public let place: String

  /// What is wrong there, and what to do.
  public let reason: String

  package init(at place: String, _ reason: String) {
    self.place = place
    self.reason = reason
  }
}

extension PricingError: CustomStringConvertible {
  /// The place and the reason.
  public var description: String { place.isEmpty ? reason : "\(place): \(reason)" }
}
