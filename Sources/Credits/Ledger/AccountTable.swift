internal import CPrefetch
internal import Synchronization

/// The accounts of one stripe that are in memory: slots, each at its account's usual place if that was vacant, and a
/// hash index over them.
///
/// Index positions follow the order of hashes, which is the order of the images on disk, so a walk over the index
/// meets the pages of the accounts table one after the other. This file is one of the two rooms for unsafe code: slots
/// are reached through pointers, so that a look-up costs one memory access, or two, and neither reference counting nor
/// exclusivity checks. All of it is used under the stripe's lock, but for `glimpse` and what prefetches.
@safe struct AccountTable: ~Copyable {
  /// An account in memory, and what the store keeps about it: 192 bytes, three cache lines.
  struct Slot {
    var account: Account
    /// Whether the account was brought into memory since the eviction's hand last passed.
    var isFresh = true
    /// Whether the account has a row in the table of open charges.
    var hasChargesRow = false
    /// The sequence number that the account's latest image includes; an account is dirty while its last entry is later.
    var imaged: SequenceNumber
    /// The commit that took the image with it.
    var imagedIn: UInt64 = 0
    /// The time of the account's row in the table of due times; `never` for no row.
    var due: Timestamp
    /// The time of the account's valid row in the stripe's timers; `never` for none.
    var timer: Timestamp = .never

    /// A slot for an account that was never stored.
    init(account: Account, imaged: SequenceNumber, due: Timestamp) {
      self.account = account
      self.imaged = imaged
      self.due = due
    }

    /// A slot for an account as it is stored.
    init(_ image: Image) {
      self.init(account: image.account, imaged: image.account.last, due: image.due)
      hasChargesRow = image.account.hasCharges
    }

    /// Whether no account is there: the memory of a slot is zero then, and an account has a last entry.
    @inline(__always) var isVacant: Bool { account.last == .none }
  }

  private static let tombstone: UInt64 = 0xFFFF_FFFF

  /// The most accounts that fit.
  let limit: Int
  private let slots: UnsafeMutablePointer<Slot>
  private let index: UnsafeMutablePointer<Atomic<UInt64>>
  private let positions = Atomic<Int>(16)
  private var occupied = 0
  private var hand = 0
  /// The number of accounts.
  private(set) var count = 0
  /// Rises whenever accounts change their places in the index: a walk that sees it change starts again.
  private(set) var generation = 0

  /// Makes a table with room for a number of accounts, in zeroed memory of the sizes below that outlives it.
  init(limit: Int, slots: UnsafeMutableRawPointer, index: UnsafeMutableRawPointer) {
    self.limit = limit
    unsafe self.slots = slots.bindMemory(to: Slot.self, capacity: limit)
    unsafe self.index = index.bindMemory(to: Atomic<UInt64>.self, capacity: AccountTable.positions(for: limit))
  }

  /// The bytes of the slots of a table with room for a number of accounts.
  static func slotBytes(for limit: Int) -> Int { limit * MemoryLayout<Slot>.stride }

  /// The bytes of its index.
  static func indexBytes(for limit: Int) -> Int { positions(for: limit) * MemoryLayout<UInt64>.stride }

  /// The positions of an index that is at most three quarters full of accounts.
  private static func positions(for limit: Int) -> Int {
    var positions = 16
    while positions / 4 * 3 < limit { positions *= 2 }
    return positions
  }

  /// Gives back what the slots refer to; their memory is their owner's.
  func destroy() {
    for position in 0..<capacity {
      if let number = slot(atPosition: position) { unsafe pointer(number).deinitialize(count: 1) }
    }
  }

  /// The address of a slot; its account stays there until the generation changes.
  @inline(__always) func pointer(_ slot: UInt32) -> UnsafeMutablePointer<Slot> { unsafe slots + Int(slot) }

  /// The number of a slot.
  func number(of slot: UnsafeMutablePointer<Slot>) -> UInt32 { UInt32(unsafe slot - slots) }

  /// The part of a hash that the index keeps: 32 bits after those that chose the stripe.
  @inline(__always) private static func tag(_ hash: UInt64) -> UInt64 { (hash << UInt64(Stripe.bits)) >> 32 }

  /// The number of positions of the index.
  @inline(__always) var capacity: Int { positions.load(ordering: .relaxed) }

  /// The word at a position: the tag of an account's hash and its slot's number and one; zero where no account ever
  /// was.
  @inline(__always) private func word(_ position: Int) -> UInt64 { unsafe index[position].load(ordering: .relaxed) }

