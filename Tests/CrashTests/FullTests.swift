import CrashSupport
import Credits
import Glibc
import Testing

@Suite("A store that has no room left")
struct FullTests {
  /// What came of debits until the store stopped.
  private struct Course {
    var acknowledged: [RequestID: Outcome] = [:]
    var errors: [StoreError] = []
  }

  /// Debits from many tasks at once until each gets an error.
  private func fill(_ store: CreditStore) async throws -> Course {
    try await store.open(AccountID(1))
    try await store.grant(1_000_000, to: AccountID(1), source: .allowance, request: "grant")
    return await withTaskGroup(of: Course.self) { group in
      for worker in 1...8 as ClosedRange<UInt64> {
        group.addTask {
          var course = Course()
          for step in 0..<100_000 as Range<UInt64> {
            let debits = (0..<20).map { index in
              Debit(0.000001, from: AccountID(1), request: RequestID(high: worker, low: 20 * step + index))
            }
            do throws(StoreError) {
              for (debit, outcome) in zip(debits, try await store.debit(debits)) {
                course.acknowledged[debit.request] = outcome
              }
            } catch {
              course.errors.append(error)
              return course
            }
          }
          return course
        }
      }
      var all = Course()
      for await course in group {
        all.acknowledged.merge(course.acknowledged) { first, _ in first }
        all.errors += course.errors
      }
      return all
    }
  }

  /// Checks that a store has stopped and says so, whatever is asked.
  private func expectStopped(_ store: CreditStore, by error: StoreError) async {
    let debit = await failure { () throws(StoreError) in
      try await store.debit(1, from: AccountID(1), request: "late")
    }
    let grant = await failure { () throws(StoreError) in
      try await store.grant(1, to: AccountID(1), source: .allowance, request: "late grant")
    }
    let sync = await failure { () throws(StoreError) in try await store.sync() }
    let trim = await failure { () throws(StoreError) in try await store.trim(before: WallClock.now) }
    #expect(debit == error)
    #expect(grant == error)
    #expect(sync == error)
    #expect(trim == error)
    #expect(!store.canAfford(1, AccountID(99)))
    let closing = await failure { () throws(StoreError) in try await store.close() }
    #expect(closing == error)
  }

  /// Checks that a store that has room again has all that was acknowledged.
  private func expectWhole(_ path: String, _ course: Course) async throws {
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    for (request, outcome) in course.acknowledged {
      let again = try await store.debit(0.000001, from: AccountID(1), request: request)
      guard case .debited(let receipt) = again, case .debited(let first) = outcome, receipt.isReplay,
        receipt.sequence == first.sequence, receipt.balance == first.balance
      else {
        Issue.record("\(request) was answered \(outcome), and again \(again)")
        break
      }
    }
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }

  @Test("G10: a full map stops the store with an error that says so; nothing acknowledged is lost")
  func fullMap() async throws {
    let folder = Folder()
    var settings = Profile.usual.settings
    settings.mapSize = 1 << 20
    let store = try CreditStore.open(at: folder.path("store"), settings: settings)
    let course = try await fill(store)
    #expect(course.errors == Array(repeating: .mapFull(path: folder.path("store")), count: 8))
    #expect(course.acknowledged.count > 100)
    await expectStopped(store, by: .mapFull(path: folder.path("store")))
    try await expectWhole(folder.path("store"), course)
  }

  @Test("G10: a full disk stops the store with an error that says so; nothing acknowledged is lost")
  func fullDisk() async throws {
    let folder = Folder()
    // Safe: all arguments are terminated strings that outlive the calls.
    guard unsafe mount("none", folder.path, "tmpfs", 0, "size=2m") == 0 else {
      // Who may not mount a small file system has the limit on file sizes below.
      return
    }
    defer { _ = unsafe umount2(folder.path, 0) }
    let path = folder.path("store")
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    let course = try await fill(store)
    print("a full disk: \(course.errors[0].code), after \(course.acknowledged.count) debits")
    #expect(course.errors == Array(repeating: .diskFull(path: path), count: 8))
    await expectStopped(store, by: course.errors[0])
    #expect(unsafe mount("none", folder.path, "tmpfs", UInt(MS_REMOUNT), "size=64m") == 0)
    try await expectWhole(path, course)
  }

  // The lock file had holes: on a full disk the first reader that needed another of its pages died of a signal.
  @Test("G10: a full disk does not keep readers out, however many")
  func readersOnFullDisk() async throws {
    let folder = Folder()
    // Safe: all arguments are terminated strings that outlive the calls.
    guard unsafe mount("none", folder.path, "tmpfs", 0, "size=2m") == 0 else { return }
    defer { _ = unsafe umount2(folder.path, 0) }
    let path = folder.path("store")
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await store.open("first")
    _ = await blocking { () -> Int in
      let junk = unsafe open(folder.path + "/junk", O_WRONLY | O_CREAT, 0o600)
      defer { close(junk) }
      var bytes = [UInt8](repeating: 1, count: 4_096)
      while unsafe write(junk, &bytes, bytes.count) > 0 {}
      return 0
    }
    let ending = await blocking { Child(["readers", path]).end(after: "", kill: nil) }
    #expect(ending.signal == 0)
    let steps = ending.lines.compactMap { if case .step(let text) = $0 { text } else { nil } }
    #expect(steps == ["200 readers"])
    try? await store.close()
  }

  @Test("G10: a limit on file sizes stops the store; nothing acknowledged is lost")
  func fileLimit() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let ending = await blocking { Child(["limit", path, "1500000"]).end(after: "", kill: nil) }
    let steps = ending.lines.compactMap { if case .step(let text) = $0 { text } else { nil } }
    let troubles = ending.lines.compactMap { if case .trouble(let text) = $0 { text } else { nil } }
    print("a limit on file sizes: \(steps)")
    #expect(ending.signal == 0 && ending.code == 0 && troubles.isEmpty, "\(troubles)")
    #expect(steps.count == 2)
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    var count = 0
    for case .answered(let key, let reply) in ending.lines {
      count += 1
      let again = Reply(
        try await store.debit(Amount(millionths: 1), from: AccountID(key.account), request: key.request))
      #expect(again.isReplay && again.outcome == reply)
    }
    #expect(count > 1_000)
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
  }

  // Tables that got no address space used to end the process with a trap.
  @Test("G10: settings that need more address space than there is are refused; smaller ones then work")
  func noMemory() async throws {
    let folder = Folder()
    let ending = await blocking { Child(["memory", folder.path("store")]).end(after: "", kill: nil) }
    let steps = ending.lines.compactMap { if case .step(let text) = $0 { text } else { nil } }
    #expect(ending.signal == 0)
    #expect(steps == ["invalid-argument", "opened"])
  }
}
