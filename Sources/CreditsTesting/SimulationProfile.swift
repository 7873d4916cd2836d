internal import Credits

/// What kind of history a seed gives: how many accounts, how small the bounds, how rough the world.
struct SimulationProfile {
  var accounts: [AccountID] = (0..<32).map { AccountID($0) }
  var clockJump = Duration.seconds(1_000_000_000)
  var windowRequests = 200_000
  var waitingCallers = 100_000
  var retention = Settings.Retention.all
  /// Whether the accounts are of one stripe, which has no room for all of them.
  var isCrowded = false
  /// Whether requests are forgotten, and journal is deleted.
  var isForgetful = false
  /// Once in so many steps: a crash, a failing commit (of commits), a batch that fills frames.
  var crash = 400
  var failure = 60
  var flood = 20_000
  let identity: RequestID
  let key: HashKey

  init(seed: UInt64) {
    var random = SplitMix64(seed: seed ^ 0x5EED_0F_5EED)
    identity = RequestID(high: random.next(), low: random.next())
    key = HashKey(random.next() | 1, random.next() | 1, random.next() | 1)
    let key = key
    switch random.below(8) {
    case 0, 1:
      isCrowded = true
      accounts = (0..<100_000).lazy.map { AccountID($0) }.filter { key.hash($0) >> 58 == 7 }.prefix(40).map { $0 }
    case 2:
      clockJump = .seconds(40_000)
      waitingCallers = 3
      flood = 2_000
    case 3:
      isForgetful = true
      windowRequests = 1_024
      retention = .age(.seconds(1))
    case 4: (crash, failure) = (60, 20)
    case 5:
      accounts = [AccountID(0), AccountID(1), AccountID(2)]
      (crash, failure) = (2_000, 400)
    default: break
    }
  }
}
