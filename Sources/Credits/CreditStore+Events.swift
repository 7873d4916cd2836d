internal import LMDB

/// The event feed: what other systems want to hear of, from the journal, to consumers that the store knows by name.
extension CreditStore {
  /// Makes a consumer of events known, and answers the last entry that it has seen.
  ///
  /// From now on the journal is kept until the consumer has seen it. A consumer that is known already stays where it
  /// is.
  ///
  /// - Parameters:
  ///   - name: The consumer's name, 1 to 255 bytes.
  ///   - sequence: The entry after which it begins; by default the beginning of the journal, as far as it is kept.
  /// - Throws: `invalidArgument` for a name out of range; store failures.
  @discardableResult
  public func addConsumer(
    _ name: String, after sequence: SequenceNumber = .none
  ) async throws(StoreError) -> SequenceNumber {
    guard (1...255).contains(name.utf8.count) else {
      throw .invalidArgument("a consumer's name has \(name.utf8.count) bytes; give it 1 to 255")
    }
    try engine.checkOpen()
    return try await engine.consumers.add(name, after: min(sequence, engine.queue.last), to: engine.queue)
  }

  /// Forgets a consumer, so that the journal is no longer kept for it; false if there is none of that name.
  @discardableResult
  public func removeConsumer(_ name: String) async throws(StoreError) -> Bool {
    try await engine.consumers.remove(name, from: engine.queue)
  }

  /// The consumers, and the last entry that each has seen.
  public var consumers: [String: SequenceNumber] { engine.consumers.all }

  /// Notes that a consumer has dealt with all events up to an entry; they are not told again.
  ///
  /// - Throws: `invalidArgument` if there is no such consumer; store failures.
  public func acknowledge(_ sequence: SequenceNumber, by name: String) async throws(StoreError) {
    guard try await engine.consumers.advance(name, to: min(sequence, engine.queue.durable), in: engine.queue) else {
      throw .invalidArgument("there is no consumer \(name); add it first")
    }
  }

  /// The events that a consumer has not acknowledged yet, and then each new one once it is durable: in order, none left
  /// out, at least once.
  ///
  /// ```swift
  /// try await store.addConsumer("mailer")
  /// for try await event in store.events(for: "mailer") {
  ///   if event.kind == .alerted { print("below", event.amount, "on", event.account) }
  ///   try await store.acknowledge(event.sequence, by: "mailer")
  /// }
  /// ```
  ///
  /// Acknowledge each event after it was dealt with, or every so many: what was not acknowledged before a crash is told
  /// again. A consumer that has acknowledged all it was told is moved on over the entries it does not want, so name the
  /// same kinds each time. Ends when the store is closed.
  ///
  /// - Parameters:
  ///   - name: The consumer.
  ///   - kinds: The kinds of entry it wants; by default all but the traffic of debits, holds and denials.
  public func events(for name: String, of kinds: Set<JournalEntry.Kind> = JournalEntry.Kind.events) -> EventFeed {
    EventFeed(engine: engine, name: name, kinds: kinds)
  }
}

/// The events for a consumer, in order; see ``CreditStore/events(for:of:)``.
public struct EventFeed: AsyncSequence, Sendable {
  /// An event: the entry of the journal.
  public typealias Element = JournalEntry
  /// What ends the feed before the store is closed.
  public typealias Failure = StoreError

  let engine: Engine
  let name: String
  let kinds: Set<JournalEntry.Kind>

  /// Begins after the last event that the consumer has acknowledged.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Reads a feed.
  public struct Iterator: AsyncIteratorProtocol {
    private let feed: EventFeed
    private var place: SequenceNumber?
    private var ready: ArraySlice<JournalEntry> = []
    /// The last event that was handed out.
    private var told = SequenceNumber.none
    private var changes: AsyncStream<Void>.Iterator

    init(_ feed: EventFeed) {
      self.feed = feed
      changes = feed.engine.commitSignal.changes().makeAsyncIterator()
    }

    /// The next event; nil once the store is closed or the task is cancelled.
    public mutating func next() async throws(StoreError) -> JournalEntry? {
      try await next(isolation: nil)
    }

    /// The next event; nil once the store is closed or the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreError) -> JournalEntry? {
      while true {
        if let event = ready.popFirst() {
          told = event.sequence
          return event
        }
        if Task.isCancelled { return nil }
        try await passOver()
        guard let read = try read() else { return nil }
        if !read, await changes.next(isolation: actor) == nil { return nil }
      }
    }

    /// Moves the consumer on over entries that it does not want, so that the journal is not kept for them; now and
    /// then, and only while it has acknowledged all that it was told.
    private func passOver() async throws(StoreError) {
      guard let place, let cursor = feed.engine.consumers.cursor(of: feed.name), cursor >= told,
        place.value >= cursor.value + 4_096
      else { return }
      _ = try await feed.engine.consumers.advance(feed.name, to: place, in: feed.engine.queue)
    }

    /// Reads the next events; false if there are no more for now, nil once the store is closed.
    private mutating func read() throws(StoreError) -> Bool? {
      let engine = feed.engine
      if case .failed(let error) = engine.queue.state {
        if error == .closed { return nil }
        throw error
      }
      var last: SequenceNumber
      if let place {
        last = place
      } else {
        guard let cursor = engine.consumers.cursor(of: feed.name) else {
          throw .invalidArgument("there is no consumer \(feed.name); add it first")
        }
        last = cursor
      }
      guard last < engine.queue.durable else {
        place = last
        return false
      }
      var found: [JournalEntry] = []
      try engine.view.forEach(of: feed.kinds, from: SequenceNumber(last.value + 1)) { (entry, sequence) in
        last = sequence
        if let entry { found.append(entry) }
        return found.count < 256
      }
      ready = found[...]
      place = last
      return true
    }
  }
}
