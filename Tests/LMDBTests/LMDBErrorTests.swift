import Glibc
import Testing

@testable import LMDB

@Suite("An error")
struct LMDBErrorTests {
  @Test("says what happened, and which call said so")
  func description() throws {
    let store = try Store()
    try store.fill([2])
    do throws(LMDBError) {
      var writer = try store.environment.beginWrite()
      try writer.append("late", for: 1, to: store.numbers)
      Issue.record("The append went through.")
    } catch {
      #expect(
        error.description
          == "The key exists already, or is not above the last one. (mdb_put returned -30799)")
      #expect(error.rawCode == -30_799)
    }
  }

  @Test("that this module found says so without a code")
  func ownError() throws {
    let store = try Store()
    do throws(LMDBError) {
      _ = try Environment.open(at: store.folder.path)
      Issue.record("The store was opened twice.")
    } catch {
      #expect(
        error.description == "This process has the store open already. Use that one. (Environment.open)")
      #expect(error.rawCode == 0)
    }
  }

  /// The return codes, from -30,799 upwards, and the system's.
  static let codes: [(Int32, LMDBError.Code)] = [
    (-30_799, .keyExists), (-30_798, .notFound), (-30_797, .pageNotFound), (-30_796, .corrupted), (-30_795, .panic),
    (-30_794, .versionMismatch), (-30_793, .invalidFile), (-30_792, .mapFull), (-30_791, .tablesFull),
    (-30_790, .readersFull), (-30_788, .transactionFull), (-30_785, .mapResized), (-30_784, .incompatible),
    (-30_782, .badTransaction), (-30_781, .badValueSize), (-30_780, .badTable), (-30_789, .other(-30_789)),
    (EACCES, .permissionDenied), (EPERM, .permissionDenied), (EROFS, .permissionDenied), (ENOSPC, .noSpace),
    (EDQUOT, .noSpace), (EIO, .inputOutput), (ENOENT, .noSuchFile), (ENOTDIR, .noSuchFile), (EBUSY, .busy),
    (EAGAIN, .busy), (EINVAL, .other(EINVAL)),
  ]

  @Test("is the one that the return code stands for, and has words of its own")
  func meanings() {
    for (rawCode, code) in LMDBErrorTests.codes {
      let error = LMDBError(rawCode: rawCode, in: "mdb_put")
      #expect(error.code == code && error.rawCode == rawCode)
      #expect(error.description.hasSuffix("(mdb_put returned \(rawCode))") && error.description.count > 30)
    }
    let words = Set(LMDBErrorTests.codes.map { "\(LMDBError($0.1, in: "x"))" })
    #expect(words.count == Set(LMDBErrorTests.codes.map { "\($0.1)" }).count)
  }

  @Test("of another kind has the system's words")
  func otherError() throws {
    let store = try Store()
    let target = store.folder.folder("copy")
    try store.environment.copy(to: target)
    do throws(LMDBError) {
      try store.environment.copy(to: target)
      Issue.record("The copy was overwritten.")
    } catch {
      #expect(error.description == "File exists (open returned 17)")
    }
  }
}
