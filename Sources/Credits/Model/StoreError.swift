/// Why the store could not do what it was asked: nothing was half-applied, and nothing acknowledged was lost.
public enum StoreError: Error, Hashable, Sendable {
  /// A verb other than a debit was declined by the rules.
  case denied(Denial)
  /// There is no store in the folder, and the settings do not allow to create one.
  case notFound(path: String)
  /// The folder, or a file in it, is no store.
  case notAStore(path: String, reason: String)
  /// Another process, or another part of this one, has the store open for writing.
  case locked(path: String, holder: Int32)
  /// The store was written in a format that this version cannot read.
  case unsupportedVersion(found: UInt32, supported: UInt32)
  /// Bytes of the store are not what was written.
  case corrupt(what: String, at: SequenceNumber, reason: String)
  /// The operating system refuses access.
  case permissionDenied(path: String)
  /// The disk has no space left; the store has stopped.
  case diskFull(path: String)
  /// The store has reached the size of its map; it has stopped. Reopen it with a larger `mapSize`.
  case mapFull(path: String)
  /// Reading or writing failed; the store has stopped.
  case inputOutput(path: String, reason: String)
  /// An earlier failure stopped the store; reopen it.
  case stopped(reason: String)
  /// The store was closed by this process.
  case closed
  /// More callers wait for the store than its settings allow; try again later.
  case overloaded(waiting: Int)
  /// The wall clock jumped ahead by more than the settings allow; changes are refused until it returns or the store is
  /// reopened.
  case clockJumped(from: Timestamp, to: Timestamp)
  /// What was asked for lies in a part of the journal that has been trimmed.
  case outsideRetention(before: SequenceNumber)
  /// A setting or an argument is out of range.
  case invalidArgument(String)
}

extension StoreError: CustomStringConvertible {
  /// What happened, to what, and what to do.
  public var description: String {
    switch self {
    case .denied(let denial): "declined: \(denial.reason)"
    case .notFound(let path): "there is no store at \(path); create one first"
    case .notAStore(let path, let reason): "\(path) is no credit store: \(reason); name another folder"
    case .locked(let path, let holder):
      "the store at \(path) is open for writing in process \(holder); stop that process, or open the store read-only"
    case .unsupportedVersion(let found, let supported):
      "the store has format \(found) and this version reads format \(supported); use the version that wrote it"
    case .corrupt(let what, let sequence, let reason):
      "\(what) at sequence \(sequence) is damaged: \(reason); restore a backup"
    case .permissionDenied(let path): "no permission for \(path); run as the owner of the store"
    case .diskFull(let path): "the disk that holds \(path) is full; make room, then reopen the store"
    case .mapFull(let path): "the store at \(path) fills its map; reopen it with a larger map size"
    case .inputOutput(let path, let reason): "reading or writing \(path) failed: \(reason); check the disk, then reopen"
    case .stopped(let reason): "the store has stopped after a failure (\(reason)); reopen it"
    case .closed: "the store is closed; open it again"
    case .overloaded(let waiting): "\(waiting) callers wait already; try again later"
    case .clockJumped(let from, let to):
      "the wall clock jumped from \(from) to \(to); correct the clock, or reopen the store to accept the new time"
    case .outsideRetention(let sequence): "entries before sequence \(sequence) have been trimmed from the journal"
    case .invalidArgument(let what): what
    }
  }

  /// The stable name of the error, for machines and metrics.
  public var code: String {
    switch self {
    case .denied: "denied"
    case .notFound: "not-found"
    case .notAStore: "not-a-store"
    case .locked: "locked"
    case .unsupportedVersion: "unsupported-version"
    case .corrupt: "corrupt"
    case .permissionDenied: "permission-denied"
    case .diskFull: "disk-full"
    case .mapFull: "map-full"
    case .inputOutput: "input-output"
    case .stopped: "stopped"
    case .closed: "closed"
    case .overloaded: "overloaded"
    case .clockJumped: "clock-jumped"
    case .outsideRetention: "outside-retention"
    case .invalidArgument: "invalid-argument"
    }
  }
}
