internal import LMDB

/// Keeps the data file longer than it need be, so that small commits do not change its length.
///
/// The sync of a file that became longer also waits for the journal of the file system, which can take as long as the
/// sync itself. Zeros that were written ahead save that, for all the commits that fill them. Large commits go without:
/// they would only write twice as much.
struct Runway {
  /// The length of the file as far as it is known, in bytes.
  private var end = 0
  private var isOver = false

  private static let least = 64 << 10
  private static let most = 1 << 20

  /// Sees to it that the file is some pages longer than what is in use.
  ///
  /// Where that fails, on a full disk for example, it is given up: what is needed will be asked for anyway.
  mutating func extend(_ transaction: inout WriteTransaction) {
    let used = transaction.usedBytes
    guard !isOver, end < used + Runway.least else { return }
    do throws(LMDBError) {
      end = try transaction.extendFile(to: used + max(Runway.least, min(used / 8, Runway.most)) + Runway.least)
      isOver = end < used + Runway.least
    } catch { isOver = true }
  }
}
