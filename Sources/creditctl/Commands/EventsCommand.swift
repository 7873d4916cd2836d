public import ArgumentParser
public import Credits

struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Read the event feed for named consumers: renewals, alerts, refills, charges, …",
    discussion: """
      Each consumer has a name and a cursor in the store: the last entry that it has dealt with. The journal is kept until \
      every consumer has seen it. Listing, reading and following work while a service has the store open; adding, removing \
      and acknowledging change the store and do not: the service does them then.

        creditctl events add mailer
        creditctl events read mailer
        creditctl events read mailer --acknowledge
        creditctl events follow mailer --kind alerted --kind exhausted
      """,
    subcommands: [
      EventsAddCommand.self, EventsListCommand.self, EventsRemoveCommand.self, EventsReadCommand.self,
      EventsFollowCommand.self, EventsAcknowledgeCommand.self,
    ])
}

/// The name of a consumer.
struct ConsumerArgument: ExpressibleByArgument {
  let name: String

  init?(argument: String) {
    guard (1...Name.maximumText).contains(argument.utf8.count) else { return nil }
    name = argument
  }

  var printed: String { name.escapedForTerminal }
}

struct EventsAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Make a consumer known.",
    discussion: """
      From now on the journal is kept until the consumer has seen it. A consumer that is known already stays where it is.

        creditctl events add mailer
        creditctl events add reports --from-now
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The consumer's name.")
  var consumer: ConsumerArgument

  @Option(name: .long, help: "The entry after which it begins. Default: the beginning of what is kept.")
  var after: UInt64?

  @Flag(name: .long, help: "Begin with what comes from now on.")
  var fromNow = false

  func validate() throws {
    if fromNow, after != nil { throw ValidationError("give one of --after and --from-now") }
  }

  func run() async throws {
    let (cursor, isNew) = try await options.changing { store in
      let isNew = store.consumers[consumer.name] == nil
      let start = fromNow ? try store.statistics().last : SequenceNumber(after ?? 0)
      return (try await store.addConsumer(consumer.name, after: start), isNew)
    }
    try options.print(
      [
        "outcome": .string(isNew ? "added" : "unchanged"), "consumer": .string(consumer.name),
        "cursor": .number(cursor.value),
      ],
      [
        isNew
          ? "added consumer \(consumer.printed), which begins after entry \(cursor)"
          : "consumer \(consumer.printed) was known, and has seen all up to entry \(cursor); nothing changed"
      ])
  }
}

struct EventsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the consumers and how far each has come.",
    discussion: """
      Works while a service has the store open.

        creditctl events list
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    let reader = try options.reader()
    let last = try reader.statistics().last.value
    let consumers = try reader.consumers().sorted { $0.key < $1.key }
    var table = Table([("consumer", .left), ("has seen", .right), ("behind by", .right)])
    for (name, cursor) in consumers {
      table.add([name, "entry \(cursor.value.grouped)", (last - min(last, cursor.value)).grouped])
    }
    try options.print(
      [
        "last": .number(last),
        "consumers": .array(consumers.map { ["consumer": .string($0.key), "cursor": .number($0.value.value)] }),
      ],
      consumers.isEmpty ? ["there are no consumers"] : table.lines(width: Terminal.outputWidth))
  }
}

struct EventsRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Forget a consumer.",
    discussion: """
      The journal is no longer kept for it. Exit code 1 if there is no such consumer.

        creditctl events remove mailer
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The consumer's name.")
  var consumer: ConsumerArgument

  func run() async throws {
    let isGone = try await options.changing { store in try await store.removeConsumer(consumer.name) }
    guard isGone else { throw AbsenceFailure.consumer(consumer.printed) }
    try options.print(
      ["outcome": "removed", "consumer": .string(consumer.name)], ["removed consumer \(consumer.printed)"])
  }
}

struct EventsAcknowledgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acknowledge",
    abstract: "Note that a consumer has dealt with all events up to an entry.",
    discussion: """
      They are not told again. An entry before the cursor changes nothing. Exit code 1 if there is no such consumer.

        creditctl events acknowledge mailer 1042
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The consumer's name.")
  var consumer: ConsumerArgument

  @Argument(help: "The entry.")
  var entry: UInt64

  func run() async throws {
    let cursor = try await options.changing { store in
      guard store.consumers[consumer.name] != nil else { throw AbsenceFailure.consumer(consumer.printed) }
      try await store.acknowledge(SequenceNumber(entry), by: consumer.name)
      return store.consumers[consumer.name] ?? .none
    }
    try options.print(
      ["outcome": "acknowledged", "consumer": .string(consumer.name), "cursor": .number(cursor.value)],
      ["consumer \(consumer.printed) has seen all up to entry \(cursor)"])
  }
}

