import Glibc

/// The built program, run as a child process with a folder and a store of its own.
struct Tool {
  /// What a run left.
  struct Run {
    let code: Int32
    let output: String
    let complaint: String

    /// The output's lines.
    var lines: [Substring] { output.split(separator: "\n") }
  }

  let folder = TemporaryFolder()

  /// The store that is named to every command.
  var store: String { folder.file("store") }

  /// The program lies beside the tests.
  private static var program: String {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count: Int = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return 0 }
      return unsafe readlink("/proc/self/exe", start, bytes.count)
    }
    let tests = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    return tests.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/creditctl"
  }

  /// Runs a command with the store, and waits for its end.
  @discardableResult
  func callAsFunction(_ arguments: String...) -> Run { start(arguments + ["--store", store]).wait() }

  /// Runs a command with exactly these arguments and no store in the environment.
  func bare(_ arguments: [String]) -> Run { start(arguments).wait() }

  /// Runs a script of the shell in the tests' own folder, in which `$creditctl` is the program.
  func shell(_ script: String) -> Run {
    start(["-c", "creditctl='\(Tool.program)'\ncd '\(folder.path)'\n" + script], "/bin/sh").wait()
  }

  /// A command under way.
  struct Running {
    let process: pid_t
    let output: String
    let complaint: String

    /// Whether the command has ended, and how; nil while it goes on.
    func poll() -> Run? { finish(WNOHANG) }

    /// Waits for the end of the command.
    func wait() -> Run { finish(0) ?? Run(code: -1, output: "", complaint: "the child could not be waited for") }

    private func finish(_ options: Int32) -> Run? {
      var status: Int32 = 0
      guard unsafe waitpid(process, &status, options) == process else { return nil }
      let code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
      return Run(code: code, output: TemporaryFolder.text(output), complaint: TemporaryFolder.text(complaint))
    }
  }

  /// Starts a command of the program, or of another one.
  func start(_ arguments: [String], _ program: String = Tool.program) -> Running {
    let number = UInt64.random(in: 0 ... .max)
    let (output, complaint) = (folder.file("output-\(number)"), folder.file("complaint-\(number)"))
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT, 0o600)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, complaint, O_WRONLY | O_CREAT, 0o600)
    // Terminated copies that live until the child has its own.
    var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { unsafe strdup($0) }
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("PATH=/usr/bin:/bin")]
    // Where the tests' own counters of coverage go, those of the child go, too.
    if let profile = unsafe getenv("LLVM_PROFILE_FILE") {
      unsafe environment.append(strdup("LLVM_PROFILE_FILE=" + String(cString: profile)))
    }
    unsafe words.append(nil)
    unsafe environment.append(nil)
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe posix_spawn(&process, program, &actions, nil, words, environment)
    precondition(code == 0, "The program \(program) could not be started: error \(code).")
    return Running(process: process, output: output, complaint: complaint)
  }
}
