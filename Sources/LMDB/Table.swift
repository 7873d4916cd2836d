/// A named table of an environment: keys in order, each with one value.
///
/// It is a small number that stays valid, in every transaction, until its environment is closed. Get one from
/// ``Environment/openTables(_:)``.
public struct Table: Sendable, Hashable {
  /// LMDB's handle.
  let identifier: UInt32

  /// The kind of the table's keys.
  public let keys: Keys

  /// The kinds of keys that a table may have; a table has one kind for good.
  public enum Keys: Sendable, Hashable {
    /// Strings of 1 to 511 bytes, ordered byte by byte as unsigned numbers, shorter before longer.
    case bytes
    /// `UInt64` numbers in the machine's byte order, ordered by value.
    case integers
  }

  /// A table's name and the kind of its keys.
  public struct Definition: Sendable, Hashable {
    /// The name, unique in the environment.
    public let name: String

    /// The kind of the keys.
    public let keys: Keys

    /// Makes a definition.
    public init(_ name: String, keys: Keys) {
      self.name = name
      self.keys = keys
    }
  }

  /// How large a table is, in one transaction's view of it.
  public struct Statistics: Sendable, Hashable {
    /// The number of entries.
    public let entries: Int
    /// The height of the tree; 0 if the table is empty.
    public let depth: Int
    /// Pages that hold only keys on the way to others.
    public let branchPages: Int
    /// Pages that hold entries.
    public let leafPages: Int
    /// Pages that hold values too long for a leaf.
    public let overflowPages: Int
  }
}
