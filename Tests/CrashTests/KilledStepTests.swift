import CrashSupport
import Credits
import Glibc
import Testing

@Suite("A process that is killed at a delicate step")
struct KilledStepTests {
  private static let times = max(4, KillTests.rounds / 20)

  /// Opens a store as it was left, and answers the findings of an audit.
  private func audit(_ path: String, _ book: inout Book, _ dice: inout Dice) async throws -> [String] {
    var settings = Profile.usual.settings
    settings.clock = .manual(.init(WallClock.now))
    let store = try CreditStore.open(at: path, settings: settings)
    var audit = Audit(store, .usual)
    try await audit.run(&book, &dice)
    try await store.close()
    return audit.findings + book.troubles
  }

  @Test("G10: creation leaves a whole store or none, and the place is free to try again")
  func creation() async throws {
    var dice = Dice(KillTests.seed)
    for _ in 0..<KilledStepTests.times {
      let folder = Folder()
      let delay = dice.roll(0...60)
      let ending = await blocking { Child(["create", folder.path]).end(after: "working", kill: delay) }
      #expect(ending.signal == SIGKILL)
      let made = ending.lines.count { if case .step("made") = $0 { true } else { false } }
      // All stores that were told of, the one that was in the making, and one that was not begun.
      for number in max(0, made - 2)...made + 1 {
        let path = folder.path("\(number)")
        if number < made { #expect(Folder.exists(path), "store \(number) of \(made)") }
        let store = try CreditStore.open(at: path, settings: Profile.usual.settings)
        if number < made { #expect(try store.balance(of: "first") != nil, "store \(number) of \(made)") }
        try await store.open("first")
        let problem = try await store.verify().problem
        #expect(problem == nil)
        try await store.close()
      }
    }
  }

  @Test("G3, G10: closing loses nothing acknowledged")
  func closing() async throws {
    var dice = Dice(KillTests.seed)
    for round in 1...KilledStepTests.times {
      let folder = Folder()
      var book = Book()
      let arguments = ["close", folder.path("store"), "\(Profile.usual.rawValue)", "\(KillTests.seed)", "\(round)"]
      let delay = dice.roll(0...6)
      let ending = await blocking { Child(arguments).end(after: "working", kill: delay) }
      book.note(ending.lines)
      let findings = try await audit(folder.path("store"), &book, &dice)
      #expect(findings.isEmpty, "seed \(KillTests.seed), round \(round)")
    }
  }

  @Test("G10: a backup of a busy store is whole or absent")
  func backup() async throws {
    var dice = Dice(KillTests.seed)
    var (whole, absent) = (0, 0)
    let folder = Folder()
    let path = folder.path("store")
    var book = Book()
    for round in 1...KilledStepTests.times {
      let arguments = ["backup", path, "\(Profile.usual.rawValue)", "\(KillTests.seed)", "\(round)"]
      let delay = dice.roll(0...40)
      let ending = await blocking { Child(arguments).end(after: "working", kill: delay) }
      // What was acknowledged before the copying began must be in it.
      let before = ending.lines.prefix { if case .step("working") = $0 { false } else { true } }
      let copies = ending.lines.count { if case .step("copied") = $0 { true } else { false } }
      for number in max(0, copies - 1)...copies {
        let copy = path + ".backup-\(round)-\(number)"
        if Folder.exists(copy) {
          whole += 1
          var early = book
          early.note(Array(before))
          early.note(ending.lines.filter { if case .asked = $0 { true } else { false } })
          let findings = try await audit(copy, &early, &dice)
          #expect(findings.isEmpty, "seed \(KillTests.seed), round \(round)")
        } else {
          absent += 1
          #expect(number == copies)
        }
      }
      book.note(ending.lines)
      let findings = try await audit(path, &book, &dice)
      #expect(findings.isEmpty, "seed \(KillTests.seed), round \(round)")
    }
    print("backups: \(whole) whole, \(absent) absent")
  }
}
