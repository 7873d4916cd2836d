/// What can be known about a store's files without LMDB.
enum DataFile {
  /// The path of the data file in a store's directory.
  static func path(in directory: String) -> String { directory + "/data.mdb" }

  /// Throws if the store in a directory is missing, is open in this process, or has an empty data file.
  static func requireUsable(
    in directory: String, access: Environment.Settings.Access, isOpen: (FileIdentity) -> Bool
  ) throws(LMDBError) {
    guard let folder = try FileStatus.ofPath(directory) else {
      throw LMDBError(.noSuchFile, in: "stat")
    }
    let file = try FileStatus.ofPath(path(in: directory))
    if isOpen(folder.identity) || file.map({ isOpen($0.identity) }) == true {
      throw LMDBError(.alreadyOpenInThisProcess, in: "Environment.open")
    }
    guard let file else {
      if access == .readOnly { throw LMDBError(.noSuchFile, in: "stat") }
      return
    }
    // LMDB would take an empty file for a new store and forget that there was one.
    if file.size == 0 {
      let header = 2 * FileStatus.systemPageSize
      throw LMDBError(.truncated(expected: header, actual: 0), in: "stat")
    }
  }

  /// The identities of a store's directory and data file, which exist.
  static func identities(in directory: String) throws(LMDBError) -> [FileIdentity] {
    var identities: [FileIdentity] = []
    for path in [directory, path(in: directory)] {
      guard let status = try FileStatus.ofPath(path) else { throw LMDBError(.noSuchFile, in: "stat") }
      identities.append(status.identity)
    }
    return identities
  }
}
