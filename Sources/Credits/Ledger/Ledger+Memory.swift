internal import Synchronization

/// What is in memory: reading it, bringing accounts in, letting time do its work.
extension Ledger {
  /// What an account has now, with what time has done by itself taken into account; nil if it is not in memory.
  ///
  /// Allocates nothing unless something has just happened by itself.
  @inline(__always) func balance(of account: AccountID, at now: Timestamp) -> Balance? {
    let seen = unsafe look(at: account, at: now) { slot in
      unsafe Balance(
        available: slot.pointee.account.available, held: slot.pointee.account.held, version: slot.pointee.account.last)
    }
    return seen ?? self.account(account, at: now)?.balance
  }

  /// What an account in memory could spend now: nothing if it is frozen or closed.
  @inline(__always) func spendable(of account: AccountID, at now: Timestamp) -> Amount? {
    let seen = unsafe look(at: account, at: now) { slot in
      unsafe slot.pointee.account.status == .open ? slot.pointee.account.available : .zero
    }
    return seen ?? self.account(account, at: now).map { $0.status == .open ? $0.available : .zero }
  }

  /// Looks at an account, without its stripe's lock unless somebody else has it; nil if it is not in memory, or if
  /// something has just happened by itself.
  @inline(__always) private func look<Seen>(
    at account: AccountID, at now: Timestamp, _ read: (UnsafeMutablePointer<AccountTable.Slot>) -> Seen
  ) -> Seen? {
    let hash = key.hash(account)
    let stripe = unsafe stripe(hash)
    unsafe stripe.pointee.table.prefetchBalance(hash)
    if let seen = unsafe stripe.pointee.lock.read({
      unsafe look(at: account, hash, in: stripe, at: now, read)
    }) {
      return seen
    }
    return unsafe stripe.pointee.lock.withLock {
      unsafe look(at: account, hash, in: stripe, at: now, read)
    }
  }

  @inline(__always) private func look<Seen>(
    at account: AccountID, _ hash: UInt64, in stripe: UnsafeMutablePointer<Stripe>, at now: Timestamp,
    _ read: (UnsafeMutablePointer<AccountTable.Slot>) -> Seen
  ) -> Seen? {
    guard let slot = unsafe stripe.pointee.table.find(account, hash: hash),
      unsafe now < slot.pointee.account.tripTime
    else { return nil }
    return unsafe read(slot)
  }

  /// The whole state of an account in memory, likewise, under its stripe's lock.
  @inline(never) func account(_ account: AccountID, at now: Timestamp) -> Account? {
    let hash = key.hash(account)
    let stripe = unsafe stripe(hash)
    return unsafe stripe.pointee.lock.withLock {
      guard let slot = unsafe stripe.pointee.table.find(account, hash: hash) else { return nil }
      return settled(unsafe slot.pointee.account, at: now)
    }
  }

  /// The state after all that time has done by itself; the version stays that of the last real entry.
  func settled(_ account: Account, at now: Timestamp) -> Account {
    var draft = Draft(account)
    while !draft.settle(at: max(now, account.time)) { draft = Draft(draft.account) }
    var state = draft.account
    state.last = account.last
    return state
  }

  /// Brings an account into memory.
  func load(_ account: AccountID, at now: Timestamp) throws(StoreError) -> Loading {
    let hash = key.hash(account)
    let stripe = unsafe stripe(hash)
    while true {
      let before = unsafe stripe.pointee.lock.withLock { () -> UInt64? in
        unsafe stripe.pointee.table.find(account, hash: hash) == nil ? stripe.pointee.evictions : nil
      }
      guard let before else { return .resident }
      let image = try checkedImage(of: account)
      let loading = unsafe stripe.pointee.lock.withLock { () -> Loading? in
        if unsafe stripe.pointee.table.find(account, hash: hash) != nil { return .resident }
        // The account may have been here, changed and gone again since the image was read: then that is an old one.
        guard unsafe stripe.pointee.evictions == before else { return nil }
        guard let image else { return .absent(before) }
        guard unsafe makeSpace(in: stripe, at: now) else { return .crowded }
        unsafe insert(
          AccountTable.Slot(image), hash,
          in: stripe)
        loads.wrappingAdd(1, ordering: .relaxed)
        return .resident
      }
      if let loading { return loading }
    }
  }

  private func checkedImage(of account: AccountID) throws(StoreError) -> Image? {
    let image = try readImage(account)
    if let image { try check(image) }
    return image
  }

  /// Throws where an image is ahead of the journal, since its entries would never come.
  private func check(_ image: Image) throws(StoreError) {
    let (account, last) = (image.account, queue.last)
    if account.last <= last { return }
    throw .corrupt(what: "the image of account \(account.id)", at: account.last, reason: "the journal ends at \(last)")
  }

