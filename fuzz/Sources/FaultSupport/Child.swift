internal import Glibc

// The unsafe calls of this file rely on this: paths are terminated strings, arrays of pointers end with nil, and all of
// them outlive the call.

/// Another process of the same tool, with or without the shim before it.
public struct Child: Sendable {
  /// Its process id.
  public let process: Int32

  /// How a process ended.
  public enum End: Hashable, Sendable, CustomStringConvertible {
    /// By itself.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)

    /// The end in words.
    public var description: String {
      switch self {
      case .exited(let code): "exit \(code)"
      case .killed(SIGALRM): "a hang"
      case .killed(let signal): "signal \(signal)"
      }
    }
  }

  /// The shim, which lies beside the tools.
  public static var shim: String {
    let tool = executable
    let folder = tool.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return folder + "/libfault-shim.so"
  }

  private static var executable: String {
    var buffer = [CChar](repeating: 0, count: 4_096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Runs a command line of the shell; true if it ends well.
  public static func shell(_ command: String) -> Bool {
    Child(["-c", "(\(command)) >/dev/null 2>&1"], executable: "/bin/sh").wait() == .exited(0)
  }

  /// Starts the tool anew with other arguments.
  public init(_ arguments: [String], environment extra: [String: String] = [:], isShimmed: Bool = false) {
    self.init(arguments, environment: extra, isShimmed: isShimmed, executable: Child.executable)
  }

  private init(
    _ arguments: [String], environment extra: [String: String] = [:], isShimmed: Bool = false, executable: String
  ) {
    var variables = extra
    if isShimmed { variables["LD_PRELOAD"] = Child.shim }
    variables["SWIFT_BACKTRACE"] = "enable=no"
    var environment: [String] = []
    var place = unsafe environ
    while let entry = unsafe place.pointee {
      let text = unsafe String(cString: entry)
      if !variables.keys.contains(where: { text.hasPrefix($0 + "=") }) { environment.append(text) }
      unsafe place += 1
    }
    environment += variables.map { "\($0)=\($1)" }
    let arguments = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
    let values = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (arguments + values).forEach { unsafe free($0) } }
    var process: Int32 = 0
    let code = unsafe posix_spawn(&process, executable, nil, nil, arguments, values)
    guard code == 0 else { fail("no process can be started: error \(code)") }
    self.process = process
  }

  /// Waits until it has ended.
  public func wait() -> End {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return Child.end(status)
  }

  /// Looks whether it has ended.
  public func poll() -> End? {
    var status: Int32 = 0
    return unsafe waitpid(process, &status, WNOHANG) == process ? Child.end(status) : nil
  }

  /// Whether it has ended; it is still to be waited for.
  public var hasEnded: Bool {
    var information = unsafe siginfo_t()
    let code = unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
    return unsafe code == 0 && information.si_signo != 0
  }

  private static func end(_ status: Int32) -> End {
    status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F)
  }
}
