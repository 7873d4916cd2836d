extension InputsTarget {
  /// One text of each kind and form.
  static var seeds: [(name: String, bytes: [UInt8])] {
    func seeds(_ name: String, _ mode: UInt8, _ texts: [String]) -> [(name: String, bytes: [UInt8])] {
      texts.enumerated().map { ("\(name)-\($0)", [mode] + Array($1.utf8)) }
    }
    return seeds("book", 0, books) + seeds("catalogue", 1, catalogues) + seeds("usage", 2, logs)
      + seeds("text", 3, texts) + seeds("arguments", 4, arguments.map { $0.joined(separator: "\n") })
      + [("numbers-0", [5] + [UInt8](repeating: 0, count: 24)), ("numbers-1", [5] + (0..<64).map { $0 &* 37 })]
  }

  private static let books = [
    #"{"name":"b","features":[]}"#,
    """
    {"name": "standard", "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2027-01-01", "quoteSeconds": 60,
     "rounding": "0.01", "features": [
      {"name": "chat", "base": "0.5", "rates": [{"unit": "context", "amount": "0.001", "per": 1000},
        {"unit": "generated", "amount": 3, "per": 7}], "models": {"default": 1, "large": "2.5"},
       "tiers": {"low": "0.75", "high": "1.333333"}, "minimum": "0.1", "maximum": 500}]}
    """,
    #"{"name":"gr\u00f6\u00dfe \ud83d\ude00","rounding":"0.25","features":[{"name":"f","base":-0},{"name":"g"}]}"#,
    #"{"name":1e3,"features":[{"name":"f","rates":[{"unit":"","amount":"x"}]}],"name":"twice"}"#,
    "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
  ]

  private static let catalogues = [
    #"{"packs":[]}"#,
    """
    {"packs": [{"credits": 500, "price": "20.00 USD"}, {"credits": "0.5", "price": "0.02 USD"}],
     "custom": {"rate": {"credits": 25, "price": "1.00 USD"}, "least": "1.00 USD", "most": "10000.00 USD"}}
    """,
    #"{"packs":[{"credits":"0.000001","price":"1 JPY"}],"custom":{"rate":{"credits":3,"price":"7 JPY"},"#
      + #""least":"7 JPY","most":"7000 JPY"}}"#,
  ]

  private static let logs = [
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04,3180,8",
    "\u{FEFF}Feature,GeneratedTokens,ContextTokens,TIMESTAMP\nchat,\"5\",7,2023-11-16\n\n"
      + "code,0,1000000000000,1970-01-01",
    #"{"TIMESTAMP":"2023-11-16T18:17:03Z","ContextTokens":4808,"GeneratedTokens":"10"}"# + "\n"
      + #" {"x":[1,{"y":"}\""},[]],"GeneratedTokens": 8 ,"ContextTokens":3,"TIMESTAMP":"2023-11-16","Feature":"code"}"#,
    #"{"ContextTokens":1,"ContextTokens":2}"#, "a,b,c\n1,2,3", "TIMESTAMP,ContextTokens,GeneratedTokens\n,\"1\"x,-5",
  ]

  private static let texts = [
    "0", "87.25", "-0.000001", "9223372036854.775807", "-9223372036854.775808", "0.0000001", "20.00 USD", "-1.250 KWD",
    "500 JPY", "92233720368547758.07 EUR", "2026-11-22", "2026-11-22T22:17:45.000001Z", "0000-01-01 00:00:00",
    "9999-12-31T23:59:59.999999Z", "2024-02-29", "500ms", "30d", "999999999w", "018f6e2a-7c1b-7def-8123-456789abcdef",
    "4242 4242 4242 4242", "USD",
  ]

  private static let arguments = [
    ["open", "alice"], ["grant", "alice", "500", "--source", "purchase", "--reference", "order-17"],
    ["debit", "alice", "3.5", "--request", "req-1"],
    ["debit", "int:42", "--feature", "chat", "--unit", "context=4808"],
    ["hold", "alice", "120", "--for", "10m", "--json"],
    ["capture", "alice", "uuid:018f6e2a-7c1b-7def-8123-456789abcdef"],
    ["release", "alice", "h"], ["correct", "alice", "d", "1", "--reason", "late"], ["freeze", "a"], ["close", "a"],
    ["price", "publish", "book.json"], ["price", "quote", "--feature", "chat", "--units", "7"],
    ["plan", "set", "alice", "pro", "--allowance", "20", "--per", "month"], ["alert", "set", "alice", "30", "8"],
    ["refill", "on", "alice", "--below", "100", "--pack", "500", "--at-most", "100.00 USD"], ["packs"],
    ["buy", "alice", "--money", "20.00 USD"], ["method", "add", "alice", "--token", "t", "--last-four", "4242"],
    ["dispute", "alice", "1"], ["balance", "alice", "--store", "x"], ["history", "--", "-a"],
    ["explain", "alice", "r"],
    ["watch", "alice", "--interval", "1s", "--count", "2"], ["events", "read", "c"], ["verify"], ["stats"],
    ["export", "--format", "csv"], ["backup", "to"], ["trim", "--before", "2026-01-01"], ["demo", "--speed", "100"],
    ["replay", "log", "--accounts", "10", "--batch", "3"], ["generate", "--lines", "5"], ["--help"], ["help", "debit"],
    ["--version"], ["debit", "--help"], ["--generate-completion-script", "bash"], [],
  ]
}
