package import Harness
internal import Foundation
internal import Synchronization

/// Loads a peer from as many threads as a form has sessions.
package final class PeerDriver: Sendable {
  private let peer: any Peer
  private let distribution: Distribution
  private let folder: String
  private let run = Atomic(0)
  /// All that was debited, in millionths.
  private let all = Atomic(0)

  package init(_ peer: any Peer, _ distribution: Distribution, folder: String) {
    self.peer = peer
    self.distribution = distribution
    self.folder = folder
  }

  /// Shows that a peer is set up rightly: a debit goes through once, its repetition does not, nor does too large a one.
  package func check(_ form: PeerForm, _ durability: PeerDurability) throws {
    let session = try peer.session(form, durability)
    defer { session.close() }
    let before = try peer.total(of: 1...1)
    let number = UInt64(run.add(1, ordering: .relaxed).newValue) << 32 | 1 << 31
    func debit(_ amount: Int64, _ request: UInt64) -> PeerDebit {
      PeerDebit(account: 1, amount: amount, high: number, low: request)
    }
    func expect(_ debits: [PeerDebit], _ count: Int, _ otherwise: String) throws {
      guard try session.debit(debits) == count else { throw PeerFailure(peer.name, form.name, otherwise) }
    }
    try expect([debit(3, 1)], 1, "a debit was refused")
    try expect([debit(3, 1)], 0, "a request counted twice")
    try expect([debit(.max / 4, 2)], 0, "an account was overspent")
    if form.batch > 1 { try expect([debit(3, 4), debit(3, 4), debit(.max / 4, 3)], 1, "a batch is not told apart") }
    let spent: Int64 = form.batch > 1 ? 6 : 3
    guard try peer.total(of: 1...1) == before - spent else {
      throw PeerFailure(peer.name, form.name, "the balance of an account is wrong after some debits")
    }
    all.add(Int(spent), ordering: .relaxed)
  }

  /// Shows that what all accounts have lost is what was debited.
  package func checkTotal(accounts: Int, balance: Int64) throws {
    let left = try peer.total(of: 1...accounts)
    guard left == Int64(accounts) * balance - Int64(all.load(ordering: .relaxed)) else {
      throw PeerFailure(peer.name, "check", "what accounts have lost is not what was debited")
    }
  }

  /// Debits one credit at a time for some seconds; each debit of a batch has the latency of the batch.
  package func measure(_ form: PeerForm, _ durability: PeerDurability, seconds: Double) throws -> Run {
    let number = run.add(1, ordering: .relaxed).newValue
    let sessions = try (0..<form.sessions).map { _ in try peer.session(form, durability) }
    defer { sessions.forEach { $0.close() } }
    let latencies = Latencies()
    let tally = Tally()
    let ended = DispatchSemaphore(value: 0)
    let meter = Meter(folder: folder, servers: peer.server.map { [$0] } ?? [])
    let end = ContinuousClock.now + .seconds(seconds)
    for (index, session) in sessions.enumerated() {
      let thread = Thread { [distribution] in
        var dice = Dice(number * 1_000_003 + index)
        var times: [Int64] = []
        var count = 0
        do {
          var batch: [PeerDebit] = []
          var start = ContinuousClock.now
          while start < end {
            batch.removeAll(keepingCapacity: true)
            for offset in 0..<form.batch {
              batch.append(
                PeerDebit(
                  account: distribution.next(&dice), amount: 1_000_000, high: UInt64(number) << 32 | UInt64(index),
                  low: UInt64(count + offset)))
            }
            start = .now
            let done = try session.debit(batch)
            let after = ContinuousClock.now
            guard done == form.batch else {
              throw PeerFailure("a peer", form.name, "\(form.batch - done) of \(form.batch) debits were refused")
            }
            times.append((after - start).nanoseconds)
            count += done
            start = after
          }
        } catch {
          tally.fail(error)
        }
        latencies.record(times)
        tally.add(count)
        ended.signal()
      }
      thread.stackSize = 256 << 10
      thread.start()
    }
    for _ in sessions { ended.wait() }
    if let error = tally.failure { throw error }
    all.add(tally.total * 1_000_000, ordering: .relaxed)
    return meter.end(debits: tally.total, latencies: latencies)
  }
}

/// What the threads of a run have done together.
private final class Tally: Sendable {
  private let state = Mutex<(total: Int, failure: (any Error)?)>((0, nil))

  func add(_ count: Int) { state.withLock { $0.total += count } }
  func fail(_ error: any Error) { state.withLock { $0.failure = $0.failure ?? error } }
  var total: Int { state.withLock { $0.total } }
  var failure: (any Error)? { state.withLock { $0.failure } }
}
