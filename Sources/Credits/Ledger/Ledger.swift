internal import CPrefetch
internal import Synchronization

/// The accounts in memory: decides, appends to the open frame, applies.
///
/// Knows no disk: accounts that are not in memory come through a function that it is given. A verb answers `cold` if it
/// needs one; the caller then calls `load`, outside of all locks, and tries again.
@safe package final class Ledger: @unchecked Sendable {
  // Safe to share: stripes are used under their locks only; the rest is constant or safe by itself.
  let stripes: UnsafeMutablePointer<Stripe>
  private let slots: Region
  private let tags: Region
  /// The bytes of the slots of one stripe, and of its tags.
  private let slotBytes: Int
  private let tagBytes: Int
  /// The number of slots of one stripe from which on huge pages pay: about a third of a million accounts in all.
  private static let manySlots = 8_000
  let stripeLimit: Int
  let key: HashKey
  let window: RequestWindow
  let queue: FrameQueue
  /// Reads the image of an account that is not in memory; nil if there is none.
  let readImage: @Sendable (AccountID) throws(StoreError) -> Image?
  /// The accounts with charges that have not ended.
  let openCharges = OpenCharges()
  /// Rings when something is to happen by itself sooner than all that was known before.
  let timerBell = Bell()
  /// The number of the last commit that has returned.
  let durableCommit = Atomic<UInt64>(0)
  /// The number of accounts that were brought into memory.
  let loads = Atomic<Int>(0)
  /// Set when an account found no space, as all others are dirty: the sweep then hurries.
  let isCrowded = Atomic<Bool>(false)

  /// What came of a request.
  enum Decision {
    /// It is answered.
    case answered(Answer)
    /// It may have been answered before, by the entry named here; the caller confirms that.
    case seen(SequenceNumber)
    /// The account is not in memory.
    case cold
    /// The frame has no room, or the queue has stopped.
    case full
  }

  /// What came of loading an account.
  enum Loading: Equatable {
    case resident
    /// The account does not exist; it had been looked for after so many evictions.
    case absent(UInt64)
    /// All accounts in memory are dirty; wait for the next commit.
    case crowded
  }

  init(
    key: HashKey, residentAccounts: Int, window: RequestWindow, queue: FrameQueue,
    readImage: @escaping @Sendable (AccountID) throws(StoreError) -> Image?
  ) throws(StoreError) {
    self.key = key
    self.window = window
    self.queue = queue
    self.readImage = readImage
    // Hashing spreads accounts by chance: some room above the average, so that stripes fill at about the bound.
    stripeLimit = residentAccounts / Stripe.count * 33 / 32 + 16
    // The accounts of one block more than the most that a stripe has while a journal is replayed.
    let room = Ledger.most(stripeLimit) + 2 * Block.capacity / Entry.size
    slotBytes = AccountTable.slotBytes(for: room)
    tagBytes = AccountTable.tagBytes(for: room)
    slots = try Region(bytes: Stripe.count * slotBytes)
    do throws(StoreError) { tags = try Region(bytes: Stripe.count * tagBytes) } catch {
      slots.destroy()
      throw error
    }
    unsafe stripes = UnsafeMutableRawPointer.allocate(
      byteCount: Stripe.count * MemoryLayout<Stripe>.stride, alignment: 64
    ).bindMemory(to: Stripe.self, capacity: Stripe.count)
    for number in 0..<Stripe.count {
      let table = unsafe AccountTable(
        limit: room, key: key, slots: slots.start + number * slotBytes, tags: tags.start + number * tagBytes)
      unsafe (stripes + number).initialize(to: Stripe(table: table))
    }
  }

  deinit {
    for index in 0..<Stripe.count { unsafe stripes[index].destroy() }
    unsafe stripes.deinitialize(count: Stripe.count)
    unsafe stripes.deallocate()
    slots.destroy()
    tags.destroy()
  }

  /// The most accounts of a stripe while a journal is replayed: some more than its limit, so that clean ones need not
  /// go after every block. What the table has room for beyond the limit also keeps look-ups short.
  static func most(_ limit: Int) -> Int { limit + limit * 3 / 16 }

  @inline(__always) func stripe(_ hash: UInt64) -> UnsafeMutablePointer<Stripe> {
    // Safe: the leading bits of a hash number the stripes.
    unsafe stripes + Int(truncatingIfNeeded: hash >> UInt64(64 - Stripe.bits))
  }

  // MARK: Debits

  /// Decides a debit.
  ///
  /// The short path: an account in memory, a request never seen, and a debit that crosses nothing and is covered by the
  /// grant in use. It takes the lock of the stripe, and that of the frame within it.
  ///
  /// - Parameters:
  ///   - now: The time; the account's own is used where that is later.
  ///   - seen: Entries that were found for the request's fingerprint before and are of other requests.
  func debit(_ debit: Debit, at now: Timestamp, besides seen: [SequenceNumber] = []) -> Decision {
    let hash = key.hash(debit.account)
    let fingerprint = key.fingerprint(debit.request, of: hash)
    window.prefetch(fingerprint)
    unsafe stripe(hash).pointee.table.prefetchUsual(hash)
    return self.debit(debit, hash, fingerprint, at: now, besides: seen)
  }

  @inline(__always) private func debit(
    _ debit: Debit, _ hash: UInt64, _ fingerprint: UInt64, at now: Timestamp, besides seen: [SequenceNumber]
  ) -> Decision {
    // Entries that time makes carry this id: as a request, it could neither be answered nor remembered.
    if debit.request == .none { return .answered(.notRecorded(.invalid, at: now)) }
    let stripe = unsafe stripe(hash)
    unsafe stripe.pointee.lock.lock()
    defer { unsafe stripe.pointee.lock.unlock() }
    guard let slot = unsafe stripe.pointee.table.find(debit.account, hash: hash) else { return .cold }
    if let found = window.find(fingerprint, besides: seen) { return .seen(found) }
    let time = max(now, unsafe slot.pointee.account.time)
    guard debit.amount > 0, !isTooOld(debit.request), unsafe slot.pointee.account.isShort(debit.amount, at: time) else {
      if isTooOld(debit.request) { return .answered(.notRecorded(.tooOld, at: time)) }
      return unsafe decide(debit.command, debit.request, on: slot, in: stripe, at: time)
    }
    var entry = Entry(
      .debited, account: debit.account, request: debit.request, amount: debit.amount,
      available: unsafe slot.pointee.account.available - debit.amount, time: time,
      previous: unsafe slot.pointee.account.last)
    entry.detail = debit.extent.rawValue
    entry.grant = unsafe slot.pointee.account.head.number
    entry.price = debit.price
    entry.units = debit.units
    let sequence = queue.append(entry, furtherUnits: debit.furtherUnits) { window.insert(fingerprint, $0) }
    if sequence == .none { return .full }
    unsafe slot.pointee.account.applyShort(entry, at: sequence)
    return .answered(
      .done(
        Receipt(sequence: sequence, time: time, amount: entry.amount, balance: entry.available, isReplay: false)))
  }

  /// Decides debits, in order, until one needs more than memory; answers how many were decided.
  ///
  /// A few at a time: first their tags and lines of the window are fetched, then their slots, then they are decided. So
  /// the memory works on all of them at once, and a debit does not wait for each of its accesses.
  ///
  /// - Parameter last: Raised to the last entry that was made.
  func debit(
    _ debits: ArraySlice<Debit>, at now: Timestamp, into outcomes: inout [Outcome], last: inout SequenceNumber
  ) -> Int {
    var hashes = InlineArray<16, (account: UInt64, request: UInt64)>(repeating: (0, 0))
    var start = debits.startIndex
    while start < debits.endIndex {
      let count = min(hashes.count, debits.endIndex - start)
      for place in 0..<count {
        let hash = key.hash(debits[start + place].account)
        let fingerprint = key.fingerprint(debits[start + place].request, of: hash)
        hashes[place] = (hash, fingerprint)
        prefetchTags(hash)
        window.prefetch(fingerprint)
      }
      for place in 0..<count { prefetch(hashes[place].account) }
      for place in 0..<count {
        let (hash, fingerprint) = hashes[place]
        let decision = debit(debits[start + place], hash, fingerprint, at: now, besides: [])
        guard case .answered(let answer) = decision else { return start + place - debits.startIndex }
        if let sequence = answer.sequence, sequence > last { last = sequence }
        outcomes.append(Outcome(answer))
      }
      start += count
    }
    return debits.count
  }

  /// Fetches the tags that an account is looked up by, and the lock of its stripe.
  @inline(__always) func prefetchTags(_ hash: UInt64) {
    let stripe = unsafe stripe(hash)
    unsafe prefetch_for_writing(UnsafeRawPointer(stripe) + MemoryLayout<Stripe>.stride / 2)
    unsafe stripe.pointee.table.prefetchTags(hash)
  }

  /// Fetches the lines of the slot that an account is probably in.
  @inline(__always) func prefetch(_ hash: UInt64) { unsafe stripe(hash).pointee.table.prefetch(hash) }

  @inline(__always) private func isTooOld(_ request: RequestID) -> Bool {
    guard let made = request.time else { return false }
    // Not only before it: what was made and forgotten at this very moment must not be executed again.
    return made <= window.oldest
  }

  // MARK: All other verbs

  /// Decides any command by the full rules.
  ///
  /// - Parameter absent: Set if the account was found to be absent, after so many evictions.
  func submit(
    _ command: Command, to account: AccountID, request: RequestID, at now: Timestamp, besides seen: [SequenceNumber],
    absent: UInt64? = nil
  ) -> Decision {
    if request == .none { return .answered(.notRecorded(.invalid, at: now)) }
    let hash = key.hash(account)
    let fingerprint = key.fingerprint(request, of: hash)
    let stripe = unsafe stripe(hash)
    unsafe stripe.pointee.lock.lock()
    defer { unsafe stripe.pointee.lock.unlock() }
    let found = unsafe stripe.pointee.table.find(account, hash: hash)
    if unsafe found == nil, unsafe absent != stripe.pointee.evictions { return .cold }
    if let known = window.find(fingerprint, besides: seen) { return .seen(known) }
    // The window may have forgotten a hold and not its end: the request is not executed a second time.
    if case .hold = command, find(request.endOfHold, of: account, besides: []) != nil {
      return .answered(.notRecorded(.tooOld, at: now))
    }
    if isTooOld(request) { return .answered(.notRecorded(.tooOld, at: now)) }
    guard let slot = unsafe found else {
      return unsafe create(account, hash, command, request, in: stripe, at: now)
    }
    let time = max(now, unsafe slot.pointee.account.time)
    return unsafe decide(command, request, on: slot, in: stripe, at: time)
  }

  /// The entry that the window has for a request, besides those that are known to be of others; the caller confirms it.
  func find(_ request: RequestID, of account: AccountID, besides seen: [SequenceNumber]) -> SequenceNumber? {
    window.find(key.fingerprint(request, of: key.hash(account)), besides: seen)
  }

  /// Does to an account what no request asks for: a step of a charge. Answers with the account's last entry.
  func act(_ command: Command, on account: AccountID, at now: Timestamp) -> Decision {
    let hash = key.hash(account)
    let stripe = unsafe stripe(hash)
    unsafe stripe.pointee.lock.lock()
    defer { unsafe stripe.pointee.lock.unlock() }
    guard let slot = unsafe stripe.pointee.table.find(account, hash: hash) else { return .cold }
    let time = max(now, unsafe slot.pointee.account.time)
    if case .full = unsafe decide(command, .none, on: slot, in: stripe, at: time) { return .full }
    let (last, available) = unsafe (slot.pointee.account.last, slot.pointee.account.available)
    return .answered(
      .done(Receipt(sequence: last, time: time, amount: 0, balance: available, isReplay: false)))
  }

  private func decide(
    _ command: Command, _ request: RequestID, on slot: UnsafeMutablePointer<AccountTable.Slot>,
    in stripe: UnsafeMutablePointer<Stripe>, at time: Timestamp
  ) -> Decision {
    var draft = Draft(unsafe slot.pointee.account)
    while !draft.settle(at: time) {
      if unsafe keep(&draft, in: slot) == .none { return .full }
      draft = Draft(unsafe slot.pointee.account)
    }
    let reason = draft.decide(command, request: request, at: time)
    if draft.records.isEmpty { return .answered(.notRecorded(reason ?? .invalid, at: time)) }
    let first = unsafe keep(&draft, in: slot)
    if first == .none { return .full }
    unsafe schedule(slot, in: stripe)
    return .answered(draft.answer(to: request, from: first) ?? .notRecorded(reason ?? .invalid, at: time))
  }

  /// Appends a draft to the frame, remembers its requests and makes its state that of the account; none if the frame
  /// has no room for it.
  func keep(_ draft: inout Draft, in slot: UnsafeMutablePointer<AccountTable.Slot>) -> SequenceNumber {
    let first = append(&draft, follows: draft.account.isWatched)
    if first != .none { unsafe slot.pointee.account = draft.account }
    return first
  }

  private func append(_ draft: inout Draft, label: String? = nil, follows: Bool) -> SequenceNumber {
    let account = draft.account.id
    let hash = key.hash(account)
    var isOfCharge = false
    let first = queue.append(&draft, label: label, follows: follows) { (record, sequence) in
      if record.entry.kind.isOfCharge { isOfCharge = true }
      guard record.entry.request != .none else { return }
      window.insert(key.fingerprint(record.entry.request, of: hash), sequence)
    }
    if isOfCharge { openCharges.note(account, isOpen: draft.account.hasCharges) }
    return first
  }

  /// Runs a command on an account that does not exist, and puts it into the table if the command opens it.
  private func create(
    _ account: AccountID, _ hash: UInt64, _ command: Command, _ request: RequestID,
    in stripe: UnsafeMutablePointer<Stripe>, at time: Timestamp
  ) -> Decision {
    var draft = Draft(Account(account))
    if let reason = draft.decide(command, request: request, at: time) {
      return .answered(.notRecorded(reason, at: time))
    }
    guard unsafe makeSpace(in: stripe, at: time) else { return .full }
    var label: String?
    if case .open(let text) = command, !text.isEmpty { label = text }
    let first = append(&draft, label: label, follows: false)
    guard first != .none, let answer = draft.answer(to: request, from: first) else { return .full }
    unsafe insert(AccountTable.Slot(account: draft.account, imaged: .none, due: .never), hash, in: stripe)
    return .answered(answer)
  }

  /// Puts an account into the table of its stripe, and asks for huge pages once that is large.
  func place(
    _ slot: AccountTable.Slot, _ hash: UInt64, in stripe: UnsafeMutablePointer<Stripe>
  ) -> UnsafeMutablePointer<AccountTable.Slot> {
    let generation = unsafe stripe.pointee.table.generation
    let pointer = unsafe stripe.pointee.table.insert(slot, hash: hash)
    if unsafe stripe.pointee.table.generation != generation {
      // Accounts have moved, which timers know by their slots.
      unsafe stripe.pointee.pushTimers()
      if unsafe stripe.pointee.table.capacity >= Ledger.manySlots {
        let number = unsafe stripe - stripes
        slots.useHugePages(for: number * slotBytes..<(number + 1) * slotBytes)
        tags.useHugePages(for: number * tagBytes..<(number + 1) * tagBytes)
      }
    }
    return unsafe pointer
  }

  func insert(_ slot: AccountTable.Slot, _ hash: UInt64, in stripe: UnsafeMutablePointer<Stripe>) {
    let pointer = unsafe place(slot, hash, in: stripe)
    if unsafe stripe.pointee.followed[slot.account.id] != nil { unsafe pointer.pointee.account.isWatched = true }
    unsafe schedule(pointer, in: stripe)
  }

  /// Sees to it that the timer looks at an account when something next happens to it by itself.
  func schedule(_ slot: UnsafeMutablePointer<AccountTable.Slot>, in stripe: UnsafeMutablePointer<Stripe>) {
    let next = unsafe slot.pointee.account.tripTime
    guard next < (unsafe slot.pointee.timer) else { return }
    let isSoonest = unsafe next < stripe.pointee.timers.soonest
    unsafe slot.pointee.timer = next
    unsafe stripe.pointee.timers.push(next, stripe.pointee.table.number(of: slot))
    // Rows of accounts that have left stay until their time comes: clear them out before they are the most.
    if unsafe stripe.pointee.timers.count > 2 * stripe.pointee.table.count + 64 { unsafe stripe.pointee.pushTimers() }
    if isSoonest { timerBell.ring() }
  }

  /// Makes space for one more account; false if none can go.
  func makeSpace(in stripe: UnsafeMutablePointer<Stripe>, at now: Timestamp) -> Bool {
    if unsafe stripe.pointee.table.count < stripeLimit { return true }
    guard unsafe stripe.pointee.table.evict(durable: durableCommit.load(ordering: .acquiring), now: now) else {
      isCrowded.store(true, ordering: .relaxed)
      return false
    }
    unsafe stripe.pointee.evictions += 1
    return true
  }
}
