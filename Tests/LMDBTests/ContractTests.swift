import Glibc
import LMDB
import Testing

@Suite("A broken contract traps")
struct ContractTests {
  @Test("when an environment is used after it was closed")
  func useAfterClose() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      store.environment.close()
      _ = try store.environment.beginRead()
    }
    requireSentence("An Environment was used after it was closed.", in: result)
  }

  @Test("when an environment is closed under a transaction")
  func closeUnderTransaction() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let reader = try store.environment.beginRead()
      store.environment.close()
      _ = reader.number
    }
    requireSentence("An Environment was closed while a transaction", in: result)
  }

  @Test("when an environment is closed before its pool")
  func closeBeforePool() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let pool = ReaderPool(environment: store.environment)
      try pool.withReader { (reader) throws(LMDBError) in _ = reader.number }
      store.environment.close()
      pool.close()
    }
    requireSentence("An Environment was closed before its ReaderPool.", in: result)
  }

  @Test("when a pool is used after it was closed")
  func poolAfterClose() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let pool = ReaderPool(environment: store.environment)
      pool.close()
      _ = try pool.reader()
    }
    requireSentence("A ReaderPool was used after it was closed.", in: result)
  }

  @Test("when a table is used with the other kind of key")
  func otherKeys() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let reader = try store.environment.beginRead()
      _ = try reader.text(1, from: store.words)
    }
    requireSentence("A table was used with the other kind of key.", in: result)
  }

  @Test("when a cursor is used with the other kind of key")
  func otherCursorKeys() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let reader = try store.environment.beginRead()
      var cursor = try reader.cursor(on: store.words)
      _ = try cursor.seek(greaterOrEqual: 1)
    }
    requireSentence("A cursor was used with the other kind of key.", in: result)
  }

  @Test("when a reset transaction is read")
  func resetRead() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      var reader = try store.environment.beginRead()
      reader.reset()
      _ = try reader.text(1, from: store.numbers)
    }
    requireSentence("A ReadTransaction was used while it was reset.", in: result)
  }

  @Test("when a cursor on no entry is asked for one")
  func noEntry() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      let reader = try store.environment.beginRead()
      let cursor = try reader.cursor(on: store.numbers)
      _ = cursor.integerKey
    }
    requireSentence("A cursor that is on no entry was asked for it.", in: result)
  }

  @Test("when a cursor on no entry is asked to delete it")
  func noEntryToDelete() async {
    let folder = TemporaryFolder()
    let result = await #expect(processExitsWith: trap, observing: [\.standardErrorContent]) {
      [path = folder.path as String] in
      let store = try Store(in: TemporaryFolder(sharing: path))
      var writer = try store.environment.beginWrite()
      var cursor = try writer.writingCursor(on: store.numbers)
      try cursor.delete()
    }
    requireSentence("A cursor that is on no entry was asked to delete it.", in: result)
  }
}

/// How a process ends that traps.
private var trap: ExitTest.Condition {
  #if arch(x86_64)
    .signal(SIGILL)
  #else
    .signal(SIGTRAP)
  #endif
}

/// Checks that the process said why it ended; only a debug build does.
private func requireSentence(_ sentence: String, in result: ExitTest.Result?) {
  #if DEBUG
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains(sentence))
  #endif
}
