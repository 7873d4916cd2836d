import CrashSupport
import Credits
import Logging
import Synchronization

/// Whether the tests run under the thread sanitizer, which makes everything some ten times slower.
let isSanitized: Bool = {
  #if TSAN
    true
  #else
    false
  #endif
}()

/// A fresh store with a clock of its own.
struct TestStore {
  let folder = Folder()
  let clock = StoreClock.Manual(Timestamp(seconds: 1_800_000_000))
  let settings: Settings
  let store: CreditStore

  init(_ change: (inout Settings) -> Void = { _ in }) throws(StoreError) {
    var settings = Settings()
    settings.mapSize = 1 << 30
    settings.durability = .unsynced
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(1_000_000_000)
    settings.logger = Logger(label: "tests", factory: { _ in SwiftLogNoOpLogHandler() })
    change(&settings)
    self.settings = settings
    store = try CreditStore.open(at: folder.path("store"), settings: settings)
  }

  /// Opens the store again after it was closed.
  func reopened() throws(StoreError) -> CreditStore {
    try CreditStore.open(at: folder.path("store"), settings: settings)
  }

  /// Opens accounts and gives each the same.
  func fill(_ accounts: ClosedRange<UInt64>, _ amount: Amount) async throws {
    try await withThrowingTaskGroup { group in
      for lane in 0..<32 as Range<UInt64> {
        group.addTask { [store] in
          for number in stride(from: accounts.lowerBound + lane, through: accounts.upperBound, by: 32) {
            try await store.open(AccountID(number))
            try await store.grant(amount, to: AccountID(number), source: .allowance, request: "first grant")
          }
        }
      }
      try await group.waitForAll()
    }
  }
}

/// The error of a function, if it throws one.
func failure<R>(_ body: () async throws(StoreError) -> R) async -> StoreError? {
  do throws(StoreError) {
    _ = try await body()
    return nil
  } catch { return error }
}

/// Numbers in the order in which they are asked for, by whatever thread.
final class Moments: Sendable {
  private let next = Atomic<UInt64>(1)

  /// The next moment.
  var now: UInt64 { next.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue }
}

/// A number that many threads raise.
final class Tally: Sendable {
  private let value = Atomic<Int>(0)

  /// The number.
  var count: Int { value.load(ordering: .relaxed) }

  func add() { value.wrappingAdd(1, ordering: .relaxed) }
}

/// The credits of some accounts, as the store and as the journal have them.
struct Sums: Equatable {
  var granted: Int64 = 0
  var spent: Int64 = 0
  var expired: Int64 = 0
  var left: Int64 = 0

  /// The sums of the accounts' own totals.
  init(_ store: CreditStore, _ accounts: ClosedRange<UInt64>) throws(StoreError) {
    for number in accounts {
      guard let account = try store.account(AccountID(number)) else { continue }
      granted += account.granted.millionths
      spent += account.spent.millionths
      expired += account.expired.millionths
      left += account.balance.available.millionths
    }
  }

  /// The sums over the journal's entries.
  init(journalOf store: CreditStore) throws(StoreError) {
    var sums: [AccountID: Amount] = [:]
    var (granted, spent, expired): (Int64, Int64, Int64) = (0, 0, 0)
    try store.forEachEntry { (entry) throws(StoreError) in
      let change = (entry.available - entry.availableBefore).millionths
      switch entry.kind {
      case .granted, .begun: granted += change
      case .debited: spent -= change
      case .expired, .closed: expired -= change
      default: break
      }
      sums[entry.account] = entry.available
      return true
    }
    (self.granted, self.spent, self.expired) = (granted, spent, expired)
    left = sums.values.reduce(0) { $0 + $1.millionths }
  }
}
