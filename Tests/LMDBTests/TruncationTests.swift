import LMDB
import Testing

/// LMDB maps its file and crashes with `SIGBUS` when it touches a page beyond the file's end.
@Suite("A data file that is too short")
struct TruncationTests {
  @Test("is refused with the sizes, wherever it was cut")
  func truncated() throws {
    let store = try Store()
    try store.fill(1...5_000)
    let size = try store.environment.dataFileSize()
    store.environment.close()
    for cut in [size - 1, size - 4_096, size / 2, 12_288, 8_193, 8_192, 4_400] {
      resizeFile(store.folder.dataFile, to: cut)
      for access in [Environment.Settings.Access.readWrite, .readOnly] {
        let code = openFailure(at: store.folder.path) { $0.access = access }
        #expect(code == .truncated(expected: size, actual: cut))
      }
    }
  }

  @Test("is refused if not even the header is left")
  func noHeader() throws {
    let store = try Store()
    store.environment.close()
    for cut in [4_096, 100, 1] {
      resizeFile(store.folder.dataFile, to: cut)
      let code = openFailure(at: store.folder.path)
      #expect(code == .invalidFile)
    }
  }

  @Test("is refused if it is empty, rather than taken for a new store")
  func empty() throws {
    let store = try Store()
    try store.fill([1])
    store.environment.close()
    resizeFile(store.folder.dataFile, to: 0)
    for access in [Environment.Settings.Access.readWrite, .readOnly] {
      let code = openFailure(at: store.folder.path) { $0.access = access }
      #expect(code == .truncated(expected: 8_192, actual: 0))
    }
    #expect(fileSize(store.folder.dataFile) == 0)
  }

  /// The story: LMDB never writes a page that one transaction took and freed, so a sound file may end before its last
  /// page. A plain comparison of sizes refused a sound store after one in a thousand commits of mixed puts and
  /// deletions. The cases have a free list within one page, in overflow pages, and in a tree of several pages.
  @Test(
    "is accepted if only free pages are missing",
    arguments: [(100_000, 4, 1_000_000), (100_000, 4, 10_000_000), (20_000_000, 600, 24_000_000)])
  func shortByRight(freed: Int, commits: Int, unwritten: Int) throws {
    let store = try Store { $0.mapSize = 256 << 20 }
    try store.fill(1...5_000)
    try putAndDelete(freed, inOneTransaction: false, of: store)
    try store.fill([1])
    // From here on, each commit adds an entry to LMDB's list of free pages, and the reader keeps it there.
    let reader = try store.environment.beginRead()
    for commit in 0..<commits { try store.fill([UInt64(commit) + 1]) }
    try putAndDelete(unwritten, inOneTransaction: true, of: store)
    _ = reader.number
    let size = try store.environment.dataFileSize()
    let fullSize = (store.environment.information.lastPage + 1) * 4_096
    try #require(size < fullSize)

    let copy = TemporaryFolder()
    copyFile(store.folder.dataFile, to: copy.dataFile)
    try requireReadable(copy.path, keys: Array(1...5_000))
    let cut = TemporaryFolder()
    copyFile(store.folder.dataFile, to: cut.dataFile)
    resizeFile(cut.dataFile, to: 40_960)
    let code = openFailure(at: cut.path)
    #expect(code == .truncated(expected: fullSize, actual: 40_960))
  }

  private func putAndDelete(_ size: Int, inOneTransaction isOne: Bool, of store: Store) throws {
    let value = [UInt8](repeating: 7, count: size)
    var writer = try store.environment.beginWrite()
    try writer.put("touched", for: 1, in: store.numbers)
    try writer.put(value.span.rawBytes, for: 6_000, in: store.numbers)
    if !isOne {
      try writer.commit()
      writer = try store.environment.beginWrite()
    }
    try writer.delete(6_000, from: store.numbers)
    try writer.commit()
  }

  @Test("and damaged besides does not crash the look at its free pages")
  func damaged() throws {
    let store = try Store()
    for _ in 0..<4 { try store.fill(1...1_000) }
    try putAndDelete(4_000_000, inOneTransaction: true, of: store)
    let size = try store.environment.dataFileSize()
    try #require(size < (store.environment.information.lastPage + 1) * 4_096)
    store.environment.close()
    var generator = SplitMix(state: 1)
    for _ in 0..<500 {
      let copy = TemporaryFolder()
      copyFile(store.folder.dataFile, to: copy.dataFile)
      // Opening touches no page but the two headers, so the damage meets the look at the free pages only.
      for _ in 0..<200 {
        let noise = [UInt8](repeating: .random(in: 0...255, using: &generator), count: 2)
        write(noise, to: copy.dataFile, at: .random(in: 8_192..<(size - 2), using: &generator))
      }
      let code = openFailure(at: copy.path)
      guard code != nil else { continue }
      guard case .truncated = code else {
        Issue.record("A damaged file met \(String(describing: code)).")
        return
      }
    }
  }

  @Test("is never refused by mistake after random changes", arguments: [1, 16, 20])
  func randomChanges(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    for _ in 0..<20 {
      let store = try Store()
      for _ in 0..<20 {
        try scramble(store, using: &generator)
        let copy = TemporaryFolder()
        copyFile(store.folder.dataFile, to: copy.dataFile)
        let code = openFailure(at: copy.path)
        try #require(code == nil)
      }
    }
  }

  private func scramble(_ store: Store, using generator: inout SplitMix) throws {
    var writer = try store.environment.beginWrite()
    for _ in 0..<Int.random(in: 1...30, using: &generator) {
      let key = UInt64.random(in: 0..<100, using: &generator)
      if Bool.random(using: &generator) {
        let value = [UInt8](repeating: 7, count: .random(in: 0..<30_000, using: &generator))
        try writer.put(value.span.rawBytes, for: key, in: store.numbers)
      } else {
        try writer.delete(key, from: store.numbers)
      }
    }
    try writer.commit()
  }

  /// Opens a store, reads every key, and writes every value.
  private func requireReadable(_ path: String, keys: [UInt64]) throws {
    let environment = try Environment.open(at: path, settings: testSettings())
    let (numbers, _) = try openTestTables(of: environment)
    let found = try environment.beginRead().keys(of: numbers)
    #expect(found == keys)
    var writer = try environment.beginWrite()
    for key in keys { try writer.put("again", for: key, in: numbers) }
    try writer.commit()
    environment.close()
  }
}

/// A small random number generator whose numbers are the same in each run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
