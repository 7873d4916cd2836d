internal import LMDB

/// How far each consumer of events has come: in memory, and durable beside the journal.
final class Consumers: Sendable {
  private let cursors: Locked<[String: SequenceNumber]>

  init(_ database: Database) throws(StoreError) { cursors = Locked(try Consumers.stored(in: database)) }

  /// The cursors as they are stored.
  static func stored(in database: Database) throws(StoreError) -> [String: SequenceNumber] {
    try database.read { (transaction) throws(StoreError) -> [String: SequenceNumber] in
      var found: [String: SequenceNumber] = [:]
      var damaged: String?
      do throws(LMDBError) {
        var cursor = try transaction.cursor(on: database.consumers)
        var isMore = try cursor.first()
        while isMore {
          let name = unsafe cursor.key.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
          if let last = Meta.decode(cursor.value, 1).map({ SequenceNumber($0[0]) }), last <= .highest {
            found[name] = last
          } else {
            damaged = name
          }
          isMore = try cursor.next()
        }
      } catch { throw database.storeError(error) }
      guard let damaged else { return found }
      throw .corrupt(
        what: "the cursor of consumer \(damaged)", at: .none, reason: "it is none, or its checksum does not match")
    }
  }

  /// All consumers and their cursors.
  var all: [String: SequenceNumber] { cursors.withLock { $0 } }

  /// The last entry that every consumer has seen; the journal after it is kept.
  var least: SequenceNumber { cursors.withLock { $0.values.min() ?? SequenceNumber(.max) } }

  /// The last entry that a consumer has seen; nil if there is no such consumer.
  func cursor(of name: String) -> SequenceNumber? { cursors.withLock { $0[name] } }

  /// Adds a consumer that has seen all up to an entry; answers where it stands, also where it existed before.
  func add(_ name: String, after sequence: SequenceNumber, to queue: FrameQueue) async throws(StoreError)
    -> SequenceNumber
  {
    let (cursor, frame) = try cursors.withLock { (cursors) throws(StoreError) -> (SequenceNumber, UInt64?) in
      if let cursor = cursors[name] { return (cursor, nil) }
      let frame = try queue.add([.put(Meta.sealed([sequence.value]), for: Array(name.utf8), in: .consumers)])
      cursors[name] = sequence
      return (sequence, frame)
    }
    if let frame { try await queue.waitUntilDurable(frame: frame) }
    return cursor
  }

  /// Moves a consumer on to an entry, never back; false if there is no such consumer.
  func advance(_ name: String, to sequence: SequenceNumber, in queue: FrameQueue) async throws(StoreError) -> Bool {
    let (isKnown, frame) = try cursors.withLock { (cursors) throws(StoreError) -> (Bool, UInt64?) in
      guard let cursor = cursors[name] else { return (false, nil) }
      guard sequence > cursor else { return (true, nil) }
      let frame = try queue.add([.put(Meta.sealed([sequence.value]), for: Array(name.utf8), in: .consumers)])
      cursors[name] = sequence
      return (true, frame)
    }
    if let frame { try await queue.waitUntilDurable(frame: frame) }
    return isKnown
  }

  /// Forgets a consumer; false if there is none.
  func remove(_ name: String, from queue: FrameQueue) async throws(StoreError) -> Bool {
    let frame = try cursors.withLock { (cursors) throws(StoreError) -> UInt64? in
      guard cursors[name] != nil else { return nil }
      let frame = try queue.add([.delete(Array(name.utf8), from: .consumers)])
      cursors[name] = nil
      return frame
    }
    guard let frame else { return false }
    try await queue.waitUntilDurable(frame: frame)
    return true
  }
}
