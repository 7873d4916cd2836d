extension Environment {
  /// How to open an environment.
  public struct Settings: Sendable {
    /// The size that the store may grow to, in bytes; only address space until it is used.
    public var mapSize = 1 << 30

    /// The number of transactions that may read at once, in all processes together.
    public var maxReaders = 126

    /// The number of tables.
    public var maxTables = 16

    /// Whether the environment may be written.
    public var access = Access.readWrite

    /// What a commit waits for.
    public var sync = Sync.full

    /// Whether the system reads ahead of a page that is touched.
    public var readAhead = ReadAhead.on

    /// The permissions of the files, if they are created.
    public var fileMode: UInt32 = 0o600

    /// Makes the default settings: 1 GiB, 126 readers, 16 tables, read and write, full sync.
    public init() {}

    /// Whether an environment may be written.
    public enum Access: Sendable, Hashable {
      /// Read and write; creates the store if it does not exist.
      case readWrite
      /// Read only; the store must exist.
      case readOnly
    }

    /// What a commit waits for.
    public enum Sync: Sendable, Hashable {
      /// Everything: a commit that returned survives a power cut.
      case full
      /// The data but not the header: a power cut may undo the last commit, wholly.
      case noMetaSync
      /// Nothing: a power cut may destroy the store. For tests and for building a store that is copied later.
      case none
    }

    /// Whether the system reads ahead of a page that is touched.
    public enum ReadAhead: Sendable, Hashable {
      /// Yes: good for scans and for a store that fits in memory.
      case on
      /// No: good for random reads in a store larger than memory.
      case off
    }
  }
}
