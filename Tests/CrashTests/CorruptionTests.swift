import CrashSupport
import Credits
import Glibc
import LMDB
import Testing

@Suite("A store whose files are damaged")
struct CorruptionTests {
  static let accounts: UInt64 = 40
  static let requests: UInt64 = 79

  /// Settings with so short a request window that opening a store does not read all of its journal.
  private static var settings: Settings {
    var settings = Profile.unsynced.settings
    settings.windowRequests = 1_024
    return settings
  }

  /// Makes a store with some hundred debits, closes it, and answers the balances.
  static func make(_ path: String) async throws -> [AccountID: Balance] {
    let store = try CreditStore.open(at: path, settings: Profile.unsynced.settings)
    let accounts = (1...accounts).map { AccountID(high: 0xC4ED_1700_0000_0000 | $0, low: $0) }
    for account in accounts {
      try await store.open(account)
      try await store.grant(100, to: account, source: .allowance, request: "grant")
    }
    let debits = (1...requests).flatMap { request in
      accounts.map { Debit(1.25, from: $0, request: RequestID(request)) }
    }
    for start in stride(from: 0, to: debits.count, by: 100) {
      _ = try await store.debit(Array(debits[start..<min(start + 100, debits.count)]))
    }
    var balances: [AccountID: Balance] = [:]
    for debit in debits { balances[debit.account] = try store.balance(of: debit.account) }
    try await store.close()
    return balances
  }

  /// Everything that opening and using a store may say.
  private struct Findings {
    var error: StoreError?
    var problem: Verification.Problem?
    /// Accounts whose balance is another than it was, without an error.
    var wrong: [AccountID] = []
    /// Accounts whose balance cannot be read.
    var refused: [AccountID] = []
    /// Replays that answered something else than before, without an error.
    var misled = 0
  }

  private func look(_ path: String, _ balances: [AccountID: Balance], isAsking: Bool = false) async -> Findings {
    var findings = Findings()
    do throws(StoreError) {
      let store = try CreditStore.open(at: path, settings: CorruptionTests.settings)
      for (account, balance) in balances {
        do throws(StoreError) {
          if try store.balance(of: account) != balance { findings.wrong.append(account) }
        } catch { findings.refused.append(account) }
        if isAsking { findings.misled += await ask(store, account) }
      }
      do throws(StoreError) { findings.problem = try await store.verify().problem } catch { findings.error = error }
      do throws(StoreError) { try await store.close() } catch { findings.error = findings.error ?? error }
    } catch { findings.error = error }
    return findings
  }

  /// Repeats some requests, and asks for the explanation of others; answers how many answers are wrong, not counting
  /// errors.
  private func ask(_ store: CreditStore, _ account: AccountID) async -> Int {
    var wrong = 0
    func left(after request: UInt64) -> Amount { Amount(millionths: Int64(100_000_000 - 1_250_000 * request)) }
    for request in CorruptionTests.requests - 4...CorruptionTests.requests {
      do throws(StoreError) {
        let outcome = try await store.debit(1.25, from: account, request: RequestID(request))
        guard case .debited(let receipt) = outcome, receipt.isReplay, receipt.amount == 1.25,
          receipt.balance == left(after: request)
        else {
          wrong += 1
          continue
        }
      } catch {}
    }
    do throws(StoreError) {
      for entry in try await store.history(of: account).entries where entry.kind != .granted && entry.kind != .opened {
        guard entry.kind == .debited, let request = entry.request, entry.amount == 1.25,
          entry.available == left(after: request.low), entry.parts.map(\.grant) == [1]
        else {
          wrong += 1
          continue
        }
      }
    } catch {}
    return wrong
  }

  private static func places(of pattern: [UInt8], in bytes: [UInt8]) -> [Int] {
    var places: [Int] = []
    var start = 0
    while let place = bytes[start...].firstIndex(of: pattern[0]), place + pattern.count <= bytes.count {
      if bytes[place..<place + pattern.count] == pattern[...] { places.append(place) }
      start = place + 1
    }
    return places
  }

  private static func word(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
    var value = 0
    for index in (0..<count).reversed() { value = value << 8 | Int(bytes[place + index]) }
    return value
  }

