import Glibc

/// What is known of the terminal.
enum Terminal {
  /// The width of the terminal on the standard output; nil where it is none, so that nothing is cut.
  static var outputWidth: Int? { isatty(STDOUT_FILENO) == 1 ? width(of: STDOUT_FILENO) : nil }

  /// The width of the terminal on the standard error stream; nil where it is none, so that no progress is drawn.
  static var errorWidth: Int? { isatty(STDERR_FILENO) == 1 ? width(of: STDERR_FILENO) : nil }

  /// The size of the terminal on the standard output; 80 x 24 where it is not known.
  static var outputSize: (columns: Int, rows: Int) {
    var size = winsize()
    // Safe: the kernel fills the local value during the call.
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  private static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    // Safe: the kernel fills the local value during the call.
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
    return Int(size.ws_col)
  }
}
