import Credits
import Foundation
import Harness
import Synchronization

/// Threads that read balances as fast as they can until they are told to end.
final class Readers: Sendable {
  private let isOver = Atomic(false)
  private let reads = Atomic(0)
  private let failure = Mutex<(any Error)?>(nil)
  private let ended = DispatchSemaphore(value: 0)
  private let count: Int

  init(_ store: CreditStore, _ distribution: Distribution, count: Int) {
    self.count = count
    for reader in 0..<count {
      Thread.detachNewThread { [self] in
        do { try read(store, distribution, reader) } catch { failure.withLock { $0 = error } }
        ended.signal()
      }
    }
  }

  private func read(_ store: CreditStore, _ distribution: Distribution, _ reader: Int) throws {
    var dice = Dice(reader + 77)
    while !isOver.load(ordering: .relaxed) {
      var sum: Int64 = 0
      for _ in 0..<1_024 {
        sum &+= try store.balance(of: AccountID(UInt64(distribution.next(&dice))))?.available.millionths ?? 0
      }
      precondition(sum > 0, "all accounts have credits")
      reads.add(1_024, ordering: .relaxed)
    }
  }

  /// Ends all threads and answers the reads of all together.
  func end() throws -> Int {
    isOver.store(true, ordering: .relaxed)
    for _ in 0..<count { ended.wait() }
    if let error = failure.withLock({ $0 }) { throw error }
    return reads.load(ordering: .relaxed)
  }
}
