import ArgumentParser
import Credits
import Glibc

/// Makes a folder that is private to the user.
func makeFolder(_ path: String) throws {
  guard unsafe mkdir(path, 0o700) == 0 else {
    throw UsageFailure(sentence: "the folder \(path) cannot be made: \(systemReason())")
  }
}

/// Runs this program with some arguments and waits for its end.
private func runSelf(_ arguments: [String]) throws {
  var strings = unsafe (["creditctl"] + arguments).map { unsafe strdup($0) }
  unsafe strings.append(nil)
  defer { unsafe strings.forEach { unsafe free($0) } }
  var process = pid_t()
  // Safe: the strings live until the process was started.
  guard unsafe posix_spawn(&process, "/proc/self/exe", nil, nil, &strings, environ) == 0 else {
    throw UsageFailure(sentence: "this program cannot be started anew: \(systemReason())")
  }
  var status: Int32 = 0
  while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
}

/// Processes of their own that work on a store for a benchmark.
enum ChildProcess {
  /// Makes a store with many accounts, and room for all of them in memory.
  static func fill(_ folder: String, accounts: Int) throws {
    try runSelf(["bench-child", "--store", folder, "--accounts", String(accounts)])
  }

  /// Debits a store without a checkpoint, and dies by a signal: all of its entries are left to be replayed.
  static func debitAndDie(_ folder: String, accounts: Int, debits: Int, run: Int) throws {
    try runSelf([
      "bench-child", "--store", folder, "--accounts", String(accounts), "--debits", String(debits), "--run",
      String(run),
    ])
  }
}

/// The body of such a process.
struct BenchChildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-child", abstract: "Fill a store, or debit it and die by a signal; part of bench.",
    shouldDisplay: false)

  @OptionGroup var options: StoreOptions
  @Option var accounts: Int
  @Option var debits: Int?
  @Option var run: Int = 0

  func run() async throws {
    let store = try options.opened(.ifMissing) {
      if debits != nil { $0.checkpointEntries = 1_000_000_000_000 }
      $0.residentAccounts = max(1_000_000, accounts * 5 / 4)
    }
    guard let debits else {
      try await Load.fill(store, accounts: accounts)
      try await store.close()
      return
    }
    var dice = Dice(run * 7_919)
    let spread = Distribution.uniform(accounts)
    var done = 0
    while done < debits {
      let batch = (0..<8_192).map { index in
        Debit(1, from: spread.next(&dice), request: RequestID(high: 1 << 62 | UInt64(run), low: UInt64(done + index)))
      }
      done += try await store.debit(batch).count
    }
    kill(getpid(), SIGKILL)
  }
}

/// Holds all threads of this process on one core for a while.
enum Affinity {
  static func onOneCore<R>(_ work: () async throws -> R) async throws -> R {
    try set("0")
    do {
      let result = try await work()
      try set("0-\(sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)")
      return result
    } catch {
      try set("0-\(sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)")
      throw error
    }
  }

  /// Has the tool `taskset` of util-linux do it, for every thread there is.
  private static func set(_ cores: String) throws {
    // Safe: the command is made of numbers only.
    guard unsafe system("taskset -apc \(cores) \(getpid()) > /dev/null") == 0 else {
      throw UsageFailure(sentence: "the tool taskset is missing; install util-linux, or leave out p10")
    }
  }
}