  @Test("G8, G10: a flipped bit in a block is found by verify, and no outcome is told from it")
  func flippedBlockBits() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let balances = try await CorruptionTests.make(path)
    let file = path + "/data.mdb"
    let bytes = File.bytes(of: file)
    var dice = Dice(7)
    // Large blocks lie on pages of their own, which are written once; small ones leave copies on pages no longer in
    // use.
    let blocks = CorruptionTests.places(of: Array("CRJB".utf8), in: bytes).filter { place in
      place + 64 <= bytes.count && CorruptionTests.word(bytes, place + 4, 2) == 1
        && CorruptionTests.word(bytes, place + 12, 4) > 2_048
        && place + 64 + CorruptionTests.word(bytes, place + 12, 4) <= bytes.count
    }
    #expect(blocks.count >= 20)
    var (found, refused) = (0, 0)
    for _ in 0..<100 {
      let place = blocks[dice.roll(0...blocks.count - 1)]
      let length = 64 + CorruptionTests.word(bytes, place + 12, 4)
      let (offset, bit) = (place + dice.roll(0...length - 1), dice.roll(0...7))
      File.flip(bit: bit, of: file, at: offset)
      let findings = await look(path, balances, isAsking: true)
      let what: Comment = "bit \(bit) of byte \(offset - place) of the block at \(place)"
      #expect(findings.misled == 0, what)
      #expect(findings.wrong.isEmpty, what)
      if let problem = findings.problem {
        found += 1
        #expect(problem.sequence != .none, what)
      } else if case .corrupt(_, let sequence, _) = findings.error {
        refused += 1
        #expect(sequence != .none, what)
      } else {
        Issue.record("\(what) was not found")
      }
      File.write(bytes, to: file)
      File.cut(file, to: bytes.count)
    }
    print("blocks: \(found) found by verify, \(refused) refused at opening")
    #expect(found > 0 && refused > 0)
  }

  @Test("G8, G10: a flipped bit in an image is an error where the account is touched, and verify names it")
  func flippedImageBits() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let balances = try await CorruptionTests.make(path)
    let file = path + "/data.mdb"
    let bytes = File.bytes(of: file)
    var dice = Dice(8)
    var (found, unused) = (0, 0)
    for (account, _) in balances.sorted(by: { $0.key.low < $1.key.low }).prefix(20) {
      let id = withUnsafeBytesOf(account)
      // An image has a header of 16 bytes before the id, and begins with its version.
      let images = CorruptionTests.places(of: id, in: bytes).map { $0 - 16 }.filter { place in
        place > 0 && CorruptionTests.word(bytes, place, 4) == 1
          && (112...1_000).contains(CorruptionTests.word(bytes, place + 4, 4))
      }
      var isFound = false
      for place in images {
        let length = CorruptionTests.word(bytes, place + 4, 4)
        let (offset, bit) = (place + dice.roll(0...length - 1), dice.roll(0...7))
        File.flip(bit: bit, of: file, at: offset)
        let findings = await look(path, balances)
        let what: Comment = "bit \(bit) of byte \(offset - place) of the image at \(place)"
        #expect(findings.wrong.isEmpty, what)
        if findings.problem != nil || findings.error != nil {
          // Bytes of an old image may by now be those of something else, which is then what is named.
          let named = findings.problem?.account
          isFound = isFound || findings.error != nil || named == account
          #expect(findings.refused.isEmpty || findings.error != nil || findings.refused == [named], what)
          #expect(findings.error != nil || named != nil || findings.problem?.sequence != SequenceNumber.none, what)
        } else {
          unused += 1
          #expect(findings.refused.isEmpty, what)
        }
        File.write(bytes, to: file)
        File.cut(file, to: bytes.count)
      }
      #expect(isFound, "account \(account)")
      if isFound { found += 1 }
    }
    print("images: \(found) found, \(unused) in pages that are not in use")
  }

  private func withUnsafeBytesOf(_ account: AccountID) -> [UInt8] {
    [account.high, account.low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }

  @Test("G10: a file that was cut off is refused, or found by verify, and never crashes")
  func truncated() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let balances = try await CorruptionTests.make(path)
    let file = path + "/data.mdb"
    let bytes = File.bytes(of: file)
    let sizes = [0, 1, 100, 4_095, 4_096, 8_191, 8_192, 12_288, bytes.count / 2, bytes.count - 4_096, bytes.count - 1]
    for size in sizes {
      File.cut(file, to: size)
      let findings = await look(path, balances)
      #expect(findings.error != nil || findings.problem == nil && findings.wrong.isEmpty, "\(size) bytes")
      if size < bytes.count - 4_096 {
        let isTyped =
          switch findings.error {
          case .corrupt, .notAStore: true
          default: false
          }
        #expect(isTyped, "\(size) bytes: \(findings.error.map(\.description) ?? "no error")")
      }
      File.cut(file, to: 0)
      File.write(bytes, to: file)
    }
    let findings = await look(path, balances)
    #expect(findings.error == nil && findings.problem == nil && findings.wrong.isEmpty)
  }

  @Test("G10: another format version is refused by name")
  func otherVersion() async throws {
    let folder = Folder()
    let path = folder.path("store")
    _ = try await CorruptionTests.make(path)
    var settings = Environment.Settings()
    settings.mapSize = 1 << 30
    let environment = try Environment.open(at: path, settings: settings)
    let meta = try environment.openTables([.init("meta", keys: .bytes)])[0]
    var words = [UInt64](repeating: 5, count: 7)
    words[0] = 2
    let all = words + [unsafe Checksum.of(words.span.bytes)]
    let name = Array("identity".utf8)
    var transaction = try environment.beginWrite()
    unsafe try transaction.put(all.span.bytes, for: name.span.bytes, in: meta)
    try transaction.commit()
    environment.close()
    let writer = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
    let reader = await failure { () throws(StoreError) in try CreditReader.open(at: path) }
    #expect(writer == .unsupportedVersion(found: 2, supported: 1))
    #expect(reader == .unsupportedVersion(found: 2, supported: 1))
  }

  @Test("G10: an empty folder becomes a store")
  func emptyFolder() async throws {
    let folder = Folder()
    mkdirOrStop(folder.path("store"))
    let store = try CreditStore.open(at: folder.path("store"), settings: Profile.usual.settings)
    try await store.open("account")
    try await store.close()
    #expect(Folder.names(in: folder.path) == ["store"])
  }

  /// A folder with nothing but a writer's lock passed for an empty one, and then could not be replaced.
  @Test("G10: a store that has lost its data file is refused")
  func lostData() async throws {
    let folder = Folder()
    let path = folder.path("store")
    _ = try await CorruptionTests.make(path)
    for file in ["data.mdb", "lock.mdb"] { Folder.remove(path + "/" + file) }
    let error = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
    if case .notAStore = error {} else { Issue.record("\(error.map { "\($0)" } ?? "opened")") }
    #expect(Folder.names(in: path) == ["writer.lock"])
  }

  @Test("G10: what is no store is refused and left as it is")
  func noStore() async throws {
    let folder = Folder()
    let other = folder.path("other")
    mkdirOrStop(other)
    File.write([1, 2, 3], to: other + "/letters.txt")
    let plain = folder.path("plain")
    File.write([1, 2, 3], to: plain)
    let garbage = folder.path("garbage")
    mkdirOrStop(garbage)
    var dice = Dice(3)
    let noise = (0..<100_000).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
    File.write(noise, to: garbage + "/data.mdb")
    let foreign = folder.path("foreign")
    mkdirOrStop(foreign)
    let environment = try Environment.open(at: foreign, settings: Environment.Settings())
    _ = try environment.openTables([.init("something else", keys: .bytes)])
    environment.close()
    for path in [other, plain, garbage, foreign] {
      let writer = await failure { () throws(StoreError) in try CreditStore.open(at: path) }
      let reader = await failure { () throws(StoreError) in try CreditReader.open(at: path) }
      if case .notAStore(path, _) = writer {} else { Issue.record("\(path): \(writer.map { "\($0)" } ?? "opened")") }
      switch reader {
      case .notAStore, .notFound: break
      default: Issue.record("\(path): \(reader.map { "\($0)" } ?? "opened")")
      }
    }
    #expect(Folder.names(in: other) == ["letters.txt"])
    #expect(File.bytes(of: plain) == [1, 2, 3])
    #expect(File.bytes(of: garbage + "/data.mdb") == noise)
    var settings = Profile.usual.settings
    settings.creation = .never
    let missing = await failure { () throws(StoreError) in
      try CreditStore.open(at: folder.path("missing"), settings: settings)
    }
    #expect(missing == .notFound(path: folder.path("missing")))
  }

  @Test("G10: a user without permission is told so")
  func noPermission() async throws {
    guard geteuid() == 0 else {
      // Without root's rights there is nobody whom this process could become.
      return
    }
    let folder = Folder()
    let path = folder.path("store")
    _ = try await CorruptionTests.make(path)
    _ = unsafe chmod(folder.path, 0o755)
    let ending = await blocking { Child(["nobody", path]).end(after: "", kill: nil) }
    let steps = ending.lines.compactMap { if case .step(let text) = $0 { text } else { nil } }
    #expect(steps == ["writer: permission-denied", "reader: permission-denied"])
    let place = await blocking { Child(["nobody", folder.path("new")]).end(after: "", kill: nil) }
    let first = place.lines.compactMap { if case .step(let text) = $0 { text } else { nil } }.first
    #expect(first == "writer: permission-denied")
  }

  private func mkdirOrStop(_ path: String) {
    precondition(unsafe mkdir(path, 0o700) == 0, "\(path) could not be made")
  }
}
