internal import CFileBirth
internal import Glibc
internal import Logging

/// The folder of a store, and the lock that only one process can hold.
///
/// The folder has three files: `data.mdb` and `lock.mdb` of LMDB, and `writer.lock`, which holds the process id of the
/// process that has the store open for writing, and in its second line how often the store was opened. All are private
/// to the user.
final class StoreFolder: @unchecked Sendable {
  // Safe to share: the path is constant, the rest changes while the store is opened by one thread, and in `unlock`,
  // which the store's closing calls once.
  let path: String
  private var descriptor: Int32 = -1
  /// How often the store had been opened, as `writer.lock` says; 0 if it does not. Known once it is locked.
  private(set) var openings: UInt64 = 0
  private var dataDescriptor: Int32 = -1

  init(_ path: String) { self.path = path }

  deinit { unlock() }

  static var processID: Int32 { getpid() }

  /// What is at the path.
  enum Contents {
    case nothing
    case emptyFolder
    case store
  }

  /// Looks at what is at the path; throws if it is something else than a store or room for one.
  func contents() throws(StoreError) -> Contents {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT { return .nothing }
      throw systemError("looking at")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAStore(path: path, reason: "it is no folder") }
    // A link in place of a file would have LMDB write to whatever it leads to.
    for file in ["lock.mdb", "data.mdb"] {
      guard unsafe lstat(path + "/" + file, &status) == 0 else { continue }
      guard status.st_mode & S_IFMT == S_IFREG else { throw .notAStore(path: path, reason: "\(file) is no file") }
      if file == "data.mdb" { return .store }
    }
    guard let folder = unsafe opendir(path) else { throw systemError("listing") }
    defer { unsafe closedir(folder) }
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // A writer's lock without data is a store that has lost its data: a new one in its place would hide that.
      if name != ".", name != ".." {
        throw .notAStore(path: path, reason: "it has other files, such as \(name), and no data.mdb")
      }
    }
    return .emptyFolder
  }

  /// Warns if users other than the owner may change which files there are, or read or change one of them.
  func tellExposure(to logger: Logger) {
    guard let exposure = exposure() else { return }
    logger.warning(
      "the store is not private to its owner; take the rights of others away with chmod -R go=",
      metadata: ["path": "\(path.escapedForTerminal)", "reason": "\(exposure)"])
  }

  private func exposure() -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    let mode = status.st_mode
    if mode & 0o22 != 0 { return "others may change what is in the folder" }
    guard mode & 0o11 != 0 else { return nil }
    for file in ["data.mdb", "lock.mdb", "writer.lock"] where unsafe lstat(path + "/" + file, &status) == 0 {
      if status.st_mode & 0o66 != 0 { return "others may use \(file)" }
    }
    return nil
  }

  /// Takes the writer's lock, or throws who has it.
  func lock() throws(StoreError) {
    let file = path + "/writer.lock"
    let opened = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard opened >= 0 else { throw systemError("opening writer.lock in") }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let holder = Int32(truncatingIfNeeded: StoreFolder.numbers(in: opened).first ?? 0)
      Glibc.close(opened)
      throw isTaken ? .locked(path: path, holder: holder) : systemError("locking")
    }
    descriptor = opened
    let noted = StoreFolder.numbers(in: opened).dropFirst().first ?? 0
    // No store gets so far: somebody else has written that.
    openings = noted <= Meta.File.mostOpenings ? noted : 0
    do throws(StoreError) { try note(openings: openings) } catch {
      unlock()
      throw error
    }
    do throws(StoreError) { try lockData() } catch {
      unlock()
      throw error
    }
  }

  /// Writes down who has the store open, and how often it was opened.
  func note(openings: UInt64) throws(StoreError) {
    let text = Array("\(getpid())\n\(openings)\n".utf8)
    guard ftruncate(descriptor, 0) == 0, unsafe pwrite(descriptor, text, text.count, 0) == text.count else {
      throw systemError("writing writer.lock in")
    }
  }

  /// The whole numbers at the beginnings of a small file's lines.
  private static func numbers(in file: Int32) -> [UInt64] {
    var text = [UInt8](repeating: 0, count: 64)
    let count = unsafe pread(file, &text, text.count, 0)
    return text.prefix(max(0, count)).split(separator: UInt8(ascii: "\n")).map { line in
      UInt64(String(decoding: line, as: UTF8.self)) ?? 0
    }
  }

  /// Locks the data itself, too: somebody may tidy away a lock file that a running process holds.
  private func lockData() throws(StoreError) {
    dataDescriptor = unsafe open(path + "/data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard dataDescriptor >= 0 else { throw systemError("opening data.mdb in") }
    guard flock(dataDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      // Who holds it cannot be known: its lock file is gone.
      throw errno == EWOULDBLOCK ? .locked(path: path, holder: 0) : systemError("locking")
    }
  }

  /// Gives the writer's locks back.
  func unlock() {
    for held in [dataDescriptor, descriptor] where held >= 0 {
      // Closing alone would leave the lock with a process that is just being forked and has not come to its exec.
      _ = flock(held, LOCK_UN)
      Glibc.close(held)
    }
    (dataDescriptor, descriptor) = (-1, -1)
  }

  /// The data file as its file system knows it: its number, and when it was made, as numbers are given again.
  func file() throws(StoreError) -> Meta.File {
    var status = stat()
    guard unsafe stat(path + "/data.mdb", &status) == 0 else { throw systemError("looking at") }
    // Safe: a path is a terminated string that outlives the call.
    let born = unsafe file_birth(path + "/data.mdb")
    return Meta.File(number: UInt64(status.st_ino), born: UInt64(bitPattern: born))
  }

  /// Makes a folder that is private to the user, for a store that comes into being beside the path.
  func makeTemporary() throws(StoreError) -> String {
    var template = Array((path + ".new-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw systemError("making a folder beside") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Puts a finished folder at the path, so that a crash leaves either nothing or all of it there; false if something
  /// has come there meanwhile.
  ///
  /// Only `synchronizeName` makes sure that it stays there.
  func adopt(_ temporary: String) throws(StoreError) -> Bool {
    try StoreFolder.synchronize(temporary, naming: path)
    if unsafe rename(temporary, path) == 0 { return true }
    if errno == ENOTEMPTY || errno == EEXIST { return false }
    throw systemError("renaming a finished store to")
  }

  /// Makes sure that a power cut does not take the folder away from where it was made or moved to.
  func synchronizeName() throws(StoreError) { try StoreFolder.synchronize(parent, naming: path) }

  /// Takes a folder that was put at the path away again, and removes it.
  func takeBack(to temporary: String) {
    if unsafe rename(path, temporary) == 0 { StoreFolder.remove(temporary) }
  }

  /// Removes a folder made by `makeTemporary` and the files of a store in it.
  static func remove(_ folder: String) {
    for file in ["data.mdb", "lock.mdb", "writer.lock"] { unsafe unlink(folder + "/" + file) }
    unsafe rmdir(folder)
  }

  private var parent: String {
    var bytes = Array(path.utf8)
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }

  private static func synchronize(_ folder: String, naming path: String) throws(StoreError) {
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StoreFolder(path).systemError("opening the folder of") }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StoreFolder(path).systemError("syncing the folder of") }
  }

  private func systemError(_ doing: String) -> StoreError {
    switch errno {
    case EACCES, EPERM, EROFS: .permissionDenied(path: path)
    case ENOSPC, EDQUOT: .diskFull(path: path)
    case ENOENT: .notFound(path: path)
    case let number:
      .inputOutput(path: path, reason: "\(doing) it gave error \(number), \(unsafe String(cString: strerror(number)))")
    }
  }
}
