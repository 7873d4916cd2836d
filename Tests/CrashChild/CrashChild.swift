import Credits
import CrashSupport
import CreditsTesting
import Glibc
import LMDB

/// What the tests start as a process of its own, mostly to kill it.
@main
enum CrashChild {
  static func main() async {
    let words = Array(CommandLine.arguments.dropFirst())
    guard words.count >= 2 else { Output.fail("name a task and a path") }
    let numbers = words.dropFirst(2).map { Int($0) ?? 0 }
    do throws(StoreError) {
      switch words[0] {
      case "work", "close", "backup": try await work(words[0], at: words[1], numbers)
      case "fire": try await fire(words[1], numbers)
      case "charge": try await charge(words[1], numbers)
      case "create": try await create(in: words[1])
      case "hold": try await hold(words[1])
      case "stale": try stale(words[1])
      case "read": try read(words[1])
      case "nobody": asNobody(words[1])
      case "readers": try readers(words[1])
      case "memory": try await memory(words[1])
      case "limit": try await limit(words[1], bytes: numbers[0])
      default: Output.fail("there is no task \(words[0])")
      }
    } catch { Output.fail("\(error)") }
  }

  /// Arguments: profile, seed, round.
  private static func work(_ task: String, at path: String, _ numbers: [Int]) async throws(StoreError) {
    guard numbers.count == 3, let profile = Profile(rawValue: numbers[0]) else { Output.fail("bad arguments") }
    let store = try CreditStore.open(at: path, settings: profile.settings)
    let load = Load(store: store, profile: profile, seed: UInt64(numbers[1]), round: numbers[2])
    try await load.prepare()
    switch task {
    case "close":
      await load.work(steps: 20)
      Output.step("working")
      try await store.close()
      Output.step("closed")
    case "backup":
      await load.work(steps: 20)
      let endless = Task {
        await Load(store: store, profile: profile, seed: UInt64(numbers[1]) + 1, round: numbers[2] + 1_000).work()
      }
      Output.step("working")
      // One after the other, so that a kill meets one in the making.
      for number in 0..<1_000_000 {
        try await store.backup(to: path + ".backup-\(numbers[2])-\(number)")
        Output.step("copied")
      }
      await endless.value
    default:
      Output.step("working")
      await load.work()
    }
  }

  /// Buys credits under fire until it is killed. Arguments: accounts, seed, round, the last step of the round before.
  private static func fire(_ path: String, _ numbers: [Int]) async throws(StoreError) {
    guard numbers.count == 4 else { Output.fail("bad arguments") }
    let (seed, round) = (UInt64(numbers[1]), numbers[2])
    let clock = StoreClock.Manual(Fire.beginning(of: round))
    let store = try CreditStore.open(at: path, settings: Fire.settings(clock, round: round))
    let calls = seed &+ UInt64(round) &* 1_000_000_007
    let gateway = ScriptedGateway(
      clock: clock, memory: path + ".gateway", notices: NoticeScript(seed: calls, copies: 0...3, lateness: 0...6),
      notify: { key, outcome in
        do throws(StoreError) { try await store.report(outcome, ofChargeWithKey: key) } catch {
          Output.fail("the notice \(outcome) of \(key): \(error)")
        }
      },
      script: { _, call in FireLoad.act(calls, call) })
    let load = FireLoad(
      store: store, gateway: gateway, clock: clock, accounts: numbers[0], seed: seed, round: round)
    try await load.run(after: numbers[3])
  }

  /// Makes one charge up to a step, and dies there. Arguments: cause, step.
  private static func charge(_ path: String, _ numbers: [Int]) async throws(StoreError) {
    guard numbers.count == 2, let cause = ChargeCause(rawValue: numbers[0]),
      let last = ChargeStep(rawValue: numbers[1])
    else { Output.fail("bad arguments") }
    try await ChargeSteps(path: path, cause: cause, last: last).run()
  }

  /// Makes store after store until it is killed.
  private static func create(in folder: String) async throws(StoreError) {
    Output.step("working")
    for number in 0..<1_000_000 {
      let store = try CreditStore.open(at: folder + "/\(number)", settings: Profile.unsynced.settings)
      try await store.open("first")
      Output.step("made")
      try await store.close()
    }
  }

