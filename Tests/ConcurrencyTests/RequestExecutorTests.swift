import Credits
import CrashSupport
import Synchronization
import Testing

@Suite("The executor for requests")
struct RequestExecutorTests {
  @Test("G1, G4: thousands of tasks that debit one account on it take exactly what it has")
  func debits() async throws {
    let test = try TestStore()
    let account = try await test.store.open("shared")
    try await test.store.grant(1_500, to: account, source: .allowance, request: "grant")
    let executor = RequestExecutor()
    let granted = await withTaskGroup(of: Int.self) { group in
      for number in UInt64(1)...2_000 {
        group.addTask(executorPreference: executor) { [store = test.store] in
          guard case .debited = try? await store.debit(1, from: account, request: RequestID(number)) else { return 0 }
          return 1
        }
      }
      return await group.reduce(0, +)
    }
    #expect(granted == 1_500)
    #expect(try test.store.balance(of: account)?.available == 0)
    try await test.store.close()
  }

  private final class Counter: Sendable { let running = Atomic<Int>(0) }

  @Test("runs tasks one at a time, and outlives nobody's use of it")
  func order() async {
    let counter = Counter()
    for _ in 0..<20 {
      let executor = RequestExecutor()
      await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<50 {
          group.addTask(executorPreference: executor) {
            let others = counter.running.wrappingAdd(1, ordering: .relaxed).oldValue
            defer { counter.running.wrappingSubtract(1, ordering: .relaxed) }
            return others == 0
          }
        }
        for await isAlone in group { #expect(isAlone) }
      }
    }
  }

  @Test("may go as soon as its last task ends, though who resumed that has not returned yet")
  func lastUse() async {
    for number in 0..<2_000 {
      let task = Task(executorPreference: RequestExecutor()) { await Task.detached { number }.value }
      #expect(await task.value == number)
    }
  }
}
