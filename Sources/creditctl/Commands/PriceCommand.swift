import ArgumentParser
import Credits

struct PriceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "price",
    abstract: "Publish and show price books, and quote what usage costs.",
    discussion: """
      A price book is a JSON file with features, what their units cost, and factors for models and tiers. Publishing makes \
      it a version; versions stay in the store, so that every price ever charged can be explained.

        creditctl price example > book.json
        creditctl price check book.json
        creditctl price publish book.json
        creditctl price list
        creditctl price show
        creditctl price quote chat --model large --unit context=4808 --unit generated=120
      """,
    subcommands: [
      PricePublishCommand.self, PriceCheckCommand.self, PriceListCommand.self, PriceShowCommand.self,
      PriceQuoteCommand.self, PriceExampleCommand.self,
    ])
}

struct PricePublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Make a price book the store's next version.",
    discussion: """
      It holds from its validFrom on, at once where it names none. Publishing the latest book once more changes nothing. \
      Creates the store if there is none.

        creditctl price publish book.json
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The JSON file; - for the standard input.")
  var file: String

  func run() async throws {
    let book = try InputFile.priceBook(file)
    let (version, isNew) = try await options.changing(.ifMissing) { store in
      let books = store.priceBooks
      if books.last == book { return (UInt32(books.count), false) }
      return (try await store.publish(book), true)
    }
    let validity = PriceFormat.validity(book)
    try options.print(
      [
        "outcome": .string(isNew ? "published" : "unchanged"), "version": .number(version), "name": .string(book.name),
        "valid_from": .text(book.validFrom), "valid_until": .text(book.validUntil),
        "features": .number(book.features.count),
      ],
      [
        isNew
          ? "published \(book.name.escapedForTerminal) as version \(version), valid \(validity)"
          : "\(book.name.escapedForTerminal) is version \(version) already; nothing changed"
      ])
  }
}

struct PriceCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a price book without publishing it.",
    discussion: """
      Needs no store. Exit code 2, with the place and the reason, if the book cannot be used.

        creditctl price check book.json
      """)

  @Flag(name: .long, help: "Print JSON for machines.")
  var json = false

  @Argument(help: "The JSON file; - for the standard input.")
  var file: String

  func run() async throws {
    let book = try InputFile.priceBook(file)
    let combinations = book.features.reduce(0) { $0 + max(1, $1.models.count) * max(1, $1.tiers.count) }
    if json {
      try Output.standard.line(
        JSON.object([
          ("outcome", "good"), ("name", .string(book.name)), ("features", .number(book.features.count)),
          ("combinations", .number(combinations)),
        ]).text)
    } else {
      try Output.standard.line(
        "\(book.name.escapedForTerminal) can be published: \(book.features.count.grouped) features, "
          + "\(combinations.grouped) combinations with models and tiers")
    }
    try Output.standard.flush()
  }
}

struct PriceListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the versions of the price book.",
    discussion: """
      Works while a service has the store open. With --json: a version a line.

        creditctl price list
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    let books = try options.reader().priceBooks()
    let current = try PriceFormat.table(books).version(at: .now)
    if options.json {
      for (index, book) in books.enumerated() {
        try Output.standard.line(
          PriceFormat.summary(book, UInt32(index + 1), isInForce: index + 1 == current ?? 0).text)
      }
      return try Output.standard.flush()
    }
    guard !books.isEmpty else { return try options.print([:], ["no price book is published; publish one first"]) }
    var table = Table([
      ("version", .right), ("name", .left), ("features", .right), ("valid from", .left), ("until", .left), ("", .left),
    ])
    for (index, book) in books.enumerated() {
      table.add([
        "\(index + 1)", book.name, book.features.count.grouped, book.validFrom?.brief ?? "-",
        book.validUntil?.brief ?? "-", index + 1 == current ?? 0 ? "in force" : "",
      ])
    }
    try options.print([:], table.lines(width: Terminal.outputWidth))
  }
}

struct PriceShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a version of the price book: features, rates, models and tiers.",
    discussion: """
      Works while a service has the store open. With --json: the book, in a form that can be published again.

        creditctl price show
        creditctl price show --version 1 --json > book.json
      """)

  @OptionGroup var options: StoreOptions

  @Option(name: .customLong("version"), help: "The version. Default: the one in force.")
  var number: UInt32?

  func run() async throws {
    let books = try options.reader().priceBooks()
    guard let version = try number ?? PriceFormat.table(books).version(at: .now) else { throw AbsenceFailure.priceBook }
    guard version >= 1, version <= books.count else { throw AbsenceFailure.priceVersion(version, of: books.count) }
    let book = books[Int(version) - 1]
    if options.json {
      try Output.standard.line(JSON.escaped(book.json))
    } else {
      try options.print([:], PriceFormat.lines(book, version))
    }
    try Output.standard.flush()
  }
}

struct PriceQuoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quote",
    abstract: "Show what usage costs now, and how the price comes about.",
    discussion: """
      Works while a service has the store open, and records nothing. Exit code 1 if the usage has no price.

        creditctl price quote search --units 12
        creditctl price quote chat --model large --unit context=4808 --unit generated=120
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The feature.")
  var feature: String

  @OptionGroup var usage: UsageOptions

  func validate() throws {
    guard (1...Name.maximumText).contains(feature.utf8.count) else {
      throw ValidationError("the feature has from 1 to \(Name.maximumText) bytes")
    }
  }

  func run() async throws {
    let usage = usage.usage(feature)
    let table = try PriceFormat.table(try options.reader().priceBooks())
    switch table.price(usage, at: .now) {
    case .refused(let refusal): throw StoreError.denied(PriceFormat.denial(refusal))
    case .priced(let quote):
      let breakdown = table.breakdown(row: quote.row, counts: quote.counts)
      try options.print(
        [
          "usage": UsageFormat.json(usage), "amount": .text(quote.amount), "version": .number(quote.version),
          "expires": .text(quote.expires), "arithmetic": breakdown.map { PriceFormat.json($0) } ?? .null,
        ],
        (breakdown.map { PriceFormat.lines($0) } ?? [])
          + ["\(quote.amount.grouped) credits for \(usage.description.escapedForTerminal), good until \(quote.expires)"]
      )
    }
  }
}

struct PriceExampleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "example",
    abstract: "Print an example of a price book.",
    discussion: """
      Needs no store. Change it to your prices, then check and publish it.

        creditctl price example > book.json
      """)

  func run() async throws {
    try Output.standard.line(ExampleBook.book.json)
    try Output.standard.flush()
  }
}
