import Credits
import CreditsTesting
import LMDB

/// A store in a temporary folder with a clock that is moved by hand.
final class StoreFixture: Sendable {
  static let start = Timestamp(seconds: 1_700_000_000)

  let place = TemporaryStore()
  let clock = StoreClock.Manual(StoreFixture.start)
  let settings: Settings

  init(_ change: (inout Settings) -> Void = { _ in }) {
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    settings.mapSize = 1 << 30
    settings.frameKibibytes = 256
    settings.clockJump = .seconds(1_000_000_000)
    change(&settings)
    self.settings = settings
  }

  func open() throws(StoreError) -> CreditStore { try CreditStore.open(at: place.path, settings: settings) }

  /// A store with an account that has some credits.
  func open(with amount: Amount) async throws(StoreError) -> (CreditStore, AccountID) {
    let store = try open()
    let alice = try await store.open("alice")
    try await store.grant(amount, to: alice, source: .purchase("order-17"), request: "order-17")
    return (store, alice)
  }
}

/// Changes tables of a closed store, behind its back.
func changeTables(
  _ names: [String], at path: String, _ body: (inout WriteTransaction, [Table]) throws -> Void
) throws {
  var settings = Environment.Settings()
  settings.mapSize = 1 << 30
  settings.sync = .none
  let environment = try Environment.open(at: path, settings: settings)
  defer { environment.close() }
  let tables = try environment.openTables(names.map { .init($0, keys: $0 == "journal" ? .integers : .bytes) })
  var transaction = try environment.beginWrite()
  try body(&transaction, tables)
  try transaction.commit()
}

extension Outcome {
  var receipt: Receipt? { if case .debited(let receipt) = self { receipt } else { nil } }
  var denial: Denial? { if case .denied(let denial) = self { denial } else { nil } }
}

/// The reason for which a verb other than a debit was declined.
func refusal(_ body: () async throws(StoreError) -> Void) async -> Denial.Reason? {
  if case .denied(let denial) = await failure(body) { denial.reason } else { nil }
}