  @inline(__always) private func setWord(_ position: Int, _ word: UInt64) {
    unsafe index[position].store(word, ordering: .relaxed)
  }

  @inline(__always) private func home(_ tag: UInt64, _ capacity: Int) -> Int {
    Int(truncatingIfNeeded: tag >> UInt64(32 - capacity.trailingZeroBitCount))
  }

  /// The slot that an account is put into where that is free: a look-up that finds it there needs no index.
  @inline(__always) private func usual(_ tag: UInt64) -> UnsafeMutablePointer<Slot> {
    unsafe slots + Int(truncatingIfNeeded: (tag &* UInt64(truncatingIfNeeded: min(capacity, limit))) >> 32)
  }

  /// Fetches the lines that an account is probably looked up in. Needs no lock.
  @inline(__always) func prefetchIndex(_ hash: UInt64) {
    let tag = AccountTable.tag(hash)
    unsafe prefetch_for_writing(index + home(tag, capacity))
    unsafe prefetch(usual(tag))
  }

  /// Fetches the two lines of a slot that a debit needs.
  @inline(__always) private func prefetch(_ slot: UnsafeMutablePointer<Slot>) {
    unsafe prefetch_for_writing(slot)
    unsafe prefetch_for_writing(UnsafeRawPointer(slot) + 64)
  }

  /// Fetches the slot that an account is probably in. Needs no lock: a wrong guess costs time only.
  @inline(__always) func prefetchSlot(_ hash: UInt64) {
    let tag = AccountTable.tag(hash)
    let word = word(home(tag, capacity))
    guard word >> 32 == tag, word & 0xFFFF_FFFF != AccountTable.tombstone else { return }
    let slot = unsafe pointer(UInt32(truncatingIfNeeded: word) &- 1)
    if unsafe slot != usual(tag) { unsafe prefetch(slot) }
  }

  /// The usual slot of a tag, if the account is there.
  @inline(__always) private func usual(_ tag: UInt64, of account: AccountID) -> UnsafeMutablePointer<Slot>? {
    let slot = unsafe usual(tag)
    return unsafe slot.pointee.account.id == account && !slot.pointee.isVacant ? slot : nil
  }

  /// The slot of an account.
  @inline(__always) func find(_ account: AccountID, hash: UInt64) -> UnsafeMutablePointer<Slot>? {
    let tag = AccountTable.tag(hash)
    if let slot = unsafe usual(tag, of: account) { return unsafe slot }
    let capacity = capacity
    var position = home(tag, capacity)
    while true {
      // Safe here and below: positions are masked by the capacity, and the index names slots in use only.
      let word = word(position)
      if word == 0 { return nil }
      if word >> 32 == tag, word & 0xFFFF_FFFF != AccountTable.tombstone {
        let slot = unsafe pointer(UInt32(truncatingIfNeeded: word) &- 1)
        if unsafe slot.pointee.account.id == account { return unsafe slot }
      }
      position = (position + 1) & (capacity - 1)
    }
  }

  /// What balances and gates say of an account.
  struct Glimpse {
    let balance: Balance
    let tripTime: Timestamp
    let status: AccountStatus

    @inline(__always) init(_ slot: UnsafePointer<Slot>) {
      balance = unsafe Balance(
        available: slot.pointee.account.available, held: slot.pointee.account.held, version: slot.pointee.account.last)
      tripTime = unsafe slot.pointee.account.tripTime
      status = unsafe slot.pointee.account.status
    }
  }

  /// What there is of an account to see, for whoever does not hold the stripe's lock: it may see anything while others
  /// change the table, but it ends, and reads only memory that is the table's.
  @inline(__always) func glimpse(of account: AccountID, hash: UInt64) -> Glimpse? {
    let tag = AccountTable.tag(hash)
    if let slot = unsafe usual(tag, of: account) { return unsafe Glimpse(slot) }
    let mask = capacity - 1
    let home = home(tag, mask + 1)
    for step in 0...mask {
      let word = word((home + step) & mask)
      if word == 0 { return nil }
      let number = word & 0xFFFF_FFFF
      guard word >> 32 == tag, number != AccountTable.tombstone else { continue }
      // Safe: words name slots below the limit only, whatever else they were a moment ago; their memory is
      // the table's until nobody uses it any more.
      let slot = unsafe pointer(UInt32(truncatingIfNeeded: number) &- 1)
      guard unsafe slot.pointee.account.id == account else { continue }
      return unsafe Glimpse(slot)
    }
    return nil
  }

