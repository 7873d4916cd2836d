import Credits
import Glibc
import Testing

@testable import creditctl

@Suite("The demonstration")
struct DemoTests {
  private let tool = Tool()

  private func value(_ key: String, _ line: some StringProtocol) -> Substring? {
    guard let start = line.firstRange(of: "\"\(key)\":")?.upperBound else { return nil }
    return Substring(line)[start...].prefix { $0 != "," && $0 != "}" }
  }

  @Test("is the same day for the same seed, and everything agrees at its end")
  func deterministic() throws {
    func day(_ seed: String) throws -> Substring {
      let run = tool.bare([
        "demo", "--accounts", "60", "--for", "4h", "--speed", "max", "--seed", seed, "--json",
      ])
      #expect(run.code == 0, "\(run.complaint)")
      return try #require(run.lines.last)
    }
    let days = try [day("7"), day("7"), day("8")]
    for key in ["balances_sha256", "requests", "denials", "spent", "credited", "taken_minor", "renewals", "held"] {
      #expect(value(key, days[0]) == value(key, days[1]), "\(key)")
      #expect(value(key, days[0]) != nil)
    }
    #expect(value("balances_sha256", days[0]) != value("balances_sha256", days[2]))
    #expect(value("clean", days[0]) == "true")
    #expect(value("disagreement", days[0]) == "null")
    #expect(Int(value("requests", days[0]) ?? "") ?? 0 > 500)
    #expect(Int(value("credited", days[0]) ?? "") ?? 0 > 0)
  }

  @Test("has new prices in the afternoon, declines, purchases and banks that ask")
  func eventful() throws {
    let run = tool.bare([
      "demo", "--accounts", "150", "--for", "8h", "--speed", "max", "--seed", "3", "--json",
    ])
    let last = try #require(run.lines.last)
    #expect(run.code == 0, "\(run.complaint)")
    for key in ["declined", "purchases", "needed_action", "alerts", "released", "renewals"] {
      #expect(Int(value(key, last) ?? "") ?? 0 > 0, "\(key)")
    }
    #expect(value("price_version", last) == "2")
    #expect(value("type", last) == "\"summary\"")
    #expect(run.lines.filter { $0.hasPrefix("{\"type\":\"progress\"") }.count == 32)
    #expect(run.lines.contains { $0.hasPrefix("{\"type\":\"event\"") && $0.contains("\"kind\":\"credited\"") })
  }

  @Test("keeps its store where it is told to, logs in plain lines, and is no screen without a terminal")
  func plain() {
    let run = tool.bare([
      "demo", "--accounts", "20", "--for", "20m", "--speed", "100000", "--store", tool.store,
    ])
    #expect(run.code == 0, "\(run.complaint)")
    #expect(run.output.contains("2025-06-02 08:15:00  -- "))
    #expect(run.output.contains("everything agrees"))
    #expect(run.output.contains("the store is in \(tool.store)"))
    #expect(!run.output.contains("\u{1B}"))
    #expect(tool("verify").code == 0)
    #expect(tool("price", "list").output.contains("morning prices"))
    #expect(tool.bare(["demo", "--store", tool.store]).code == 2)
  }

  @Test("ends early at an interruption, with its summary and verification")
  func interruption() {
    let running = tool.start(["demo", "--accounts", "20", "--speed", "1", "--json"])
    var run = running.poll()
    var isInterrupted = false
    while run == nil {
      if !isInterrupted, TemporaryFolder.text(running.output).contains("\"type\":\"event\"") {
        kill(running.process, SIGINT)
        isInterrupted = true
      }
      run = running.poll()
    }
    #expect(run?.code == 0)
    #expect(run?.lines.last?.contains("\"interrupted\":true") == true)
    #expect(run?.lines.last.map { value("clean", $0) } == "true")
  }

  @Test(
    "with arguments that make no sense ends with 2",
    arguments: [
      ["--accounts", "0"], ["--for", "1s"], ["--for", "8d"], ["--speed", "0"], ["--speed", "fast"],
      ["--seed=-1"],
    ])
  func usage(arguments: [String]) { #expect(tool.bare(["demo"] + arguments).code == 2) }
}

@Suite("The screen of the demonstration")
struct DemoScreenTests {
  /// A scene of a short day in a store of its own.
  private func view() async throws -> DemoView {
    let folder = TemporaryFolder()
    let clock = StoreClock.Manual(DemoWorld.start)
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(366 * 86_400)
    settings.durability = .unsynced
    let store = try CreditStore.open(at: folder.file("store"), settings: settings)
    let world = DemoWorld(seed: 5, accounts: 40)
    var day = try await DemoDay(world, store, clock)
    for _ in 0..<360 { try await day.advance { _, _ in } }
    let (available, held) = try day.balances()
    let busiest = day.scene.spending.sorted { $0.value > $1.value }.map { account, spent in
      (name: world.customers[world.index[account] ?? 0].name, spent: spent, available: Amount(100))
    }
    let view = DemoView(
      scene: day.scene, time: day.now, part: 0.5, span: .seconds(3_600), speed: DemoSpeed(factor: 100),
      available: available, held: held, busiest: busiest, requestsPerSecond: 1_234.5, entriesPerSecond: 99)
    try await store.close()
    return view
  }

  @Test("fits terminals of every size")
  func sizes() async throws {
    let view = try await view()
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10), (20, 5), (1, 1), (80, 1), (500, 8)] {
      let lines = DemoScreen(width: width, height: height).lines(view)
      #expect(lines.count <= height && !lines.isEmpty)
      #expect(lines.allSatisfy { $0.text.count <= width }, "\(width) x \(height)")
    }
  }

  @Test("shows time, balances, spending, refills and events at 80 x 24")
  func content() async throws {
    let lines = DemoScreen(width: 80, height: 24).lines(try await view())
    let text = lines.map(\.text).joined(separator: "\n")
    #expect(lines.count == 24)
    #expect(text.hasPrefix("creditctl demo   2025-06-02 08:30:00   speed x100   50% of 1 h"))
    for part in [
      "40 accounts have", "SPENT BY FEATURE", "chat ", "AUTO-REFILL BY STATE", "armed", "EVENTS", "1235 requests/s",
    ] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test(
    "has bars of eighths that never pass their width",
    arguments: [
      (0.0, "    "), (1.0, "████"), (0.5, "██  "), (0.53, "██▏ "), (2, "████"), (-1, "    "), (.nan, "    "),
    ])
  func bars(share: Double, bar: String) { #expect(DemoScreen.bar(share, width: 4, empty: " ") == bar) }
}
