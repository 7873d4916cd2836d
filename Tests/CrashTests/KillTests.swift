import CrashSupport
import Credits
import Glibc
import Testing

@Suite("A process that is killed")
struct KillTests {
  /// How many times processes are killed in all; the environment's CREDITS_CRASH_ROUNDS says otherwise.
  static let rounds = unsafe getenv("CREDITS_CRASH_ROUNDS").flatMap { unsafe Int(String(cString: $0)) } ?? 200
  /// What random moments follow from; the environment's CREDITS_CRASH_SEED repeats them as far as a kill can be repeated.
  static let seed =
    unsafe getenv("CREDITS_CRASH_SEED").flatMap { unsafe UInt64(String(cString: $0)) } ?? .random(in: 1...999_999)
  /// The rounds of one store, after which a fresh one is taken.
  static let roundsOfStore = 10
  /// How many stores are under test at once.
  static let lanes = 3

  @Test("G2, G3, G4, G8, G10: loses nothing acknowledged, repeats nothing, and its store goes on")
  func works() async throws {
    let stores = max(Profile.allCases.count, KillTests.rounds / KillTests.roundsOfStore)
    var total = Total()
    await withTaskGroup(of: Total.self) { group in
      for lane in 0..<KillTests.lanes {
        group.addTask {
          var sum = Total()
          for number in stride(from: lane, to: stores, by: KillTests.lanes) {
            let profile = Profile.allCases[number % Profile.allCases.count]
            sum.add(await KillTests.chain(profile, seed: KillTests.seed &+ UInt64(number)))
          }
          return sum
        }
      }
      for await sum in group { total.add(sum) }
    }
    print(
      "seed \(KillTests.seed): \(total.kills) kills, \(total.answers) answers checked, \(total.unanswered) requests"
        + " unanswered, \(total.replayed) entries replayed")
    #expect(total.kills == stores * KillTests.roundsOfStore)
    #expect(total.answers > 0)
  }

  private struct Total: Sendable {
    var kills = 0
    var answers = 0
    var unanswered = 0
    var replayed: UInt64 = 0

    mutating func add(_ other: Total) {
      kills += other.kills
      answers += other.answers
      unanswered += other.unanswered
      replayed += other.replayed
    }
  }

  /// Kills the processes of one store, one after the other, and audits it in between.
  private static func chain(_ profile: Profile, seed: UInt64) async -> Total {
    let folder = Folder()
    let path = folder.path("store")
    var dice = Dice(seed &* 10 &+ UInt64(profile.rawValue))
    var book = Book()
    var total = Total()
    for round in 1...roundsOfStore {
      let arguments = ["work", path, "\(profile.rawValue)", "\(seed)", "\(round)"]
      let delay = dice.roll(0...120)
      let ending = await blocking { Child(arguments).end(after: "working", kill: delay) }
      book.note(ending.lines)
      total.kills += 1
      let place: Comment = "seed \(seed), \(profile), round \(round)"
      #expect(ending.signal == SIGKILL, place)
      #expect(book.troubles.isEmpty, place)
      // Now and then the next process finds the store as the killed one left it.
      if round < roundsOfStore, dice.roll(1...3) == 1 { continue }
      do throws(StoreError) {
        var settings = profile.settings
        settings.clock = .manual(.init(WallClock.now))
        let store = try CreditStore.open(at: path, settings: settings)
        total.replayed += try store.statistics().replayed
        total.unanswered += book.unanswered.count
        total.answers += book.fresh.count
        var audit = Audit(store, profile)
        try await audit.run(&book, &dice)
        #expect(audit.findings.isEmpty, place)
        try await store.close()
      } catch { Issue.record("\(place): \(error)") }
      guard book.troubles.isEmpty else { break }
    }
    return total
  }
}
