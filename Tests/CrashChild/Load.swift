import Credits
import CrashSupport

/// Debits, grants and the like from several tasks at once, each told before it is asked for and after it is acknowledged.
struct Load: Sendable {
  let store: CreditStore
  let profile: Profile
  let seed: UInt64
  let round: Int

  /// Opens all accounts that are not there yet, and gives them something to spend.
  func prepare() async throws(StoreError) {
    var missing: [Operation] = []
    for number in 1...UInt64(profile.accounts) where try store.balance(of: AccountID(number)) == nil {
      missing.append(Operation(.open, key(number, worker: 99, number)))
    }
    await all(missing)
    await all(
      missing.map { Operation(.grant, key($0.key.account, worker: 98, $0.key.account), amount: 500) })
  }

  private func all(_ operations: [Operation]) async {
    await withTaskGroup { group in
      for lane in 0..<64 {
        group.addTask {
          for index in stride(from: lane, to: operations.count, by: 64) { await run(operations[index]) }
        }
      }
    }
  }

  /// Works in six tasks until a number of steps is done by each; without end by default.
  func work(steps: Int = .max) async {
    await withTaskGroup { group in
      for worker in 1...6 { group.addTask { await work(as: worker, steps: steps) } }
      if profile == .retaining { group.addTask { await trim(steps: steps) } }
    }
  }

  private func key(_ account: UInt64, worker: Int, _ number: UInt64) -> Operation.Key {
    Operation.Key(
      account: account, request: RequestID(high: UInt64(round) << 32 | UInt64(worker), low: number))
  }

  private func work(as worker: Int, steps: Int) async {
    var dice = Dice(seed &+ UInt64(round) &* 1_000 &+ UInt64(worker))
    var number: UInt64 = 0
    var earlier: (operation: Operation, reply: Reply)?
    func next() -> Operation.Key {
      number += 1
      return key(UInt64(dice.roll(1...profile.accounts)), worker: worker, number)
    }
    func debit() -> Operation {
      let amount = Amount(millionths: Int64(dice.roll(1...9_000_000)))
      return Operation(dice.roll(1...10) == 1 ? .upTo : .debit, next(), amount: amount)
    }
    for _ in 0..<steps {
      switch dice.roll(1...100) {
      case 1...60:
        let operation = debit()
        let reply = await run(operation)
        if dice.roll(1...8) == 1 { earlier = (operation, reply) }
      case 61...70:
        var operations: [Operation] = []
        for _ in 0..<dice.roll(2...40) { operations.append(debit()) }
        await run(batch: operations)
      case 71...82: await apply(debit())
      case 83...92:
        let key = next()
        await run(grant(&dice, key))
      case 93: await run(Operation(.freeze, next()))
      case 94: await run(Operation(.unfreeze, next()))
      case 95:
        if dice.roll(1...10) == 1 { await run(Operation(.close, next())) }
      default:
        guard let (operation, reply) = earlier else { break }
        let again = await run(operation, isRepeated: true)
        if again.outcome != reply.outcome { Output.fail("\(operation) was answered \(reply), and again \(again)") }
        earlier = nil
      }
    }
  }

  private func grant(_ dice: inout Dice, _ key: Operation.Key) -> Operation {
    let amount = Amount(millionths: Int64(dice.roll(1...40_000_000)))
    let now = WallClock.now
    let expires = dice.roll(1...2) == 1 ? now + .milliseconds(dice.roll(5...300)) : .never
    let starts = dice.roll(1...4) == 1 ? now + .milliseconds(dice.roll(1...4)) : .zero
    return Operation(.grant, key, amount: amount, starts: starts, expires: expires)
  }

  @discardableResult
  private func run(_ operation: Operation, isRepeated: Bool = false) async -> Reply {
    if !isRepeated { Output.write([.asked(operation)]) }
    do throws(StoreError) {
      let reply = try await operation.perform(on: store)
      if !isRepeated { Output.write([.answered(operation.key, reply)]) }
      return reply
    } catch { Output.fail("\(operation): \(error)") }
  }

  private func run(batch operations: [Operation]) async {
    Output.write(operations.map { .asked($0) })
    do throws(StoreError) {
      let outcomes = try await store.debit(operations.compactMap(\.debit))
      Output.write(zip(operations, outcomes).map { .answered($0.key, Reply($1)) })
    } catch { Output.fail("a batch: \(error)") }
  }

  /// A debit that is acknowledged when it is applied, and told when it is durable.
  private func apply(_ operation: Operation) async {
    guard let debit = operation.debit else { return }
    Output.write([.asked(operation)])
    do throws(StoreError) {
      let outcome = try await store.debit(debit, acknowledge: .applied)
      if case .debited(let receipt) = outcome { try await store.sync(receipt) } else { try await store.sync() }
      Output.write([.answered(operation.key, Reply(outcome))])
    } catch { Output.fail("\(operation): \(error)") }
  }

  private func trim(steps: Int) async {
    for _ in 0..<steps {
      do throws(StoreError) {
        _ = try await store.trim(before: WallClock.now)
        try? await Task.sleep(for: .milliseconds(5))
      } catch { Output.fail("trim: \(error)") }
    }
  }
}
