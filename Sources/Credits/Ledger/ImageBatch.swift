/// Images of accounts on their way into a commit, in one reused piece of memory.
@safe final class ImageBatch {
  /// One image: where it is, and the account's rows in the tables of due times and of open charges.
  struct Mark {
    let hash: UInt64
    let account: AccountID
    let offset: Int
    let size: Int
    let oldDue: Timestamp
    let newDue: Timestamp
    let hadCharges: Bool
    let hasCharges: Bool
  }

  private(set) var marks: [Mark] = []
  private var memory: UnsafeMutableRawBufferPointer
  private var used = 0

  init() { unsafe memory = .allocate(byteCount: 1 << 16, alignment: 64) }

  deinit { unsafe memory.deallocate() }

  var isEmpty: Bool { marks.isEmpty }

  func removeAll() {
    marks.removeAll(keepingCapacity: true)
    used = 0
  }

  /// Adds the image of an account.
  func add(_ account: Account, hash: UInt64, oldDue: Timestamp, hadCharges: Bool) {
    let image = Image(account: account, due: account.tripTime)
    let size = image.size
    if unsafe used + size > memory.count {
      let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * memory.count + size, alignment: 64)
      unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<used]))
      unsafe memory.deallocate()
      unsafe memory = larger
    }
    unsafe image.store(to: UnsafeMutableRawBufferPointer(rebasing: memory[used..<used + size]))
    marks.append(
      Mark(
        hash: hash, account: account.id, offset: used, size: size, oldDue: oldDue, newDue: account.tripTime,
        hadCharges: hadCharges, hasCharges: account.hasCharges))
    used += size
  }

  /// The bytes of one image.
  @_lifetime(borrow self)
  func bytes(of mark: Mark) -> RawSpan {
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[mark.offset..<mark.offset + mark.size])
    let span = unsafe RawSpan(_unsafeBytes: bytes)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
