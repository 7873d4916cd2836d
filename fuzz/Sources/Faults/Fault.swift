internal import FaultSupport
internal import Glibc

/// One way in which one call goes wrong.
struct Fault: CustomStringConvertible {
  let kind: Shim.Class
  let number: Int
  let error: Int32
  let mode: Shim.Mode

  var description: String { "\(kind):\(number):\(error):\(mode)" }

  init(_ kind: Shim.Class, _ number: Int, _ error: Int32, _ mode: Shim.Mode) {
    self.kind = kind
    self.number = number
    self.error = error
    self.mode = mode
  }

  /// Reads what `description` gives.
  init?(_ text: String) {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 4, let kind = Shim.Class.allCases.first(where: { "\($0)" == parts[0] }),
      let number = Int(parts[1]), let error = Int32(parts[2]),
      let mode = Shim.Mode.allCases.first(where: { "\($0)" == parts[3] })
    else { return nil }
    self.init(kind, number, error, mode)
  }

  /// The ways in which calls of a class go wrong.
  static func ways(_ kind: Shim.Class) -> [(error: Int32, mode: Shim.Mode)] {
    switch kind {
    case .write:
      [
        (EIO, .once), (ENOSPC, .once), (EIO, .fromThere), (ENOSPC, .fromThere), (ENOSPC, .short), (EIO, .late),
        (EDQUOT, .once),
      ]
    case .sync: [(EIO, .once), (ENOSPC, .once), (EIO, .fromThere), (EIO, .late)]
    case .open: [(EIO, .once), (EMFILE, .once), (EACCES, .once), (ENOSPC, .once), (EMFILE, .fromThere)]
    case .truncate: [(EIO, .once), (ENOSPC, .once), (EIO, .late)]
    case .mmap: [(ENOMEM, .once), (ENOMEM, .fromThere), (ENODEV, .once)]
    case .rename: [(EIO, .once), (ENOSPC, .once), (EACCES, .once), (EIO, .late)]
    case .unlink: [(EIO, .once), (EIO, .fromThere)]
    case .mkdir: [(EIO, .once), (ENOSPC, .once), (EACCES, .once)]
    case .stat, .fstat: [(EIO, .once), (EACCES, .once), (EIO, .fromThere)]
    case .lock: [(ENOLCK, .once), (EIO, .once), (EAGAIN, .once), (ENOLCK, .fromThere)]
    case .read: [(EIO, .once), (EIO, .fromThere), (0, .short)]
    case .seek: [(EIO, .once), (EIO, .fromThere)]
    case .list: [(EMFILE, .once), (EACCES, .once), (ENOMEM, .once)]
    case .thread: [(EAGAIN, .once), (EAGAIN, .fromThere)]
    }
  }
}