  /// The slot at a position of the index, if an account is there.
  @inline(__always) func slot(atPosition position: Int) -> UInt32? {
    let low = word(position) & 0xFFFF_FFFF
    return low == 0 || low == AccountTable.tombstone ? nil : UInt32(low) - 1
  }

  /// Puts an account, which must not be there, into the table, which must not be full.
  mutating func insert(_ slot: Slot, hash: UInt64) -> UnsafeMutablePointer<Slot> {
    if occupied >= capacity / 4 * 3, occupied > count || capacity < AccountTable.positions(for: limit) { rebuild() }
    let pointer = unsafe place(AccountTable.tag(hash))
    unsafe pointer.initialize(to: slot)
    return unsafe pointer
  }

  /// Takes the usual slot of a tag, or the next one that is vacant, and notes it in the index.
  private mutating func place(_ tag: UInt64) -> UnsafeMutablePointer<Slot> {
    precondition(count < limit, "an account is put into a stripe that is full")
    var pointer = unsafe usual(tag)
    while unsafe !pointer.pointee.isVacant {
      unsafe pointer += 1
      if unsafe pointer == slots + limit { unsafe pointer = slots }
    }
    note(tag << 32 | UInt64(unsafe number(of: pointer) + 1))
    count += 1
    return unsafe pointer
  }

  /// Writes a word to the first position of the index that is free for its tag.
  private mutating func note(_ word: UInt64) {
    var position = home(word >> 32, capacity)
    while slot(atPosition: position) != nil { position = (position + 1) & (capacity - 1) }
    if self.word(position) == 0 { occupied += 1 }
    setWord(position, word)
  }

  /// Makes the index anew without the marks of removed accounts; if it is more than half full of others, twice as
  /// large, and moves all of them to the slots where they are looked for then.
  private mutating func rebuild() {
    let words = (0..<capacity).map { word($0) }.filter { $0 != 0 && $0 & 0xFFFF_FFFF != AccountTable.tombstone }
    for position in 0..<capacity { setWord(position, 0) }
    occupied = 0
    if count > capacity / 2, capacity < AccountTable.positions(for: limit) {
      let moved = UnsafeMutablePointer<Slot>.allocate(capacity: words.count)
      for (index, word) in words.enumerated() {
        let slot = unsafe pointer(UInt32(truncatingIfNeeded: word) - 1)
        unsafe (moved + index).moveInitialize(from: slot, count: 1)
        unsafe AccountTable.vacate(slot)
      }
      positions.store(2 * capacity, ordering: .relaxed)
      count = 0
      // First those that find their usual slot vacant, so that most do: moved in the order of hashes, each that has to
      // give way would take the next one's.
      var others: [Int] = []
      for (index, word) in words.enumerated() {
        if unsafe usual(word >> 32).pointee.isVacant {
          unsafe place(word >> 32).moveInitialize(from: moved + index, count: 1)
        } else {
          others.append(index)
        }
      }
      for index in others { unsafe place(words[index] >> 32).moveInitialize(from: moved + index, count: 1) }
      unsafe moved.deallocate()
    } else {
      for word in words { note(word) }
    }
    generation += 1
  }

  /// Makes the memory of a slot zero, whose account has gone.
  private static func vacate(_ slot: UnsafeMutablePointer<Slot>) {
    unsafe UnsafeMutableRawPointer(slot).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Slot>.size)
  }

  /// Removes one account that is clean; false if none was found among the next few.
  ///
  /// - Parameters:
  ///   - durable: The last commit that has returned.
  ///   - now: Accounts to which something has happened by this time are kept.
  mutating func evict(durable: UInt64, now: Timestamp) -> Bool {
    for _ in 0..<min(2 * capacity, 512) {
      hand = (hand + 1) & (capacity - 1)
      guard let number = slot(atPosition: hand) else { continue }
      let slot = unsafe pointer(number)
      guard unsafe slot.pointee.imaged == slot.pointee.account.last, unsafe slot.pointee.imagedIn <= durable,
        unsafe slot.pointee.account.tripTime > now
      else { continue }
      guard unsafe !slot.pointee.isFresh else {
        unsafe slot.pointee.isFresh = false
        continue
      }
      unsafe slot.deinitialize(count: 1)
      unsafe AccountTable.vacate(slot)
      setWord(hand, word(hand) | AccountTable.tombstone)
      count -= 1
      return true
    }
    return false
  }
}
