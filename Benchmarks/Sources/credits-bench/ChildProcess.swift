import ArgumentParser
import Credits
import Foundation
import Harness
import Synchronization

/// Processes of their own that work on a store, so that their memory is not measured.
enum ChildProcess {
  /// Makes a store with many accounts.
  static func fill(_ folder: String, accounts: Int) throws {
    try runSelf(["child", "--store", folder, "--accounts", String(accounts)], mayDie: false)
  }

  /// Debits a store without a checkpoint, and dies by a signal: all of its entries are left to be replayed.
  static func debitAndDie(_ folder: String, accounts: Int, debits: Int, run: Int) throws {
    try runSelf(
      [
        "child", "--store", folder, "--accounts", String(accounts), "--debits", String(debits), "--run", String(run),
      ], mayDie: true)
  }

  /// The one that runs now.
  private static let current = Mutex<Int32?>(nil)

  /// Ends the one that runs now, if there is one.
  static func endCurrent() { current.withLock { if let process = $0 { kill(process, SIGKILL) } } }

  private static func runSelf(_ arguments: [String], mayDie: Bool) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    try process.run()
    current.withLock { $0 = process.processIdentifier }
    process.waitUntilExit()
    current.withLock { $0 = nil }
    let isKilled = process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    guard process.terminationStatus == 0 || mayDie && isKilled else {
      throw Problem("the process that fills the store failed with \(process.terminationStatus)")
    }
  }
}

/// The body of such a process.
struct ChildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "child", abstract: "Fill a store, or debit it and die by a signal; part of the others.",
    shouldDisplay: false)

  @Option var store: String
  @Option var accounts: Int
  @Option var debits: Int?
  @Option var run: Int = 0
  @Option var part: Int = 10_000_000

  func run() async throws {
    if let debits { try await debitAndDie(debits) } else { try await fill() }
  }

  /// Opens accounts part by part, with room for a part: a close writes all images in the order of their keys, where a
  /// store that is full would write a page for each account that it moves out.
  private func fill() async throws {
    for start in stride(from: 1, through: accounts, by: part) {
      let numbers = start...min(start + part - 1, accounts)
      var settings = Settings()
      settings.residentAccounts = max(1_000_000, numbers.count * 5 / 4)
      // The entries of a hundred million openings need not stay.
      if accounts > part {
        settings.retention = .age(.seconds(5))
        settings.windowRequests = 100_000
      }
      let store = try CreditStore.open(at: store, settings: settings)
      try await Load.fill(store, accounts: numbers)
      try await store.close()
      if accounts > part { note("    \(numbers.upperBound.grouped) accounts are made") }
    }
  }

  private func debitAndDie(_ debits: Int) async throws {
    var settings = Settings()
    settings.residentAccounts = max(1_000_000, accounts * 5 / 4)
    settings.checkpointEntries = 1_000_000_000_000
    let store = try CreditStore.open(at: store, settings: settings)
    var dice = Dice(run * 7_919)
    let spread = Distribution(.uniform, accounts: accounts)
    var done = 0
    while done < debits {
      var batch: [Debit] = []
      for index in 0..<8_192 {
        let request = RequestID(high: 1 << 62 | UInt64(run), low: UInt64(done + index))
        batch.append(Debit(1, from: AccountID(UInt64(spread.next(&dice))), request: request))
      }
      done += try await store.debit(batch).count
    }
    kill(getpid(), SIGKILL)
  }
}

/// Holds all threads of this process on one core for a while.
enum Affinity {
  static func onOneCore<R>(_ work: () async throws -> R) async throws -> R {
    try hold("0")
    defer { try? hold("0-\(sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)") }
    return try await work()
  }

  /// Has the tool `taskset` of util-linux do it, for every thread there is.
  private static func hold(_ cores: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["taskset", "-apc", cores, String(getpid())]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Problem("the tool taskset is missing; install util-linux, or leave out p10")
    }
  }
}
