import CreditsTesting
import Glibc
import Logging
import Testing

@testable import Credits

// The unsafe calls of this file get paths, which are terminated strings that outlive the call.

@Suite("The folder of a store")
struct StoreFolderTests {
  /// A handler that keeps what a store tells its log.
  private struct Recorder: LogHandler {
    final class Lines: Sendable {
      let all = Locked<[String]>([])
    }

    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.all.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
  }

  private func warnings(_ fixture: StoreFixture) throws -> [String] {
    let lines = Recorder.Lines()
    var settings = fixture.settings
    settings.logger = Logger(label: "test") { _ in Recorder(lines: lines) }
    try CreditStore.open(at: fixture.place.path, settings: settings).engine.close()
    return lines.all.withLock { $0 }
  }

  @Test("is private to its owner when it is made; that others may use it is told at each opening")
  func exposure() throws {
    let fixture = StoreFixture()
    let path = fixture.place.path
    #expect(unsafe mkdir(path, 0o777) == 0 && chmod(path, 0o777) == 0)
    #expect(try warnings(fixture).isEmpty)
    #expect(mode(path) == 0o700)
    for file in ["data.mdb", "lock.mdb", "writer.lock"] { #expect(mode(path + "/" + file) == 0o600, "\(file)") }

    for (folder, file, isTold) in [
      (mode_t(0o755), mode_t(0o600), false), (0o755, 0o640, true), (0o755, 0o602, true), (0o700, 0o666, false),
      (0o770, 0o600, true), (0o702, 0o600, true), (0o744, 0o644, false),
    ] {
      #expect(unsafe chmod(path, folder) == 0 && chmod(path + "/data.mdb", file) == 0)
      let told = try warnings(fixture)
      #expect(told.count == (isTold ? 1 : 0), "\(String(folder, radix: 8)) \(String(file, radix: 8)): \(told)")
    }
  }

  @Test("has files, not links to files elsewhere, which are left alone", arguments: ["data.mdb", "lock.mdb"])
  func links(file: String) throws {
    let fixture = StoreFixture()
    let path = fixture.place.path
    try fixture.open().engine.close()
    let elsewhere = fixture.place.place("elsewhere")
    #expect(unsafe rename(path + "/" + file, elsewhere) == 0 && symlink(elsewhere, path + "/" + file) == 0)
    let size = try size(elsewhere)
    let refusal = StoreError.notAStore(path: path, reason: "\(file) is no file")
    #expect(throws: refusal) { try fixture.open() }
    #expect(throws: refusal) { try CreditReader.open(at: path) }
    #expect(try self.size(elsewhere) == size)
  }

  @Test("has a writer's lock of its own, not a link to a file elsewhere")
  func linkedLock() throws {
    let fixture = StoreFixture()
    let path = fixture.place.path
    try fixture.open().engine.close()
    let elsewhere = fixture.place.place("elsewhere")
    #expect(unsafe rename(path + "/writer.lock", elsewhere) == 0 && symlink(elsewhere, path + "/writer.lock") == 0)
    let before = try size(elsewhere)
    do throws(StoreError) {
      _ = try fixture.open()
      Issue.record("the store was opened")
    } catch {
      guard case .inputOutput(path, let reason) = error else { throw error }
      #expect(reason.contains("opening writer.lock"))
    }
    #expect(try size(elsewhere) == before)
  }

  @Test("tells its log of a path on one line")
  func paths() throws {
    let fixture = StoreFixture()
    let path = fixture.place.place("a\nforged \u{1B}[2J")
    var settings = fixture.settings
    let lines = Recorder.Lines()
    settings.logger = Logger(label: "test") { _ in Recorder(lines: lines) }
    try CreditStore.open(at: path, settings: settings).engine.close()
    #expect(unsafe chmod(path, 0o777) == 0)
    try CreditStore.open(at: path, settings: settings).engine.close()
    let told = lines.all.withLock { $0 }
    #expect(told.count == 1)
    #expect(told.allSatisfy { $0.contains("a\\u{a}forged") && !$0.unicodeScalars.contains(where: \.steersTerminal) })
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  private func size(_ path: String) throws -> Int {
    var status = stat()
    try #require(unsafe stat(path, &status) == 0)
    return Int(status.st_size)
  }
}