extension JournalEntry.Kind: ExpressibleByArgument {}

/// The kinds of entries that a consumer is told of.
struct KindOptions: ParsableArguments {
  @Option(
    name: .customLong("kind"),
    help: "Only this kind, such as alerted; once for each kind. Default: all but debits, denials and holds.")
  var kinds: [JournalEntry.Kind] = []

  var set: Set<JournalEntry.Kind> { kinds.isEmpty ? JournalEntry.Kind.events : Set(kinds) }
}

struct EventsReadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Print the events that a consumer has not acknowledged.",
    discussion: """
      Works while a service has the store open, unless they are to be acknowledged, which changes the store. With --json: an \
      event a line.

        creditctl events read mailer
        creditctl events read mailer --limit 1000 --acknowledge --json
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var kinds: KindOptions

  @Argument(help: "The consumer's name.")
  var consumer: ConsumerArgument

  @Option(name: .long, help: "The most events.")
  var limit = 100

  @Flag(name: .long, help: "Acknowledge what was printed.")
  var acknowledge = false

  func validate() throws {
    guard (1...10_000_000).contains(limit) else {
      throw ValidationError("--limit is \(limit); it must be from 1 to 10,000,000")
    }
  }

  func run() async throws {
    guard acknowledge else {
      let reader = try options.reader()
      guard let cursor = try reader.consumers()[consumer.name] else { throw AbsenceFailure.consumer(consumer.printed) }
      var printer = EventPrinter(options: options) { id throws(StoreError) in try reader.account(id)?.label }
      try printer.print(after: cursor, kinds.set, limit: limit) { first, body throws(StoreError) in
        try reader.forEachEntry(from: first, body)
      }
      return
    }
    do {
      try await options.changing { store in
        guard let cursor = store.consumers[consumer.name] else { throw AbsenceFailure.consumer(consumer.printed) }
        var printer = EventPrinter(options: options) { id throws(StoreError) in try store.account(id)?.label }
        let last = try printer.print(after: cursor, kinds.set, limit: limit) { first, body throws(StoreError) in
          try store.forEachEntry(from: first, body)
        }
        // Printed before it is acknowledged: what a crash comes between is told again.
        if last > cursor { try await store.acknowledge(last, by: consumer.name) }
      }
    } catch StoreError.locked(let path, let holder) {
      if !options.json {
        Output.note("creditctl: reading without --acknowledge works meanwhile; let that process acknowledge")
      }
      throw StoreError.locked(path: path, holder: holder)
    }
  }
}

struct EventsFollowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "follow",
    abstract: "Print the events that a consumer has not acknowledged, and then each new one.",
    discussion: """
      Follows the store while a service has it open, until it is interrupted. Acknowledges nothing: one process writes at a \
      time, and that is the service. With --json: an event a line.

        creditctl events follow mailer
        creditctl events follow mailer --kind alerted --for 10m --json
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var pace: PaceOptions
  @OptionGroup var kinds: KindOptions

  @Argument(help: "The consumer's name.")
  var consumer: ConsumerArgument

  func run() async throws {
    let reader = try options.reader()
    let clock = ContinuousClock()
    let end = pace.span.map { clock.now + $0 }
    guard var place = try reader.consumers()[consumer.name] else { throw AbsenceFailure.consumer(consumer.printed) }
    var printer = EventPrinter(options: options) { id throws(StoreError) in try reader.account(id)?.label }
    while true {
      let left = pace.count.map { $0 - printer.printed } ?? .max
      place = try printer.print(after: place, kinds.set, limit: left) { first, body throws(StoreError) in
        try reader.forEachEntry(from: first, body)
      }
      if let count = pace.count, printer.printed >= count { return }
      if let end, clock.now + pace.interval > end { return }
      try await clock.sleep(for: pace.interval)
    }
  }
}
