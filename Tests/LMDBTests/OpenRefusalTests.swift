import Glibc
import LMDB
import Testing

@Suite("Opening a store is refused")
struct OpenRefusalTests {
  @Test("while this process has it open, by whatever path")
  func alreadyOpen() throws {
    let store = try Store()
    try store.fill([1])
    let link = store.folder.path + "-link"
    // The paths are terminated strings that outlive the call.
    #expect(unsafe symlink(store.folder.path, link) == 0)
    defer { _ = unsafe unlink(link) }
    for path in [store.folder.path, store.folder.path + "/.", link] {
      for access in [Environment.Settings.Access.readWrite, .readOnly] {
        let code = openFailure(at: path) { $0.access = access }
        #expect(code == .alreadyOpenInThisProcess)
      }
    }
    let found = try store.environment.beginRead().text(1, from: store.numbers)
    #expect(found == "value 1")
    store.environment.close()
    let again = openFailure(at: store.folder.path)
    #expect(again == nil)
  }

  @Test("while this process has its data file open in another folder")
  func sameDataFile() throws {
    let store = try Store()
    let other = store.folder.folder("other")
    // As above.
    #expect(unsafe link(store.folder.dataFile, other + "/data.mdb") == 0)
    let code = openFailure(at: other)
    #expect(code == .alreadyOpenInThisProcess)
  }

  @Test("if its lock file is a link, and what that leads to is left alone")
  func linkedLock() {
    let folder = TemporaryFolder()
    let victim = folder.path + "/victim"
    write([1, 2, 3], to: victim)
    // As above.
    #expect(unsafe symlink(victim, folder.path + "/lock.mdb") == 0)
    let code = openFailure(at: folder.path)
    #expect(code == .other(ELOOP))
    var status = stat()
    #expect(unsafe stat(victim, &status) == 0 && status.st_size == 3)
  }

  @Test("by all but one of many threads at once")
  func race() async throws {
    let folder = TemporaryFolder()
    let opened = await withTaskGroup(of: Environment?.self) { group in
      for _ in 0..<8 {
        group.addTask { try? Environment.open(at: folder.path, settings: testSettings()) }
      }
      var opened: [Environment] = []
      for await environment in group { if let environment { opened.append(environment) } }
      return opened
    }
    #expect(opened.count == 1)
  }

  @Test("if the folder does not exist")
  func noFolder() {
    let folder = TemporaryFolder()
    let code = openFailure(at: folder.path + "/missing")
    #expect(code == .noSuchFile)
  }

  @Test("if it is to be read only and does not exist, and creates nothing")
  func readOnlyAndMissing() {
    let folder = TemporaryFolder()
    let code = openFailure(at: folder.path) { $0.access = .readOnly }
    #expect(code == .noSuchFile)
    #expect(TemporaryFolder.entries(of: folder.path) == [])
  }

  @Test("if the data file is garbage", arguments: [8_192, 100, 1_000_000])
  func garbage(size: Int) {
    let folder = TemporaryFolder()
    write([UInt8](repeating: 0xA5, count: size), to: folder.dataFile)
    let code = openFailure(at: folder.path)
    #expect(code == .invalidFile)
    let again = openFailure(at: folder.path) { $0.access = .readOnly }
    #expect(again == .invalidFile)
  }

  @Test("if the data file is of another version")
  func version() throws {
    let store = try Store()
    store.environment.close()
    // The version's place in the header: behind the page header and the magic number.
    write([9], to: store.folder.dataFile, at: 20)
    let code = openFailure(at: store.folder.path)
    #expect(code == .versionMismatch)
  }

  @Test("at its tables if a page is none, or the first page is beyond the end")
  func damage() throws {
    let (flags, root) = (10, 128)
    for (isFirst, expected) in [(false, LMDBError.Code.corrupted), (true, .pageNotFound)] {
      let store = try Store()
      try store.fill([1, 2, 3])
      let size = store.environment.pageSize
      store.environment.close()
      if isFirst {
        // The number of the page that the list of tables begins at, in both headers.
        for page in 0..<2 {
          write([0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0], to: store.folder.dataFile, at: page * size + root)
        }
      } else {
        // What kind of page each one is.
        for page in 2..<(fileSize(store.folder.dataFile) / size) {
          write([0, 0], to: store.folder.dataFile, at: page * size + flags)
        }
      }
      let code = failure { () throws(LMDBError) in
        let environment = try Environment.open(at: store.folder.path, settings: testSettings())
        defer { environment.close() }
        _ = try openTestTables(of: environment)
      }
      #expect(code == expected)
    }
  }

  @Test("if the data file may not be read")
  func permission() throws {
    let store = try Store()
    store.environment.close()
    guard geteuid() != 0 else { return }  // The superuser may read everything.
    // As above.
    #expect(unsafe chmod(store.folder.dataFile, 0) == 0)
    let code = openFailure(at: store.folder.path)
    #expect(code == .permissionDenied)
  }
}

/// The code of the error that opening a store throws, or `nil`; closes it again.
func openFailure(
  at path: String, _ change: (inout Environment.Settings) -> Void = { _ in }
) -> LMDBError.Code? {
  failure { () throws(LMDBError) in
    try Environment.open(at: path, settings: testSettings(change)).close()
  }
}
