/// One debit as peers get it.
package struct PeerDebit: Sendable {
  /// The account's number, from 1 upwards.
  package var account: Int
  /// In millionths of a credit.
  package var amount: Int64
  /// The request's 128 bits, the most significant first, rising in time.
  package var high: UInt64
  package var low: UInt64

  package init(account: Int, amount: Int64, high: UInt64, low: UInt64) {
    self.account = account
    self.amount = amount
    self.high = high
    self.low = low
  }

  /// The request as sixteen bytes, which sort as the number does.
  var request: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }
}

/// What an answer waits for.
package enum PeerDurability: String, Sendable, CaseIterable {
  /// The disk has it.
  case durable
  /// The peer's own weaker mode, in which the latest answers can be lost.
  case relaxed
}

/// One way in which a peer is used.
package struct PeerForm: Sendable {
  /// The name of the form in which a queue that costs nothing gathers single calls into transactions.
  package static let idealQueue = "a queue in front, free of charge"

  /// What is done, in words.
  package let name: String
  /// The connections or threads.
  package let sessions: Int
  /// The debits that a session makes at once.
  package let batch: Int
  /// Names the way to those peers that have more than one.
  let way: String

  init(_ name: String, sessions: Int = 1, batch: Int = 1, way: String = "") {
    self.name = name
    self.sessions = sessions
    self.batch = batch
    self.way = way
  }

  /// Whether the debits of a session come as a batch of one caller, and not from as many callers.
  package var isBatch: Bool { name.hasPrefix("batches") }

  /// The debits that are under way at once.
  package var callers: Int { sessions * batch }
}

/// A store that keeps balances, as somebody would set it up who does not use ours.
///
/// Each debit checks and lowers a balance and writes a record under the request's id, in one transaction: the record is the
/// journal, and what finds duplicates. Of the debits of a batch each succeeds or fails by itself.
package protocol Peer: AnyObject, Sendable {
  /// The name with the version.
  var name: String { get }
  /// What the relaxed mode is.
  var relaxedMode: String { get }
  var forms: [PeerForm] { get }
  /// The process of the peer's server, if it has one.
  var server: Int32? { get }

  /// Makes accounts with a balance each, from 1 upwards; what was there before is gone.
  func fill(accounts: Int, balance: Int64) throws
  /// Opens a connection, for one thread at a time.
  func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession
  /// The sum of the balances of the accounts with some numbers.
  func total(of accounts: ClosedRange<Int>) throws -> Int64
  func close()
}

/// A connection to a peer, which one thread uses at a time.
package protocol PeerSession: AnyObject, Sendable {
  /// Makes debits, and answers how many went through: neither duplicates nor short of credits.
  func debit(_ debits: [PeerDebit]) throws -> Int
  func close()
}

/// A failure of a peer, with what it says.
package struct PeerFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ peer: String, _ what: String, _ text: String) { description = "\(peer), \(what): \(text)" }
}
