internal import CPrefetch
internal import Synchronization

/// The accounts of one stripe that are in memory: slots in groups of seven, and a word of tags for each group.
///
/// An account lies in the group that its hash names, or, where that was full, in one of the next. A tag is a byte of
/// the hash, so a look-up compares seven slots at once, in words that mostly stay in the processor's caches, and then,
/// as a rule, reads one slot. The eighth byte of a word counts the accounts that went past the group: where there are
/// none, the search ends. The hash also names one place of the group, which two accounts of three are in: whoever
/// looks for one fetches that along with the tags.
///
/// Groups follow the order of hashes, which is the order of the images on disk, so a walk over the slots meets the
/// pages of the accounts table one after the other. This file is one of the two rooms for unsafe code: slots are
/// reached through pointers, so that a look-up costs neither reference counting nor exclusivity checks. All of it is
/// used under the stripe's lock, but for `find` where what it finds is checked afterwards, and what prefetches.
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
  }

  /// The slots of a group; the eighth byte of its word counts those that went past it.
  private static let groupSize = 7
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let lows: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
  /// One of those that went past a full group, and the most that are counted: from there on the count stays.
  private static let passer: UInt64 = 1 << 56
  private static let mostPassers: UInt64 = 255

  /// The most accounts that fit.
  let limit: Int
  private let key: HashKey
  private let slots: UnsafeMutablePointer<Slot>
  private let words: UnsafeMutablePointer<Atomic<UInt64>>
  private let groups = Atomic<Int>(1)
  /// Fills a cache line, which all others keep that only look accounts up.
  private let padding = 0
  private var hand = 0
  /// The number of accounts.
  private(set) var count = 0
  /// Rises whenever accounts change their places: a walk that sees it change starts again.
  private(set) var generation = 0

  /// Makes a table with room for a number of accounts, in zeroed memory of the sizes below that outlives it.
  init(limit: Int, key: HashKey, slots: UnsafeMutableRawPointer, tags: UnsafeMutableRawPointer) {
    self.limit = limit
    self.key = key
    let groups = AccountTable.groups(for: limit)
    unsafe self.slots = slots.bindMemory(to: Slot.self, capacity: groups * AccountTable.groupSize)
    unsafe words = tags.bindMemory(to: Atomic<UInt64>.self, capacity: groups)
  }

  /// The bytes of the slots of a table with room for a number of accounts.
  static func slotBytes(for limit: Int) -> Int { groups(for: limit) * groupSize * MemoryLayout<Slot>.stride }

  /// The bytes of its tags, in whole cache lines.
  static func tagBytes(for limit: Int) -> Int { (groups(for: limit) + 7) / 8 * 64 }

  private static func groups(for limit: Int) -> Int { (limit + groupSize - 1) / groupSize }

  /// Gives back what the slots refer to; their memory is their owner's.
  func destroy() {
    for number in 0..<capacity where isOccupied(number) { unsafe pointer(number).deinitialize(count: 1) }
  }

  /// The number of slots that are used now, a whole number of groups; it grows up to what the limit needs.
  @inline(__always) var capacity: Int { groups.load(ordering: .relaxed) * AccountTable.groupSize }

  /// The address of a slot; its account stays there until the generation changes.
  @inline(__always) func pointer(_ slot: Int) -> UnsafeMutablePointer<Slot> { unsafe slots + slot }

  /// The number of a slot.
  func number(of slot: UnsafeMutablePointer<Slot>) -> UInt32 { UInt32(unsafe slot - slots) }

  /// Whether an account is in a slot.
  @inline(__always) func isOccupied(_ slot: Int) -> Bool {
    let (group, place) = slot.quotientAndRemainder(dividingBy: AccountTable.groupSize)
    return word(group) >> UInt64(8 * place) & 0xFF != 0
  }

  @inline(__always) private func word(_ group: Int) -> UInt64 { unsafe words[group].load(ordering: .relaxed) }

  @inline(__always) private func setWord(_ group: Int, _ word: UInt64) {
    unsafe words[group].store(word, ordering: .relaxed)
  }

  /// The group that an account is put into where that has room, by 32 bits of its hash after those of the stripe.
  @inline(__always) private func home(_ hash: UInt64, _ groups: Int) -> Int {
    Int(truncatingIfNeeded: ((hash << UInt64(Stripe.bits)) >> 32 &* UInt64(truncatingIfNeeded: groups)) >> 32)
  }

  /// The group that takes what a full one cannot.
  @inline(__always) private static func next(_ group: Int, of groups: Int) -> Int {
    group &+ 1 == groups ? 0 : group &+ 1
  }

  /// The place that an account is put into where that is vacant, by eight bits of its hash.
  @inline(__always) private static func usual(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: ((hash >> 8) & 0xFF) &* UInt64(groupSize)) >> 8
  }

  /// The address of a place in a group.
  @inline(__always) private func pointer(_ group: Int, _ place: Int) -> UnsafeMutablePointer<Slot> {
    unsafe slots + (group &* AccountTable.groupSize &+ place)
  }

  /// The tag of a hash, its last byte; zero stands for a slot where no account is.
  @inline(__always) private static func tag(_ hash: UInt64) -> UInt64 { max(hash & 0xFF, 1) }

  /// The bytes of a group's slots that are zero, each as its highest bit.
  ///
  /// Exact, where the better known `(word &- ones) & ~word` also names a one that follows a zero: the account of a slot
  /// that was given back, whose memory is as it was, would be found.
  @inline(__always) private static func zeros(_ word: UInt64) -> UInt64 {
    ~((word & lows) &+ lows | word | lows) & 0x00FF_FFFF_FFFF_FFFF
  }

  /// The slots of a group that may have the account of a hash.
  @inline(__always) private static func matches(_ word: UInt64, _ hash: UInt64) -> UInt64 {
    zeros(word ^ (tag(hash) &* ones))
  }

  /// Fetches the tags that an account is looked up by.
  @inline(__always) func prefetchTags(_ hash: UInt64) {
    unsafe prefetch_for_reading(words + home(hash, groups.load(ordering: .relaxed)))
  }

  /// Fetches the lines that a debit needs of the slot that an account is probably in, by its tags. Needs no lock: a
  /// wrong guess costs time only.
  @inline(__always) func prefetch(_ hash: UInt64) {
    let group = home(hash, groups.load(ordering: .relaxed))
    prefetch(group, place: AccountTable.matches(word(group), hash).trailingZeroBitCount >> 3)
  }

  /// Fetches these lines of the place where an account usually is, without waiting for its tags.
  @inline(__always) func prefetchUsual(_ hash: UInt64) {
    prefetch(home(hash, groups.load(ordering: .relaxed)), place: AccountTable.usual(hash))
  }

  @inline(__always) private func prefetch(_ group: Int, place: Int) {
    let slot = unsafe pointer(group, place)
    unsafe prefetch_for_writing(slot)
    unsafe prefetch_for_writing(UnsafeRawPointer(slot) + 64)
  }

  /// Fetches the line that a balance is read from, likewise.
  @inline(__always) func prefetchBalance(_ hash: UInt64) {
    unsafe prefetch_for_reading(pointer(home(hash, groups.load(ordering: .relaxed)), AccountTable.usual(hash)))
  }

  /// The slot of an account.
  ///
  /// Comes to an end, and reads only memory that is the table's, also while others change the table.
  @inline(__always) func find(_ account: AccountID, hash: UInt64) -> UnsafeMutablePointer<Slot>? {
    let groups = groups.load(ordering: .relaxed)
    var group = home(hash, groups)
    var left = groups
    while left != 0 {
      let word = word(group)
      var matches = AccountTable.matches(word, hash)
      while matches != 0 {
        let slot = unsafe pointer(group, matches.trailingZeroBitCount >> 3)
        if unsafe slot.pointee.account.id == account { return unsafe slot }
        matches &= matches &- 1
      }
      if word < AccountTable.passer { return nil }
      group = AccountTable.next(group, of: groups)
      left &-= 1
    }
    return nil
  }

  /// Puts an account, which must not be there, into the table, which must not be full.
  mutating func insert(_ slot: Slot, hash: UInt64) -> UnsafeMutablePointer<Slot> {
    precondition(count < limit, "an account is put into a stripe that is full")
    if count >= capacity / 4 * 3, capacity < limit { grow() }
    let pointer = unsafe place(hash)
    unsafe pointer.initialize(to: slot)
    return unsafe pointer
  }

  /// Takes a vacant slot for an account: in its group, or in the next one that has one.
  private mutating func place(_ hash: UInt64) -> UnsafeMutablePointer<Slot> {
    let groups = groups.load(ordering: .relaxed)
    var group = home(hash, groups)
    while true {
      let word = word(group)
      let vacant = AccountTable.zeros(word)
      if vacant != 0 {
        let usual = AccountTable.usual(hash)
        let place = vacant >> UInt64(8 * usual) & 0xFF != 0 ? usual : vacant.trailingZeroBitCount >> 3
        setWord(group, word | AccountTable.tag(hash) << UInt64(8 * place))
        count += 1
        return unsafe pointer(group, place)
      }
      if word >> 56 < AccountTable.mostPassers { setWord(group, word + AccountTable.passer) }
      group = AccountTable.next(group, of: groups)
    }
  }

  /// Gives a slot back, whose account has gone.
  private mutating func vacate(_ slot: Int, hash: UInt64) {
    let (last, place) = slot.quotientAndRemainder(dividingBy: AccountTable.groupSize)
    setWord(last, word(last) & ~(0xFF << UInt64(8 * place)))
    count -= 1
    let groups = groups.load(ordering: .relaxed)
    var group = home(hash, groups)
    while group != last {
      let word = word(group)
      if word >> 56 < AccountTable.mostPassers { setWord(group, word - AccountTable.passer) }
      group = AccountTable.next(group, of: groups)
    }
  }

  /// Doubles the number of groups, as far as the limit needs it, and moves all accounts to where they are looked for
  /// then.
  private mutating func grow() {
    let moved = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    var total = 0
    for number in 0..<capacity where isOccupied(number) {
      unsafe (moved + total).moveInitialize(from: pointer(number), count: 1)
      total += 1
    }
    let groups = min(2 * groups.load(ordering: .relaxed), AccountTable.groups(for: limit))
    for group in 0..<groups { setWord(group, 0) }
    self.groups.store(groups, ordering: .relaxed)
    count = 0
    // First those that find their usual place vacant: each that has to give way would take another's.
    var others: [Int] = []
    for index in 0..<total {
      let hash = unsafe key.hash((moved + index).pointee.account.id)
      if isOccupied(home(hash, groups) * AccountTable.groupSize + AccountTable.usual(hash)) {
        others.append(index)
      } else {
        unsafe place(hash).moveInitialize(from: moved + index, count: 1)
      }
    }
    for index in others {
      let hash = unsafe key.hash((moved + index).pointee.account.id)
      unsafe place(hash).moveInitialize(from: moved + index, count: 1)
    }
    unsafe moved.deallocate()
    generation += 1
  }

  /// Removes one account that is clean; false if none was found among the next few.
  ///
  /// - Parameters:
  ///   - durable: The last commit that has returned.
  ///   - now: Accounts to which something has happened by this time are kept.
  mutating func evict(durable: UInt64, now: Timestamp) -> Bool {
    for _ in 0..<min(2 * capacity, 512) {
      hand = hand + 1 < capacity ? hand + 1 : 0
      guard isOccupied(hand) else { continue }
      let slot = unsafe pointer(hand)
      guard unsafe slot.pointee.imaged == slot.pointee.account.last, unsafe slot.pointee.imagedIn <= durable,
        unsafe slot.pointee.account.tripTime > now
      else { continue }
      guard unsafe !slot.pointee.isFresh else {
        unsafe slot.pointee.isFresh = false
        continue
      }
      let hash = unsafe key.hash(slot.pointee.account.id)
      unsafe slot.deinitialize(count: 1)
      vacate(hand, hash: hash)
      return true
    }
    return false
  }
}
