/// The names of the columns, or keys, that a usage log is read by.
struct UsageColumns: Sendable {
  /// The column of the feature.
  enum Feature: Equatable, Sendable {
    /// There is none, or it does not count.
    case none
    /// It is read where the log has it.
    case ifPresent(String)
    /// Every line has it.
    case required(String)

    var name: String? {
      switch self {
      case .none: nil
      case .ifPresent(let name), .required(let name): name
      }
    }
  }

  /// The moment of the request; nil where the log has none.
  var time: String? = "TIMESTAMP"
  var context = "ContextTokens"
  var generated = "GeneratedTokens"
  var feature = Feature.ifPresent(standardFeature)

  /// The column of the feature that is read where the log has it.
  static let standardFeature = "Feature"

  /// Whether bytes of a log are a column's name.
  ///
  /// Bytes are compared, not strings: to compare strings means to sort the accents of each letter, and a hostile line
  /// may be nothing but accents.
  static func isName(_ bytes: ArraySlice<UInt8>, _ name: String?) -> Bool {
    guard let name = name?.utf8 else { return false }
    return bytes.count == name.count && bytes.elementsEqual(name)
  }
}