  /// Holds a store open for writing until it is killed.
  private static func hold(_ path: String) async throws(StoreError) {
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    Output.step("working")
    while true { try? await Task.sleep(for: .seconds(60)) }
    _ = store
  }

  /// Tells how many readers of a store are dead and not yet cleared away.
  private static func stale(_ path: String) throws(StoreError) {
    var settings = Environment.Settings()
    settings.mapSize = 1 << 30
    settings.access = .readOnly
    do throws(LMDBError) {
      Output.step("stale: \(try Environment.open(at: path, settings: settings).clearStaleReaders())")
    } catch { Output.fail("\(error)") }
  }

  /// Stands in the middle of reading a store's journal until it is killed.
  private static func read(_ path: String) throws(StoreError) {
    let reader = try CreditReader.open(at: path, settings: Profile.usual.settings)
    try reader.forEachEntry { (_) throws(StoreError) in
      Output.step("working")
      while true { sleep(60) }
    }
  }

  /// Reads a store with 200 readers at once.
  private static func readers(_ path: String) throws(StoreError) {
    let reader = try CreditReader.open(at: path, settings: Profile.usual.settings)
    func nest(_ depth: Int) throws(StoreError) {
      guard depth > 0 else { return Output.step("200 readers") }
      try reader.forEachEntry { (_) throws(StoreError) in
        try nest(depth - 1)
        return false
      }
    }
    try nest(200)
  }

  /// Gives up all rights, and tells the errors of opening the store in each way.
  private static func asNobody(_ path: String) {
    guard setgid(65_534) == 0, setuid(65_534) == 0 else { Output.fail("rights could not be given up") }
    do throws(StoreError) {
      _ = try CreditStore.open(at: path, settings: Profile.usual.settings)
      Output.step("writer: opened")
    } catch { Output.step("writer: \(error.code)") }
    do throws(StoreError) {
      _ = try CreditReader.open(at: path, settings: Profile.usual.settings)
      Output.step("reader: opened")
    } catch { Output.step("reader: \(error.code)") }
  }

  /// Debits until files may not grow further, then tells what it got.
  private static func limit(_ path: String, bytes: Int) async throws(StoreError) {
    signal(SIGXFSZ, SIG_IGN)
    var most = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    guard unsafe setrlimit(__rlimit_resource_t(1), &most) == 0 else { Output.fail("no limit could be set") }
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await store.open(AccountID(1))
    try await store.grant(1_000_000, to: AccountID(1), source: .allowance, request: "grant")
    var number: UInt64 = 1
    while true {
      let batch = (0..<200).map { offset in
        Operation(
          .debit, Operation.Key(account: 1, request: RequestID(high: 1, low: number + offset)),
          amount: Amount(millionths: 1))
      }
      number += 200
      do throws(StoreError) {
        let outcomes = try await store.debit(batch.compactMap(\.debit))
        Output.write(zip(batch, outcomes).map { .answered($0.key, Reply($1)) })
      } catch {
        Output.step("failed: \(error.code)")
        do throws(StoreError) { _ = try await store.debit(1, from: AccountID(1), request: "late") } catch {
          Output.step("later: \(error.code)")
        }
        return
      }
    }
  }

  /// Opens a store whose tables need more address space than there is, then one that fits, and tells what it got.
  private static func memory(_ path: String) async throws(StoreError) {
    var most = rlimit(rlim_cur: 3 << 30, rlim_max: 3 << 30)
    // RLIMIT_AS. Safe: the pointer is to a local value and does not outlive the call.
    guard unsafe setrlimit(__rlimit_resource_t(9), &most) == 0 else { Output.fail("no limit could be set") }
    var settings = Profile.usual.settings
    settings.residentAccounts = 1 << 26
    do throws(StoreError) {
      _ = try CreditStore.open(at: path, settings: settings)
      Output.step("opened")
    } catch { Output.step(error.code) }
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await store.open("works")
    try await store.close()
    Output.step("opened")
  }
}