  /// Applies to accounts in memory what time has done by itself; false if the frame had no room for all of it.
  func tick(at now: Timestamp) -> Bool {
    for index in 0..<Stripe.count {
      let stripe = unsafe stripes + index
      var isDone = false
      while !isDone {
        // A few accounts at a time, so that nobody waits long for the lock.
        let hadRoom = unsafe stripe.pointee.lock.withLock { () -> Bool in
          for _ in 0..<16 {
            guard unsafe stripe.pointee.timers.soonest <= now, let row = unsafe stripe.pointee.timers.pop() else {
              isDone = true
              return true
            }
            let slot = unsafe stripe.pointee.table.pointer(Int(row.slot))
            // A row counts only while its slot says so; the account may have left, or been given a sooner row.
            guard unsafe stripe.pointee.table.isOccupied(Int(row.slot)), unsafe slot.pointee.timer == row.time
            else { continue }
            unsafe slot.pointee.timer = .never
            if unsafe !settle(slot, at: now) {
              unsafe slot.pointee.timer = row.time
              unsafe stripe.pointee.timers.push(row.time, row.slot)
              return false
            }
            unsafe schedule(slot, in: stripe)
          }
          return true
        }
        if !hadRoom { return false }
      }
    }
    return true
  }

  private func settle(_ slot: UnsafeMutablePointer<AccountTable.Slot>, at now: Timestamp) -> Bool {
    var isSettled = false
    while !isSettled {
      var draft = Draft(unsafe slot.pointee.account)
      isSettled = draft.settle(at: max(now, unsafe slot.pointee.account.time))
      if !draft.records.isEmpty, unsafe keep(&draft, in: slot) == .none { return false }
    }
    return true
  }

  /// The next moment at which something happens by itself to an account in memory, or sooner.
  var nextTimer: Timestamp {
    var next = Timestamp.never
    for index in 0..<Stripe.count {
      let stripe = unsafe stripes + index
      unsafe stripe.pointee.lock.withLock { next = unsafe min(next, stripe.pointee.timers.soonest) }
    }
    return next
  }

  /// Counts one more or one fewer who follows an account: every change of a followed account is told.
  func follow(_ account: AccountID, by change: Int) {
    let hash = key.hash(account)
    let stripe = unsafe stripe(hash)
    unsafe stripe.pointee.lock.withLock {
      let followers = unsafe (stripe.pointee.followed[account] ?? 0) + change
      unsafe stripe.pointee.followed[account] = followers > 0 ? followers : nil
      if let slot = unsafe stripe.pointee.table.find(account, hash: hash) {
        unsafe slot.pointee.account.isWatched = followers > 0
      }
    }
  }

  /// The number of accounts in memory.
  var residentCount: Int {
    var sum = 0
    for index in 0..<Stripe.count { sum += unsafe stripes[index].lock.withLock { unsafe stripes[index].table.count } }
    return sum
  }
}

// MARK: Recovery

extension Ledger {
  /// The accounts of some changes that are not in memory, each once, in the order of their images on disk.
  ///
  /// Nobody else uses their stripes yet, here and below.
  func missing(of changes: [[Replay.Change]]) -> [(account: AccountID, hash: UInt64)] {
    var missing: [(account: AccountID, hash: UInt64)] = []
    for changes in changes {
      for start in stride(from: 0, to: changes.count, by: 256) {
        let some = changes[start..<min(start + 256, changes.count)]
        for change in some { prefetchTags(change.hash) }
        for change in some { prefetch(change.hash) }
        for change in some {
          let stripe = unsafe stripe(change.hash)
          if unsafe stripe.pointee.table.find(change.account, hash: change.hash) == nil {
            missing.append((change.account, change.hash))
          }
        }
      }
    }
    missing.sort { $0.hash < $1.hash }
    return zip(missing.indices, missing).filter { $0 == 0 || $1.account != missing[$0 - 1].account }.map(\.1)
  }

  /// Whether the stripe of a hash may take another account.
  func hasRoom(for hash: UInt64) -> Bool { unsafe stripe(hash).pointee.table.count < stripeLimit }

  /// Brings an account into memory, unless it is there.
  func bringIn(_ image: Image, _ hash: UInt64) throws(StoreError) {
    try check(image)
    let stripe = unsafe stripe(hash)
    guard unsafe stripe.pointee.table.find(image.account.id, hash: hash) == nil else { return }
    _ = unsafe place(AccountTable.Slot(image), hash, in: stripe)
  }

  /// Applies the changes of a block, while the store is being opened.
  func replay(_ changes: ArraySlice<Replay.Change>, of block: RawSpan) throws {
    // All lines of memory that the block needs are fetched before the first is used.
    for change in changes { prefetchTags(change.hash) }
    for change in changes { prefetch(change.hash) }
    for change in changes {
      try replay(try Record(from: block, at: change.offset), change.hash, at: change.sequence)
    }
  }

