internal import Credits
internal import Dispatch
public import Glibc

/// A child process whose standard output is a pipe to this one.
public final class Child: Sendable {
  /// The process id.
  public let id: pid_t
  private let output: Int32

  /// How a child ended, and what it had written by then.
  public struct Ending: Sendable {
    /// The lines.
    public let lines: [Line]
    /// The signal that ended it; 0 if it ended by itself.
    public let signal: Int32
    /// The code it ended with.
    public let code: Int32
  }

  /// One child is started at a time, so that none inherits the pipe of another.
  private static let starting = DispatchQueue(label: "starting children")

  /// Starts `crash-child`, which lies beside this program, with some arguments.
  public init(_ arguments: [String]) {
    (id, output) = Child.starting.sync { Child.start(arguments) }
  }

  private static func start(_ arguments: [String]) -> (id: pid_t, output: Int32) {
    var ends: [Int32] = [0, 0]
    // Safe: the array has room for the two descriptors.
    precondition(unsafe pipe(&ends) == 0, "the system gives no pipe")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let program = folder + "/crash-child"
    // Safe: actions and terminated strings live until the child has started, which copies them.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    var environment = unsafe [strdup("SWIFT_BACKTRACE=enable=no")]
    // Where the tests' own counters of coverage go, those of the child go, too.
    if let profile = unsafe getenv("LLVM_PROFILE_FILE") {
      unsafe environment.append(strdup("LLVM_PROFILE_FILE=" + String(cString: profile)))
    }
    unsafe environment.append(nil)
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var id: pid_t = 0
    let code = unsafe posix_spawn(&id, program, &actions, nil, &words, &environment)
    precondition(code == 0, "\(program) could not be started: error \(code)")
    close(ends[1])
    return (id, ends[0])
  }

  private static var folder: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return String(path[..<slash])
  }

  /// Kills the child as it is.
  public func kill() { Glibc.kill(id, SIGKILL) }

  /// Kills the child some milliseconds after it came to a step, or lets it end by itself, and reads all it wrote.
  ///
  /// Blocks the thread.
  public func end(after step: String, kill delay: Int?) -> Ending {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let mark = Array("> \(step)\n".utf8)
    var deadline: Int64?
    var line = 0
    var isAlive = delay != nil
    while true {
      let now = WallClock.now.microseconds
      if isAlive, let deadline, now >= deadline {
        kill()
        isAlive = false
      }
      var watched = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let wait = isAlive ? deadline.map { Int32(max(1, ($0 - now) / 1000)) } ?? 60_000 : -1
      guard unsafe poll(&watched, 1, wait) > 0 else { continue }
      let count = unsafe read(output, &chunk, chunk.count)
      if count <= 0 { break }
      bytes.append(contentsOf: chunk[..<count])
      guard isAlive, deadline == nil, let delay else { continue }
      while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
        if bytes[line...end] == mark[...] { deadline = WallClock.now.microseconds + Int64(delay) * 1000 }
        line = end + 1
      }
    }
    close(output)
    var status: Int32 = 0
    unsafe waitpid(id, &status, 0)
    return Ending(lines: Line.lines(of: bytes), signal: status & 0x7F, code: status >> 8 & 0xFF)
  }

  /// Reads until the child comes to a step; answers the lines up to then. Blocks the thread.
  public func wait(for step: String) -> [Line] {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    let mark = Array("> \(step)\n".utf8)
    while unsafe read(output, &byte, 1) == 1 {
      bytes.append(byte)
      if byte == UInt8(ascii: "\n"), bytes.suffix(mark.count) == mark[...] { break }
    }
    return Line.lines(of: bytes)
  }
}
