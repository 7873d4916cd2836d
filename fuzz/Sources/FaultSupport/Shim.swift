internal import Glibc

/// The shim, where it stands before this process; its header says what the words mean.
public enum Shim {
  /// The classes of calls.
  public enum Class: Int32, CaseIterable, Sendable {
    case open, write, sync, truncate, mmap, rename, unlink, mkdir, stat, fstat, lock, read, seek, list, thread
  }

  /// What goes wrong.
  public enum Mode: Int32, CaseIterable, Sendable {
    case once, fromThere, short, late, killBefore, killHalf, count
  }

  /// Watches the files below a folder.
  public static func watch(_ folder: String) {
    // Safe: this is the function's type in `shim.h`, and the string outlives the call.
    let call = unsafe unsafeBitCast(symbol("shim_watch"), to: (@convention(c) (UnsafePointer<CChar>) -> Void).self)
    unsafe call(folder)
  }

  /// Lets the n-th call of a class go wrong.
  public static func arm(_ kind: Class, _ number: Int, error: Int32, _ mode: Mode) {
    // Safe: as above.
    let call = unsafe unsafeBitCast(
      symbol("shim_arm"), to: (@convention(c) (Int32, Int, Int32, Int32) -> Void).self)
    call(kind.rawValue, number, error, mode.rawValue)
  }

  /// Lets nothing go wrong any more.
  public static func disarm() {
    // Safe: as above.
    unsafe unsafeBitCast(symbol("shim_disarm"), to: (@convention(c) () -> Void).self)()
  }

  /// The calls of a class since `arm`.
  public static func count(_ kind: Class) -> Int {
    // Safe: as above.
    unsafe unsafeBitCast(symbol("shim_count"), to: (@convention(c) (Int32) -> Int).self)(kind.rawValue)
  }

  /// How often something went wrong since `arm`.
  public static var fired: Int {
    // Safe: as above.
    unsafe unsafeBitCast(symbol("shim_fired"), to: (@convention(c) () -> Int).self)()
  }

  /// The descriptors of watched files that are open.
  public static var openDescriptors: Int {
    // Safe: as above.
    unsafe unsafeBitCast(symbol("shim_handles"), to: (@convention(c) () -> Int).self)()
  }

  private static func symbol(_ name: String) -> UnsafeMutableRawPointer {
    // Safe: the name is a terminated string.
    guard let found = unsafe dlsym(nil, name) else { fail("the shim is not preloaded") }
    return unsafe found
  }
}
