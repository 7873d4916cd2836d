import Testing

@testable import Credits

@Suite("Settings")
struct SettingsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout Settings) -> Void
    init(_ name: String, _ change: @escaping @Sendable (inout Settings) -> Void) {
      testDescription = name
      self.change = change
    }
  }

  static let refused = [
    Row("mapSize") { $0.mapSize = 1 << 20 - 1 }, Row("residentAccounts") { $0.residentAccounts = 1_023 },
    Row("residentAccounts") { $0.residentAccounts = 1 << 30 + 1 }, Row("windowRequests") { $0.windowRequests = 1_023 },
    Row("windowRequests") { $0.windowRequests = 1 << 30 + 1 },
    Row("windowAge") { $0.windowAge = .zero }, Row("frameKibibytes") { $0.frameKibibytes = 255 },
    Row("frameKibibytes") { $0.frameKibibytes = 1_048_577 }, Row("waitingCallers") { $0.waitingCallers = 0 },
    Row("checkpointEntries") { $0.checkpointEntries = 1_023 }, Row("retention age") { $0.retention = .age(.zero) },
    Row("clockJump") { $0.clockJump = .zero },
  ]

  @Test("a setting out of range is named", arguments: refused)
  func complaint(_ row: Row) {
    var settings = Settings()
    row.change(&settings)
    #expect(settings.complaint?.contains(row.testDescription) == true)
    #expect(throws: StoreError.self) { try CreditStore.open(at: "/nonexistent/store", settings: settings) }
  }

  @Test("the defaults, and the ends of the ranges, are in range")
  func accepted() {
    var settings = Settings()
    #expect(settings.complaint == nil)
    settings.mapSize = 1 << 20
    settings.residentAccounts = 1_024
    settings.windowRequests = 1_024
    settings.frameKibibytes = 1_048_576
    settings.waitingCallers = 1
    settings.checkpointEntries = 1_024
    settings.windowAge = .nanoseconds(1)
    #expect(settings.complaint == nil)
  }
}
