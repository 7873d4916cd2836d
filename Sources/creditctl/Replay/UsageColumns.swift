/// The names of the columns, or keys, that a usage log is read by.
struct UsageColumns: Sendable {
  /// The moment of the request; nil where the log has none.
  var time: String? = "TIMESTAMP"
  var context = "ContextTokens"
  var generated = "GeneratedTokens"
}
