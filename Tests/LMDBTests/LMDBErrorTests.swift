import LMDB
import Testing

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
