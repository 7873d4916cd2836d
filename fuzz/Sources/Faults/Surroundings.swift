internal import Credits
internal import FaultSupport
internal import Glibc
internal import PowerSwitch
internal import Synchronization

/// What goes wrong around a store: no room, no memory, no descriptors, other files in its place, other processes.
struct Surroundings {
  private let folder: String
  private var points = 0
  private var bad = 0

  private var place: String { folder + "/place" }
  private var marks: String { folder + "/marks" }

  /// Runs all of it; true if nothing is wrong.
  static func run(_ arguments: [String]) async -> Bool {
    var surroundings = Surroundings(folder: Folders.temporary("around"))
    let begin = seconds
    let all: [(String, (inout Surroundings) async -> Void)] = [
      ("full disk", { await $0.fullDisk() }), ("full map", { await $0.fullMap() }),
      ("descriptors", { await $0.limited("descriptors", 7, Array(3...40)) }),
      ("memory", { await $0.limited("memory", 9, (0..<60).map { (4 + 6 * $0) << 20 }) }),
      ("file size", { await $0.limited("file size", 1, (0..<48).map { 16_384 << ($0 / 6) + $0 << 9 }) }),
      ("truncated file", { await $0.truncated() }), ("replaced file", { await $0.replaced() }),
      ("read-only file system", { await $0.readOnly() }), ("second process", { await $0.secondProcess() }),
      ("stuck reader", { await $0.stuckReader() }),
    ]
    for (name, body) in all where arguments.isEmpty || arguments.contains(name) {
      let (points, bad) = (surroundings.points, surroundings.bad)
      await body(&surroundings)
      say("\(name): \(surroundings.points - points) points, \(surroundings.bad - bad) bad")
    }
    Folders.remove(surroundings.folder)
    say("surroundings: \(surroundings.points) points, \(surroundings.bad) bad, \(Int(seconds - begin)) s")
    return surroundings.bad == 0
  }

  private init(folder: String) { self.folder = folder }

  private mutating func note(_ name: String, _ finding: String?) {
    points += 1
    guard let finding else { return }
    bad += 1
    say("  \(name): \(finding)")
  }

  private func clear() {
    Folders.remove(place)
    Folders.remove(marks)
    Folders.make(place)
  }

  /// What was acknowledged, from the marks of another process.
  private var knowledge: Knowledge {
    var knowledge = Knowledge()
    for mark in Mark.marks(Folders.read(marks)) { knowledge.learn(mark) }
    return knowledge
  }

  private func examine(_ scenario: Scenario, _ knowledge: Knowledge) async -> String? {
    do { try await Examination(scenario, knowledge, in: place).run() } catch { return "afterwards: \(error)" }
    return nil
  }

  private final class Memory: Sendable {
    private let state = Mutex(Knowledge())
    func learn(_ mark: Mark) { state.withLock { $0.learn(mark) } }
    var knowledge: Knowledge { state.withLock { $0 } }
  }

  // MARK: No room

  private mutating func fullDisk() async {
    let scenario = Scenario.known("growth")
    let mount = place
    clear()
    guard Child.shell("mount -t tmpfs -o size=1m none \(mount) && umount \(mount)") else {
      say("full disk: skipped, as this machine does not let us mount a file system")
      return
    }
    for kibibytes in stride(from: 16, through: 1_600, by: 16) {
      clear()
      guard Child.shell("mount -t tmpfs -o size=\(kibibytes)k none \(mount)") else { fail("no file system") }
      let memory = Memory()
      let finding = await fill(scenario, nil, memory) { error in
        if case .diskFull = error { nil } else { "a full disk is answered by \(error)" }
      }
      guard Child.shell("mount -o remount,size=64m \(mount)") else { fail("the file system does not grow") }
      let after = await examine(scenario, memory.knowledge)
      note("full disk at \(kibibytes) KiB", finding ?? after)
      guard Child.shell("umount \(mount)") else { fail("the file system does not go") }
    }
  }

  private mutating func fullMap() async {
    let scenario = Scenario.known("growth")
    for size in stride(from: 1 << 20, through: 3 << 20, by: 20 << 10) {
      clear()
      let memory = Memory()
      let finding = await fill(scenario, size, memory) { error in
        if case .mapFull = error { nil } else { "a full map is answered by \(error)" }
      }
      let after = await examine(scenario, memory.knowledge)
      note("full map at \(size) bytes", finding ?? after)
    }
  }

