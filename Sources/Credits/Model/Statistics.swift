/// What a store holds, and what it has done since it was opened.
public struct Statistics: Hashable, Sendable {
  /// The last durable entry.
  public let last: SequenceNumber

  /// The first entry that is kept; those before have been trimmed.
  public let firstKept: SequenceNumber

  /// The images include all entries up to this one; a reopening after a crash replays the rest.
  public let checkpoint: SequenceNumber

  /// The accounts that have an image on disk.
  public let accounts: Int

  /// The accounts in memory.
  public let residentAccounts: Int

  /// The most bytes of memory that the request window takes.
  public let windowBytes: Int

  /// The bytes of the data file.
  public let fileBytes: Int

  /// The bytes of the data file that are in use; the rest is kept for new entries.
  public let usedBytes: Int

  /// The most bytes that the file may grow to.
  public let mapBytes: Int

  /// The commits since the store was opened.
  public let commits: UInt64

  /// The entries since the store was opened.
  public let entries: UInt64

  /// The images written since the store was opened.
  public let images: UInt64

  /// The entries that were replayed when the store was opened.
  public let replayed: UInt64
}
