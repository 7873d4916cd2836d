import CrashSupport
import Credits
import Glibc
import Testing

/// The error of a function, if it throws one.
func failure<R>(_ body: () async throws(StoreError) -> R) async -> StoreError? {
  do throws(StoreError) {
    _ = try await body()
    return nil
  } catch { return error }
}

@Suite("Several processes")
struct ProcessTests {
  @Test("G10: a second writer is refused and told who holds the store")
  func secondWriter() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let child = Child(["hold", path])
    _ = await blocking { child.wait(for: "working") }
    let error = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
    #expect(error == .locked(path: path, holder: child.id))
    child.kill()
    let ending = await blocking { child.end(after: "", kill: nil) }
    #expect(ending.signal == SIGKILL)
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await store.close()
  }

  // A second writer used to be let in once somebody had tidied away the lock file of the first.
  @Test("G10: a second writer is refused though the lock file of the first was removed")
  func removedLock() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let child = Child(["hold", path])
    _ = await blocking { child.wait(for: "working") }
    // Safe: the path is a terminated string that outlives the call.
    #expect(unsafe unlink(path + "/writer.lock") == 0)
    let error = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
    #expect(error == .locked(path: path, holder: 0))
    child.kill()
    _ = await blocking { child.end(after: "", kill: nil) }
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await store.close()
  }

  @Test("G10: of two processes that make one store at once, one has it and the other is told so")
  func twoCreators() async throws {
    for _ in 0..<10 {
      let folder = Folder()
      let children = (0..<2).map { _ in Child(["hold", folder.path("store")]) }
      // Both tell something: that they work, or why they do not.
      let first = await blocking { children.map { $0.wait(for: "working") } }
      for child in children { child.kill() }
      let errors = first.joined().compactMap { if case .trouble(let text) = $0 { text } else { nil } }
      for child in children { _ = await blocking { child.end(after: "", kill: nil) } }
      #expect(errors.count == 1 && errors[0].contains("is open for writing in process"), "\(errors)")
      #expect(Folder.names(in: folder.path) == ["store"])
    }
  }

  @Test("G10: a process that opens the store twice is refused the second time")
  func twice() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    let writer = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
    let reader = await failure { () throws(StoreError) in try CreditReader.open(at: path) }
    #expect(writer == .locked(path: path, holder: getpid()))
    #expect(reader == .locked(path: path, holder: getpid()))
    try await store.open("still works")
    try await store.close()
    let again = try CreditStore.open(at: path, settings: Profile.usual.settings)
    try await again.close()
  }

  /// While three processes were started and killed all the time, one of them now and then found a store locked that its
  /// parent had closed: a fourth was just being forked, and had the descriptor of the lock until its exec.
  @Test("a store that is closed is free at once, though another process has inherited its descriptors")
  func inheritedLock() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
    let copies = Folder.names(in: "/proc/self/fd").compactMap(Int32.init).filter { descriptor in
      var target = [CChar](repeating: 0, count: 4_096)
      let count = unsafe readlink("/proc/self/fd/\(descriptor)", &target, target.count)
      let bytes = target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
      return String(decoding: bytes, as: UTF8.self) == path + "/writer.lock"
    }.map { dup($0) }
    #expect(copies.count == 1)
    try await store.close()
    let error = await failure { () throws(StoreError) in
      let again = try CreditStore.open(at: path, settings: Profile.usual.settings)
      try await again.close()
    }
    #expect(error == nil)
    for copy in copies { close(copy) }
  }

  @Test("G4: a reader sees exact balances while another process debits, and versions only rise")
  func readerBesideWriter() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let profile = Profile.tight
    let child = Child(["work", path, "\(profile.rawValue)", "1", "1"])
    var lines = await blocking { child.wait(for: "working") }
    let reader = try CreditReader.open(at: path, settings: Profile.usual.settings)
    // Each balance as it was seen, to be compared with the journal.
    var seen: [(account: AccountID, balance: Balance)] = []
    var versions: [AccountID: SequenceNumber] = [:]
    var dice = Dice(1)
    for _ in 0..<3_000 {
      let account = AccountID(UInt64(dice.roll(1...profile.accounts)))
      guard let balance = try reader.balance(of: account) else { continue }
      #expect(balance.version >= versions[account, default: .none])
      versions[account] = balance.version
      seen.append((account, balance))
    }
    let before = try reader.statistics().last
    child.kill()
    let ending = await blocking { child.end(after: "", kill: nil) }
    lines += ending.lines
    #expect(before > .none)
    var entries: [SequenceNumber: JournalEntry] = [:]
    try reader.forEachEntry { (entry) throws(StoreError) in
      entries[entry.sequence] = entry
      return true
    }
    for (account, balance) in seen {
      let entry = entries[balance.version]
      #expect(entry?.account == account)
      // Time may have let a grant expire or begin since the entry, which the reader takes into account.
      if entry?.available != balance.available {
        let later = entries.values.first {
          $0.previous == balance.version && ($0.kind == .expired || $0.kind == .begun)
        }
        let isLast = try reader.account(account)?.balance.version == balance.version
        #expect(later != nil || isLast, "account \(account): \(balance) but \(entry.map { "\($0)" } ?? "nothing")")
      }
    }
    // What was acknowledged to the child is what the reader sees.
    for case .answered(let key, let reply) in lines where reply.code == 0 {
      let entry = entries[SequenceNumber(reply.sequence)]
      guard entry?.account == AccountID(key.account), entry?.available.millionths == reply.balance else {
        Issue.record("\(key) was answered \(reply), the reader sees \(entry.map { "\($0)" } ?? "nothing")")
        break
      }
    }
    let problem = try await reader.verify().problem
    #expect(problem == nil)
  }

  /// A running store looked for dead readers at its opening only: one that was killed later kept every page that was
  /// freed
  /// since from being used again, and the file grew until the store was reopened.
  @Test("G9: a reader that was killed does not keep freed pages for ever")
  func killedReader() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let store = try CreditStore.open(at: path, settings: Profile.unsynced.settings)
    try await store.open("account")
    let child = Child(["read", path])
    _ = await blocking { child.wait(for: "working") }
    child.kill()
    _ = await blocking { child.end(after: "", kill: nil) }
    // Enough commits for one that looks around.
    for number in 1...1_100 {
      try await store.grant(1, to: "account", source: .allowance, request: RequestID(UInt64(number)))
      if number > 900 { _ = try await store.debit(1, from: "account", request: RequestID(UInt64(10_000 + number))) }
    }
    let ending = await blocking { Child(["stale", path]).end(after: "", kill: nil) }
    guard case .step(let answer)? = ending.lines.first else {
      Issue.record("no answer")
      return
    }
    #expect(answer == "stale: 0")
    try await store.close()
  }
}