  /// Runs a scenario until there is no more room; the failure must be of one kind, and stay.
  private func fill(
    _ scenario: Scenario, _ mapSize: Int?, _ memory: Memory, _ judge: (StoreError) -> String?
  ) async -> String? {
    let runner = Runner(scenario, in: place, mapSize: mapSize) { memory.learn($0) }
    do throws(StoreError) {
      try await runner.run(scenario.steps.indices)
      return nil
    } catch {
      if let finding = judge(error) { return finding }
      guard let store = runner.store else { return nil }
      runner.forget()
      var later: StoreError?
      do throws(StoreError) {
        _ = try await store.debit(1, from: AccountID(1), request: RequestID(high: 7, low: 7))
      } catch { later = error }
      try? await store.close()
      return later == error ? nil : "a store without room answers \(error), then \(later.map { "\($0)" } ?? "a debit")"
    }
  }

  // MARK: Limits of a process

  private mutating func limited(_ name: String, _ resource: Int, _ values: [Int]) async {
    let scenario = Scenario.known("reopen")
    var ends: [Child.End: Int] = [:]
    for value in values {
      clear()
      let end = Child(["child", "limit", scenario.name, place, marks, "\(resource)", "\(value)"]).wait()
      ends[end, default: 0] += 1
      var finding: String?
      // Memory that the language's runtime itself does not get ends a Swift process, or has it wait for more, whatever
      // the store does.
      let runtime: [Child.End] = [.killed(SIGILL), .killed(SIGTRAP), .killed(SIGABRT), .killed(SIGALRM)]
      if end != .exited(0), end != .exited(10), resource != 9 || !runtime.contains(end) {
        finding = "the process ended with \(end)"
      }
      let after = await examine(scenario, knowledge)
      note("\(name) at \(value)", finding ?? after)
    }
    let ok = ends[.exited(0), default: 0]
    let typed = ends[.exited(10), default: 0]
    say("  \(name): \(ok) had enough, \(typed) got a typed error, \(values.count - ok - typed) ended in the runtime")
  }

  /// The other processes: `child TASK …`.
  static func child(_ arguments: [String]) async {
    alarm(60)
    switch arguments.first {
    case "limit": await limit(arguments)
    case "hold", "read": await stand(arguments)
    default: fail("child: bad arguments")
    }
  }

