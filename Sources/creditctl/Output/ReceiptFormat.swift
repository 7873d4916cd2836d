import Credits

/// The forms in which the outcome of a changing command is printed.
enum ReceiptFormat {
  /// The outcome as an object.
  static func json(
    _ verb: String, _ account: AccountArgument, _ request: RequestArgument?, _ receipt: Receipt,
    extra: [(key: String, value: JSON)] = []
  ) -> JSON {
    .object(
      [
        ("outcome", .string(verb)), ("account", .text(account.id)), ("request", .text(request?.id)),
        ("sequence", .number(receipt.sequence.value)), ("time", .text(receipt.time)),
        ("amount", .text(receipt.amount)), ("available", .text(receipt.balance)), ("replay", .bool(receipt.isReplay)),
      ] + extra)
  }

  /// The outcome in a sentence, and the request that a repetition would name.
  static func lines(_ sentence: String, _ request: RequestArgument?, _ receipt: Receipt) -> [String] {
    let ending = receipt.isReplay ? " (a replay: nothing changed now)" : ""
    return ["\(sentence)\(ending)"] + (request.map { ["entry \(receipt.sequence), request \($0.name)"] } ?? [])
  }

  /// A denial as an object: an error with what is known besides.
  static func json(_ denial: Denial, _ account: AccountArgument, _ request: RequestArgument) -> JSON {
    var error: [(key: String, value: JSON)] = [
      ("code", .string(denial.reason.code)), ("message", .string("declined: \(denial.reason)")),
    ]
    if case .insufficient(let available, let needed) = denial.reason {
      error += [("available", .text(available)), ("needed", .text(needed))]
    }
    return [
      "outcome": "denied", "account": .text(account.id), "request": .text(request.id),
      "sequence": denial.sequence.map { .number($0.value) } ?? .null, "time": .text(denial.time),
      "replay": .bool(denial.isReplay), "error": .object(error),
    ]
  }

  /// Prints a denial and ends the command.
  static func decline(
    _ denial: Denial, _ account: AccountArgument, _ request: RequestArgument, _ options: StoreOptions
  ) throws -> Never {
    if options.json {
      try Output.standard.line(json(denial, account, request).text)
      try Output.standard.flush()
    } else {
      let ending = denial.isReplay ? " (a replay: the earlier answer stands)" : ""
      Output.complain("declined: \(denial.reason)\(ending)")
      if let sequence = denial.sequence { Output.note("entry \(sequence), request \(request.name)") }
    }
    throw ExitStatus.declined
  }
}

extension StoreOptions {
  /// Runs one changing verb and prints its receipt, or its denial.
  func change(
    _ verb: String, _ account: AccountArgument, _ request: RequestArgument,
    sentence: (Receipt) -> String, extra: (Receipt) -> [(key: String, value: JSON)] = { _ in [] },
    _ work: (CreditStore) async throws -> Receipt
  ) async throws {
    let receipt = try await declining(account, request) { store in try await work(store) }
    try print(
      ReceiptFormat.json(verb, account, request, receipt, extra: extra(receipt)),
      ReceiptFormat.lines(sentence(receipt), request, receipt))
  }

  /// Opens the store for changes and does some work with it; prints a denial, if that is what comes of it.
  func declining<R>(
    _ account: AccountArgument, _ request: RequestArgument, _ work: (CreditStore) async throws -> R
  ) async throws -> R {
    do {
      return try await changing { store in try await work(store) }
    } catch StoreError.denied(let denial) {
      try ReceiptFormat.decline(denial, account, request, self)
    }
  }
}
