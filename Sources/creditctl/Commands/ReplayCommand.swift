import ArgumentParser
import Credits

struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Debit a usage log line by line, from many callers, and prove the result.",
    discussion: """
      Reads CSV with a header, or JSON Lines, one line a request to a model. Each line is usage of a feature with the units \
      'context' and 'generated', priced by the book of --book, which is published unless it is the latest already; else by \
      the store's book; and where there is none, by a small one with the features 'code' and 'chat', which is published. \
      --context-rate and --generated-rate make that small book with other rates. What costs nothing is recorded as free.

      The feature of a line is that of --feature; else what the column of --feature-column, or else the column 'Feature', \
      says; else that of the file: code.csv and code-2023.csv are 'code' where the book has such a feature; else 'chat'.

      Creates the store if there is none, opens accounts replay-000001, replay-000002, …, grants each \
      its credits once per run, spreads the lines over them, debits, prints a summary and verifies the store.

      All logs are checked from start to end before anything is debited. Requests are named by run, repetition and line: a \
      replay that was interrupted is finished, and one that was complete changes nothing, when it is given again with the \
      same --run, files and --accounts while the request window (24 hours) remembers it. Balances do not depend on \
      --callers and --batch. Exit code 4 if the verification finds a problem.

        creditctl replay --store ./run usage.csv
        creditctl replay --store ./run --run monday --credits 40 code.csv conv.csv
        creditctl replay --store ./run --book book.json --feature chat usage.csv
        creditctl replay --repeat 100 --callers 64 --batch 1 usage.jsonl
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: ArgumentHelp("The usage logs.", valueName: "log"))
  var files: [String]

  @Option(name: .long, help: "The run's name. Default: a new one, printed.")
  var run: String?

  @Option(name: .long, help: "The number of accounts.")
  var accounts = 1_000

  @Option(name: .long, help: "The credits that each account is granted, once per run; 0 for none.")
  var credits: Amount = 100

  @Option(name: .long, help: ArgumentHelp("The price book to use, a JSON file.", valueName: "file"))
  var book: String?

  @Option(name: .long, help: "Without --book: the credits for 1,000 context tokens; 1 if only the other is given.")
  var contextRate: Amount?

  @Option(name: .long, help: "Without --book: the credits for 1,000 generated tokens; 3 if only the other is given.")
  var generatedRate: Amount?

  @Option(name: .long, help: "The feature of all lines.")
  var feature: String?

  @Option(name: .long, help: "The column, or key, of the feature. Default: 'Feature' where there is one.")
  var featureColumn: String?

  @Option(name: .customLong("repeat"), help: "How often the logs are replayed.")
  var repeats = 1

  @Option(name: .long, help: "The number of concurrent callers.")
  var callers = 8

  @Option(name: .long, help: "The debits in a call; 0 or 1 for calls of single debits.")
  var batch = 1_024

  @Option(name: .long, help: "csv or jsonl. Default: by the first line.")
  var format: UsageLog.Format?

  @Option(name: .long, help: "The column, or key, of the time; 'none' where there is none.")
  var timeColumn = "TIMESTAMP"

  @Option(name: .long, help: "The column, or key, of the context tokens.")
  var contextColumn = "ContextTokens"

  @Option(name: .long, help: "The column, or key, of the generated tokens.")
  var generatedColumn = "GeneratedTokens"

  /// The most requests that a replay remembers for a second run: about 18 bytes each.
  private static let maximumWindow: UInt64 = 50_000_000

  func validate() throws {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
      guard range.contains(value) else {
        throw ValidationError(
          "--\(name) is \(value); it must be from \(range.lowerBound.grouped) to \(range.upperBound.grouped)")
      }
    }
    try check("accounts", accounts, 1...10_000_000)
    try check("repeat", repeats, 1...1_000_000_000)
    try check("callers", callers, 1...65_536)
    try check("batch", batch, 0...65_536)
    for (name, amount) in [
      ("credits", credits), ("context-rate", contextRate ?? 0), ("generated-rate", generatedRate ?? 0),
    ] where amount < .zero { throw ValidationError("--\(name) is \(amount); it must not be negative") }
    if book != nil, contextRate != nil || generatedRate != nil {
      throw ValidationError("--book names all rates; leave out --context-rate and --generated-rate")
    }
    if feature != nil, featureColumn != nil {
      throw ValidationError("--feature is that of all lines; leave out --feature-column")
    }
    if let feature, feature.isEmpty { throw ValidationError("--feature is empty; name a feature of the price book") }
    if let run, run.isEmpty || run.utf8.count > 200 {
      throw ValidationError("--run has \(run.utf8.count) bytes; it must have from 1 to 200")
    }
  }

  func run() async throws {
    _ = try options.path()
    let prices = try ReplayPrices(published: try published(), given: try givenBook(), now: .now)
    let feed = try ReplayFeed(
      files.map { ($0, feature ?? ReplayBook.feature(ofFile: $0, in: prices.book)) }, columns, format, prices)
    let check = try await feed.check()
    let plan = ReplayPlan(
      run: run ?? "run-\(RequestID(at: .now))", accounts: accounts, repeats: repeats, callers: callers)
    let (requests, overflow) = check.lines.multipliedReportingOverflow(by: UInt64(repeats))
    guard !overflow, requests < 1 << 50 else {
      throw UsageFailure(sentence: "\(check.lines) lines repeated \(repeats) times are too many; lower --repeat")
    }
    let window = requests + UInt64(accounts) * 2
    if window > ReplayCommand.maximumWindow, run != nil {
      Output.note(
        "note: \(requests.grouped) requests are more than the window remembers; "
          + "a second run with the same name would debit the earliest again")
    }
    let summary = try await options.changing(.ifMissing) { settings in
      settings.windowRequests = max(settings.windowRequests, Int(min(window, ReplayCommand.maximumWindow)))
    } _: { store in
      if prices.isNew { try await store.publish(prices.book) }
      return try await ReplayCommand.replay(
        Replay(store: store, feed: feed, plan: plan, check: check, credits: credits, batch: max(1, batch)),
        files: files.count, prices)
    }
    try options.print(summary.json, summary.text)
    if summary.verification.problem != nil { throw ExitStatus.problem }
  }

  private var columns: UsageColumns {
    let feature: UsageColumns.Feature =
      feature != nil ? .none : featureColumn.map { .required($0) } ?? .ifPresent(UsageColumns.standardFeature)
    return UsageColumns(
      time: timeColumn == "none" ? nil : timeColumn, context: contextColumn, generated: generatedColumn,
      feature: feature)
  }

  /// The book that was given, as a file or by its rates.
  private func givenBook() throws -> PriceBook? {
    if let book { return try InputFile.priceBook(book) }
    guard contextRate != nil || generatedRate != nil else { return nil }
    let standard = ReplayBook.standardRates
    return ReplayBook.book(context: contextRate ?? standard.context, generated: generatedRate ?? standard.generated)
  }

  /// The price books that the store has, if there is a store.
  private func published() throws -> [PriceBook] {
    let reader: CreditReader
    do { reader = try options.reader() } catch StoreError.notFound { return [] }
    return try reader.priceBooks()
  }

  private static func replay(_ replay: Replay, files: Int, _ prices: ReplayPrices) async throws -> ReplaySummary {
    let granted = try await replay.prepare()
    let (tally, latency, elapsed) = try await replay.debit()
    let (digest, left) = try replay.digest()
    let began = ContinuousClock.now
    let progress = Progress("verifying")
    defer { progress.end() }
    let verification = try await replay.store.verify { progress.show($0) }
    return ReplaySummary(
      files: files, plan: replay.plan, prices: prices, check: replay.check, credits: replay.credits,
      batch: replay.batch,
      granted: granted, tally: tally, latency: latency, elapsed: elapsed, digest: digest, left: left,
      verification: verification, verifying: began.duration(to: .now))
  }
}

extension UsageLog.Format: ExpressibleByArgument {}