  private static func limit(_ arguments: [String]) async {
    guard arguments.count == 6, let scenario = Scenario.named(arguments[1]), let resource = Int32(arguments[4]),
      var value = UInt64(arguments[5])
    else { fail("child limit: bad arguments") }
    let marks = MarkFile(arguments[3])
    let runner = Runner(scenario, in: arguments[2]) { marks.write($0) }
    signal(SIGXFSZ, SIG_IGN)
    // The runtime makes its threads and descriptors first: without them it ends, or waits for ever, by itself.
    try? await Task.sleep(for: .milliseconds(1))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<64 { group.addTask { usleep(200) } }
    }
    alarm(10)
    // Of memory, so much more than the process has now.
    if resource == 9 { value += usedMemory }
    guard credits_limit(resource, value) == 0 else { fail("no limit can be set") }
    do throws(StoreError) { try await runner.run(scenario.steps.indices) } catch {
      _exit(error.description.isEmpty ? 1 : 10)
    }
    _exit(0)
  }

  /// The address space that this process has.
  private static var usedMemory: UInt64 {
    let text = String(decoding: Folders.readAll("/proc/self/statm"), as: UTF8.self)
    return (text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0) * 4_096
  }

  // MARK: Other files

  /// Makes a closed store of a scenario, and answers what was acknowledged.
  private func make(_ scenario: Scenario) async -> Knowledge {
    clear()
    let memory = Memory()
    let runner = Runner(scenario, in: place) { memory.learn($0) }
    do throws(StoreError) { try await runner.run(scenario.steps.indices) } catch { fail("\(scenario.name): \(error)") }
    return memory.knowledge
  }

  private mutating func truncated() async {
    let scenario = Scenario.known("commits")
    let knowledge = await make(scenario)
    let file = Runner.store(in: place) + "/data.mdb"
    let bytes = Folders.read(file)
    var (whole, refused) = (0, 0)
    for size in stride(from: 0, through: bytes.count, by: 2_048).flatMap({ [$0, $0 + 1] }) where size < bytes.count {
      Folders.write(Array(bytes[..<size]), to: file)
      var finding: String?
      do throws(StoreError) {
        let store = try CreditStore.open(
          at: Runner.store(in: place), settings: scenario.settings(.init(Timestamp(microseconds: knowledge.time))))
        try? await store.close()
        // Only pages that nobody needs may be missing.
        finding = await examine(scenario, knowledge)
        whole += 1
      } catch {
        refused += 1
        switch error {
        case .corrupt, .notAStore: break
        default: finding = "it is refused with \(error)"
        }
      }
      note("truncated at \(size) of \(bytes.count)", finding)
    }
    say("  truncated file: \(refused) refused, \(whole) whole without the missing pages")
  }

  private mutating func replaced() async {
    let scenario = Scenario.known("commits")
    let knowledge = await make(scenario)
    let store = Runner.store(in: place)
    let bytes = Folders.read(store + "/data.mdb")
    let text = Array("not a store\n".utf8)
    let noise = (0..<bytes.count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    let settings = scenario.settings(.init(Timestamp(microseconds: knowledge.time)))
    let changes: [(String, Bool, () -> Void)] = [
      ("zeros", false, { Folders.write([UInt8](repeating: 0, count: bytes.count), to: store + "/data.mdb") }),
      ("noise", false, { Folders.write(noise, to: store + "/data.mdb") }),
      ("a text", false, { Folders.write(text, to: store + "/data.mdb") }),
      ("nothing", false, { Folders.write([], to: store + "/data.mdb") }),
      ("no file", false, { Folders.remove(store + "/data.mdb") }),
      (
        "a folder", false,
        {
          Folders.remove(store + "/data.mdb"); Folders.make(store + "/data.mdb")
        }
      ),
      ("a link to nowhere", false, { _ = Child.shell("ln -sf /nowhere/at/all \(store)/data.mdb") }),
      ("a device", false, { _ = Child.shell("rm -f \(store)/data.mdb; ln -s /dev/zero \(store)/data.mdb") }),
      ("a lock file of noise", true, { Folders.write(Array(noise[..<8_192]), to: store + "/lock.mdb") }),
      ("an empty lock file", true, { Folders.write([], to: store + "/lock.mdb") }),
      ("no lock file", true, { Folders.remove(store + "/lock.mdb") }),
      (
        "a folder for a lock file", false,
        {
          Folders.remove(store + "/lock.mdb"); Folders.make(store + "/lock.mdb")
        }
      ),
      ("a writer's lock of noise", true, { Folders.write(Array(noise[..<8_192]), to: store + "/writer.lock") }),
      (
        "a folder for a writer's lock", false,
        {
          Folders.remove(store + "/writer.lock"); Folders.make(store + "/writer.lock")
        }
      ),
      ("a link for a writer's lock", false, { _ = Child.shell("ln -sf /tmp/elsewhere \(store)/writer.lock") }),
    ]
    for (name, isWhole, change) in changes {
      Folders.remove(store)
      Folders.make(store)
      Folders.write(bytes, to: store + "/data.mdb")
      Folders.write(Array("1\n".utf8), to: store + "/writer.lock")
      change()
      var finding: String?
      do throws(StoreError) {
        let opened = try CreditStore.open(at: store, settings: settings)
        try? await opened.close()
        finding = isWhole ? await examine(scenario, knowledge) : "a store with \(name) opens"
      } catch { if isWhole { finding = "a store with \(name) is refused: \(error)" } }
      note(name, finding)
    }
    await replacedWhileOpen(scenario, bytes)
  }

  /// The files of an open store are removed, or others are put in their place: the store goes on in its own.
  private mutating func replacedWhileOpen(_ scenario: Scenario, _ other: [UInt8]) async {
    for name in ["data.mdb", "lock.mdb"] {
      clear()
      let memory = Memory()
      let runner = Runner(scenario, in: place) { memory.learn($0) }
      var finding: String?
      do throws(StoreError) {
        try await runner.run(0..<20)
        let file = Runner.store(in: place) + "/" + name
        let own = file + ".own"
        guard unsafe rename(file, own) == 0 else { fail("a file cannot be renamed") }
        Folders.write(other, to: file)
        try await runner.run(20..<scenario.steps.count)
        _ = unsafe rename(own, file)
        finding = await examine(scenario, memory.knowledge)
      } catch { finding = "\(error)" }
      note("\(name) replaced while it is open", finding)
    }
  }

  private mutating func readOnly() async {
    let scenario = Scenario.known("commits")
    clear()
    guard Child.shell("mount -t tmpfs -o size=64m none \(place)") else {
      say("read-only file system: skipped, as this machine does not let us mount a file system")
      return
    }
    let memory = Memory()
    let runner = Runner(scenario, in: place) { memory.learn($0) }
    var finding: String?
    do throws(StoreError) { try await runner.run(scenario.steps.indices) } catch { fail("\(error)") }
    guard Child.shell("mount -o remount,ro \(place)") else { fail("the file system does not become read-only") }
    for path in [Runner.store(in: place), place + "/new"] {
      do throws(StoreError) {
        try await CreditStore.open(at: path, settings: scenario.settings(runner.clock)).close()
        finding = "it opens"
      } catch {
        if case .permissionDenied = error { finding = nil } else { finding = "it is refused with \(error)" }
      }
      note("opening \(path) on a read-only file system", finding)
    }
    guard Child.shell("mount -o remount,rw \(place)") else { fail("the file system does not become writable") }
    note("after a read-only file system", await examine(scenario, memory.knowledge))
    guard Child.shell("umount \(place)") else { fail("the file system does not go") }
  }

  // MARK: Other processes

  /// Opens a store, or stands in the middle of reading it, until it is killed.
  private static func stand(_ arguments: [String]) async {
    guard arguments.count == 4, let scenario = Scenario.named(arguments[1]) else { fail("child: bad arguments") }
    let settings = scenario.settings(StoreClock.Manual(Scenario.begin))
    let ready = { Folders.write(Array("ready".utf8), to: arguments[3]) }
    do throws(StoreError) {
      if arguments[0] == "hold" {
        let store = try CreditStore.open(at: arguments[2], settings: settings)
        ready()
        while true { sleep(60) }
        _ = store
      }
      let reader = try CreditReader.open(at: arguments[2], settings: settings)
      try reader.forEachEntry { (_) throws(StoreError) in
        ready()
        while true { sleep(60) }
      }
    } catch { fail("\(error)") }
  }

  private func start(_ task: String, _ scenario: Scenario) -> Child {
    let signal = folder + "/ready"
    Folders.remove(signal)
    let child = Child(["child", task, scenario.name, Runner.store(in: place), signal])
    while Folders.read(signal).isEmpty {
      guard child.poll() == nil else { fail("the other process ended") }
      usleep(1_000)
    }
    return child
  }

  private func end(_ child: Child) {
    kill(child.process, SIGKILL)
    _ = child.wait()
  }

  private mutating func secondProcess() async {
    let scenario = Scenario.known("commits")
    let knowledge = await make(scenario)
    let settings = scenario.settings(StoreClock.Manual(Timestamp(microseconds: knowledge.time)))
    for _ in 0..<20 {
      let child = start("hold", scenario)
      var finding: String? = "it opens twice"
      do throws(StoreError) {
        try await CreditStore.open(at: Runner.store(in: place), settings: settings).close()
      } catch {
        finding = error == .locked(path: Runner.store(in: place), holder: child.process) ? nil : "\(error)"
      }
      do throws(StoreError) {
        let reader = try CreditReader.open(at: Runner.store(in: place), settings: settings)
        if let problem = try await reader.verify().problem { finding = "a reader beside it finds \(problem)" }
      } catch { finding = "a reader beside it: \(error)" }
      end(child)
      note("a second process", finding)
      note("after a second process", await examine(scenario, knowledge))
    }
  }

  private mutating func stuckReader() async {
    for name in ["trim", "sweep", "growth"] {
      let scenario = Scenario.known(name)
      clear()
      let memory = Memory()
      let runner = Runner(scenario, in: place) { memory.learn($0) }
      let half = scenario.steps.count / 2
      var finding: String?
      do throws(StoreError) {
        try await runner.run(0..<half)
        let child = start("read", scenario)
        try await runner.run(half..<scenario.steps.count - 1)
        // Killed, it leaves a reader's slot that keeps old pages, until it is noticed.
        end(child)
        try await runner.run(scenario.steps.count - 1)
      } catch { finding = "\(error)" }
      let after = await examine(scenario, memory.knowledge)
      note("a stuck reader beside \(name)", finding ?? after)
    }
  }
}
