/// An HTTP client as the sketch of a gateway needs it.
protocol HTTPClient: Sendable {
  /// Sends a form under an idempotency key.
  func post(_ path: String, idempotencyKey: String, form: [String: String]) async throws -> HTTPResponse
  /// Asks for something.
  func get(_ path: String, query: [String: String]) async throws -> HTTPResponse
}

/// An answer: its status, and the fields of its body.
struct HTTPResponse: Sendable {
  let status: Int
  let fields: [String: String]
}

/// A payment provider that charges every card, once per key.
actor ImaginaryProvider: HTTPClient {
  private(set) var charges: [String: HTTPResponse] = [:]

  func post(_ path: String, idempotencyKey: String, form: [String: String]) -> HTTPResponse {
    if let known = charges[idempotencyKey] { return known }
    let fields = [
      "id": "ch_\(charges.count + 1)", "state": "paid", "amount": form["amount"] ?? "",
      "currency": form["currency"] ?? "",
    ]
    let response = HTTPResponse(status: 200, fields: fields)
    charges[idempotencyKey] = response
    return response
  }

  func get(_ path: String, query: [String: String]) -> HTTPResponse {
    query["reference"].flatMap { charges[$0] } ?? HTTPResponse(status: 404, fields: [:])
  }
}
