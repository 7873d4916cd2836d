internal import Credits
internal import FaultSupport
internal import Glibc

/// Rebuilds the states of a run and examines them, one after the other.
struct Checker {
  let run: Run
  let recording: Recording
  let scratch: String
  /// The least number of states a boundary, where it has so many.
  let least: Int
  private var journal: [UInt64: JournalEntry] = [:]

  init(_ run: Run, isEarly: Bool, least: Int) {
    self.run = run
    recording = isEarly ? run.recording().acknowledgingEarly() : run.recording()
    self.least = least
    scratch = Folders.temporary("state")
  }

  /// One state: the number of its boundary, and of its cut there.
  struct State: CustomStringConvertible {
    let boundary: Int
    let cut: Int
    var description: String { "\(boundary)/\(cut)" }
  }

  /// What was found.
  struct Report {
    var states = 0
    var boundaries = 0
    var findings: [String] = []
  }

  /// Examines the states of every `of`-th boundary until a time.
  mutating func check(
    shard: Int, of shards: Int, after skipped: State?, until end: Double, note: (State, Int) -> Void
  ) async -> Report {
    readJournal()
    var report = Report()
    try? await eachBoundary { (boundary, disk, knowledge) throws(Done) in
      guard boundary % shards == shard else { return }
      report.boundaries += 1
      let cuts = Cuts(of: disk, seed: UInt64(boundary), least: least)
      for number in cuts.all.indices {
        let state = State(boundary: boundary, cut: number)
        if let skipped, (boundary, number) <= (skipped.boundary, skipped.cut) { continue }
        guard seconds < end else { throw Done() }
        report.states += 1
        note(state, report.states)
        if let finding = await examine(cuts.files(cuts.all[number]), knowledge, number) {
          report.findings.append("\(run.name) \(state): \(finding)")
        }
      }
    }
    return report
  }

  private struct Done: Error {}

  /// Calls a function with the disk, and what is known, at every moment at which a power cut would be the worst one:
  /// before each sync, before the world is told something without a sync, and at the end.
  private func eachBoundary(_ body: (Int, Disk, Knowledge) async throws(Done) -> Void) async throws(Done) {
    var disk = run.disk()
    var knowledge = run.knowledge()
    var (boundary, processes, syncs) = (0, 0, 1)
    for (index, event) in (recording.events + [.process]).enumerated() {
      if case .process = event { processes += 1 }
      if case .mark(let mark) = event { knowledge.learn(mark) }
      var isBoundary = event.isBoundary
      if isBoundary { syncs += 1 }
      if case .mark = event {
        isBoundary = syncs == 0
        syncs = 0
      }
      if isBoundary, processes >= run.firstProcess || index == recording.events.count {
        boundary += 1
        try await body(boundary, disk, knowledge)
      }
      disk.apply(event)
    }
  }

  /// Builds one state and examines it; the files stay.
  mutating func replay(_ state: State) async -> String? {
    readJournal()
    var answer: String? = "there is no such state"
    try? await eachBoundary { (boundary, disk, knowledge) throws(Done) in
      guard boundary == state.boundary else { return }
      let cuts = Cuts(of: disk, seed: UInt64(boundary), least: least)
      guard cuts.all.indices.contains(state.cut) else { return }
      let files = cuts.files(cuts.all[state.cut])
      write(files, to: run.folder + "/state", state.cut)
      answer = await examine(files, knowledge, state.cut)
      throw Done()
    }
    return answer
  }

  /// Reads every entry that the run has made, also those that it has trimmed later.
  private mutating func readJournal() {
    var disk = run.disk()
    for event in recording.events {
      disk.apply(event)
      guard event.isBoundary else { continue }
      write(Cuts(of: disk, seed: 0, least: 0).everything(), to: scratch, 0)
      let settings = run.scenario.settings(StoreClock.Manual(Scenario.begin))
      guard let reader = try? CreditReader.open(at: Runner.store(in: scratch), settings: settings) else { continue }
      let known = journal
      let next = SequenceNumber((known.keys.max() ?? 0) + 1)
      try? reader.forEachEntry(from: next) { (entry) throws(StoreError) in
        journal[entry.sequence.value] = entry
        return true
      }
    }
  }

  private func examine(_ files: [String: [UInt8]?], _ knowledge: Knowledge, _ number: Int) async -> String? {
    write(files, to: scratch, number)
    alarm(30)
    defer { alarm(0) }
    do {
      try await Examination(run.scenario, knowledge, journal: journal, in: scratch).run()
      return nil
    } catch { return "\(error)" }
  }

  /// Makes a folder hold these files and no others.
  private func write(_ files: [String: [UInt8]?], to folder: String, _ number: Int) {
    if folder != scratch { Folders.make(folder) }
    Checker.removeOthers(folder, "", files)
    for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
      guard let bytes else {
        Folders.make(folder + "/" + path)
        continue
      }
      // What was in the lock file is of no account: its processes are gone.
      let isNoise = path.hasSuffix("lock.mdb") && number % 3 == 2
      Folders.write(isNoise ? [UInt8](repeating: 0xA5, count: bytes.count) : bytes, to: folder + "/" + path)
    }
  }

  private static func removeOthers(_ folder: String, _ prefix: String, _ files: [String: [UInt8]?]) {
    for name in Folders.names(in: folder + "/" + prefix) {
      let path = prefix + name
      if let known = files[path] {
        if known == nil { removeOthers(folder, path + "/", files) }
      } else {
        Folders.remove(folder + "/" + path)
      }
    }
  }
}
