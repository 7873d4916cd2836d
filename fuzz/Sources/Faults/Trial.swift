internal import Credits
internal import FaultSupport
internal import Glibc
internal import Synchronization

/// One scenario with one fault, in a process that has the shim before it.
struct Trial {
  let scenario: Scenario
  let folder: String

  struct Finding: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  /// What was known when the fault struck and afterwards.
  private final class Memory: Sendable {
    private let state = Mutex(Knowledge())
    func learn(_ mark: Mark) { state.withLock { $0.learn(mark) } }
    var knowledge: Knowledge { state.withLock { $0 } }
  }

  /// Counts the calls of a scenario in which nothing goes wrong.
  func count() async throws -> [Shim.Class: Int] {
    Shim.arm(.open, 0, error: 0, .count)
    try await prepare()
    Shim.arm(.open, 0, error: 0, .count)
    let runner = Runner(scenario, in: folder) { _ in }
    try await runner.run(scenario.prelude..<scenario.steps.count)
    return Dictionary(uniqueKeysWithValues: Shim.Class.allCases.map { ($0, Shim.count($0)) })
  }

  /// Makes the store that the scenario begins with; what it knows is for `run` to learn.
  private func prepare(_ memory: Memory = Memory()) async throws {
    for name in Folders.names(in: folder) { Folders.remove(folder + "/" + name) }
    guard scenario.prelude > 0 else { return }
    let runner = Runner(scenario, in: folder) { memory.learn($0) }
    try await runner.run(0..<scenario.prelude)
    try await runner.store?.close()
  }

  /// Runs the scenario with a fault, then looks at the store; answers whether the fault struck.
  func run(_ fault: Fault) async throws -> Bool {
    let memory = Memory()
    try await prepare(memory)
    let runner = Runner(scenario, in: folder) { memory.learn($0) }
    Shim.arm(fault.kind, fault.number, error: fault.error, fault.mode)
    var index = scenario.prelude
    var failure: StoreError?
    while index < scenario.steps.count {
      do throws(StoreError) {
        try await runner.run(index)
        index += 1
      } catch {
        failure = error
        try check(error)
        if case .backup(let name) = scenario.steps[index], Folders.names(in: folder).contains(name),
          fault.kind != .unlink, fault.kind != .rename
        {
          throw Finding("a backup that failed with \(error) is there all the same")
        }
        guard let store = runner.store else { break }
        // A store that failed stays failed; one that could not do one thing does the next.
        if try await isStopped(store, scenario.steps[index]) { break }
        index += 1
      }
    }
    let hasStruck = Shim.fired > 0
    Shim.disarm()
    if let store = runner.store {
      let wasRunning = store.canAfford(.zero, AccountID(1))
      _ = try await isStopped(store, nil)
      runner.forget()
      do throws(StoreError) { try await store.close() } catch {
        try check(error)
        if wasRunning { throw Finding("a store that ran throws at its closing: \(error)") }
      }
    }
    if let failure, !hasStruck { throw Finding("nothing went wrong, and yet: \(failure)") }
    if Shim.openDescriptors > 0 { throw Finding("\(Shim.openDescriptors) descriptors are left open") }
    for name in Folders.names(in: folder) where name.contains(".new-") && fault.kind != .unlink {
      throw Finding("\(name) was left behind")
    }
    try await Examination(scenario, memory.knowledge, in: folder).run()
    return hasStruck
  }

  /// The failure must say what happened.
  private func check(_ error: StoreError) throws {
    switch error {
    case .denied, .overloaded, .clockJumped, .outsideRetention, .unsupportedVersion:
      throw Finding("a fault is answered by \(error)")
    case .corrupt: throw Finding("a fault makes the store look damaged: \(error)")
    default: if "\(error)".isEmpty { throw Finding("an error says nothing") }
    }
  }

  /// Asks for debits: either the store works, or it has stopped for good.
  private func isStopped(_ store: CreditStore, _ step: Step?) async throws -> Bool {
    var errors: [StoreError] = []
    for number in 1...2 as ClosedRange<UInt64> {
      do throws(StoreError) {
        _ = try await store.debit(1, from: AccountID(900), request: RequestID(high: 0xFA17_0002, low: number))
      } catch { errors.append(error) }
    }
    guard !errors.isEmpty else { return false }
    for error in errors { try check(error) }
    if errors.count != 2 { throw Finding("a store that failed with \(errors[0]) works again without a reopening") }
    if store.canAfford(1, AccountID(1)) { throw Finding("a stopped store says that an account can afford something") }
    return true
  }

  // MARK: The worker

  /// `work SCENARIO RESULT SECONDS FROM STRIDE SHARD SHARDS`, or `work SCENARIO RESULT count`, or
  /// `work SCENARIO RESULT one FAULT`.
  static func work(_ arguments: [String]) async {
    guard arguments.count >= 3, let scenario = Scenario.named(arguments[0]) else { fail("work: bad arguments") }
    let folder = Folders.temporary("fault")
    defer { Folders.remove(folder) }
    Shim.watch(folder)
    let trial = Trial(scenario: scenario, folder: folder)
    do {
      if arguments[2] == "count" {
        let counts = try await trial.count()
        let lines = Shim.Class.allCases.map { "\($0) \(counts[$0] ?? 0)" }
        Folders.write(Array(lines.joined(separator: "\n").utf8), to: arguments[1])
      } else if arguments[2] == "one", let fault = Fault(arguments[3]) {
        say(try await trial.run(fault) ? "the fault struck, and nothing is wrong" : "the fault did not strike")
      }
    } catch {
      say("\(error)")
      exit(1)
    }
    guard arguments.count == 4, arguments[2] != "one", let place = Int(arguments[3]) else { return }
    // The faults come in a file, one a line; those before the place are done.
    let faults = String(decoding: Folders.read(arguments[2]), as: UTF8.self).split(separator: "\n").map(String.init)
    var lines: [String] = []
    let deadline = seconds + 3_600
    for (index, line) in faults.enumerated() where index >= place && seconds < deadline {
      guard let fault = Fault(line) else { fail("a bad fault: \(line)") }
      Folders.write(Array("\(index)".utf8), to: arguments[1] + ".current")
      alarm(60)
      do {
        lines.append(try await trial.run(fault) ? "struck" : "missed")
      } catch { lines.append("finding \(scenario.name) \(line): \(error)") }
      alarm(0)
      if index % 16 == 15 || index == faults.count - 1 {
        Folders.append(lines, to: arguments[1])
        lines = []
      }
    }
  }
}