  /// Applies an entry of the journal while the store is being opened, unless the account's image includes it.
  private func replay(_ record: borrowing Record, _ hash: UInt64, at sequence: SequenceNumber) throws(StoreError) {
    let account = record.entry.account
    let stripe = unsafe stripe(hash)
    var found = unsafe stripe.pointee.table.find(account, hash: hash)
    if unsafe found == nil {
      let image = try checkedImage(of: account)
      let slot =
        image.map { AccountTable.Slot($0) } ?? AccountTable.Slot(account: Account(account), imaged: .none, due: .never)
      unsafe found = place(slot, hash, in: stripe)
    }
    guard let slot = unsafe found, sequence > (unsafe slot.pointee.account.last) else { return }
    do throws(Inconsistency) { unsafe try slot.pointee.account.apply(record, at: sequence) } catch {
      throw .corrupt(what: "the entry of account \(account)", at: sequence, reason: error.reason)
    }
  }

  /// Sets the timers of all accounts in memory, and finds their open charges, once the journal has been replayed.
  func startTimers() {
    for index in 0..<Stripe.count {
      let stripe = unsafe stripes + index
      for number in 0..<(unsafe stripe.pointee.table.capacity) {
        guard unsafe stripe.pointee.table.isOccupied(number) else { continue }
        let slot = unsafe stripe.pointee.table.pointer(number)
        unsafe schedule(slot, in: stripe)
        let (id, isOpen) = unsafe (slot.pointee.account.id, slot.pointee.account.hasCharges)
        if unsafe isOpen || slot.pointee.hasChargesRow { openCharges.note(id, isOpen: isOpen) }
      }
    }
  }

  /// Whether one of some stripes has more accounts than it may while the store is being opened.
  func isOverfull(_ range: Range<Int>) -> Bool {
    for index in range where unsafe stripes[index].table.count > Ledger.most(stripeLimit) {
      return true
    }
    return false
  }

  /// Lets all clean accounts go until memory is within its bound, while the store is being opened.
  func trim(durable: UInt64) {
    for index in 0..<Stripe.count {
      let stripe = unsafe stripes + index
      var tries = 0
      while unsafe stripe.pointee.table.count > stripeLimit, unsafe tries < 4 * stripe.pointee.table.capacity {
        if unsafe stripe.pointee.table.evict(durable: durable, now: .zero) { unsafe stripe.pointee.evictions += 1 }
        tries += 1
      }
    }
  }
}

// MARK: The checkpoint sweep

/// How far the sweep has come.
struct SweepPosition: Equatable {
  var stripe = 0
  var position = 0
  var generation = -1
}

extension Ledger {
  /// Copies the images of dirty accounts at the next positions of the tables, in the order of hashes.
  ///
  /// - Parameters:
  ///   - budget: The number of positions to look at.
  ///   - commit: The number of the commit that will take the images.
  /// - Returns: Whether the last position was passed, so that the sweep begins again.
  func sweep(from place: inout SweepPosition, positions budget: Int, commit: UInt64, into batch: ImageBatch) -> Bool {
    var left = budget
    while left > 0 {
      let stripe = unsafe stripes + place.stripe
      unsafe stripe.pointee.lock.lock()
      if unsafe place.generation != stripe.pointee.table.generation {
        place.position = 0
        place.generation = unsafe stripe.pointee.table.generation
      }
      // A few positions at a time, so that nobody waits long for the lock.
      let end = unsafe min(place.position + min(left, 64), stripe.pointee.table.capacity)
      left -= end - place.position
      for number in place.position..<end where unsafe stripe.pointee.table.isOccupied(number) {
        let slot = unsafe stripe.pointee.table.pointer(number)
        guard unsafe slot.pointee.imaged < slot.pointee.account.last else { continue }
        unsafe batch.add(
          slot.pointee.account, hash: key.hash(slot.pointee.account.id), oldDue: slot.pointee.due,
          hadCharges: slot.pointee.hasChargesRow)
        unsafe slot.pointee.hasChargesRow = slot.pointee.account.hasCharges
        unsafe slot.pointee.imaged = slot.pointee.account.last
        unsafe slot.pointee.imagedIn = commit
        unsafe slot.pointee.due = slot.pointee.account.tripTime
      }
      let isEnd = unsafe end == stripe.pointee.table.capacity
      unsafe stripe.pointee.lock.unlock()
      place.position = end
      if isEnd {
        place = SweepPosition(stripe: (place.stripe + 1) % Stripe.count)
        if place.stripe == 0 { return true }
      }
    }
    return false
  }

  /// The number of positions that a whole sweep looks at.
  var sweepLength: Int {
    var sum = 0
    for index in 0..<Stripe.count {
      sum += unsafe stripes[index].lock.withLock { unsafe stripes[index].table.capacity }
    }
    return sum
  }
}
