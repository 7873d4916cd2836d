internal import Glibc

/// A stretch of address space that is reserved at its full size at once and takes memory only as it is touched.
///
/// Tables that live in a region grow in place and never move. Once they are large, huge pages spare them most of the
/// misses of the processor's address cache, which cost as much as the accesses themselves.
@safe struct Region: @unchecked Sendable {
  // Safe to share: the address and the length never change; what lies there is for its user to protect.
  let start: UnsafeMutableRawPointer
  let bytes: Int

  static let hugePage = 2 << 20

  /// Reserves address space; the memory reads as zeros. Throws `invalidArgument` if the system refuses.
  init(bytes: Int) throws(StoreError) {
    let whole = (bytes + Region.hugePage - 1) / Region.hugePage * Region.hugePage
    // Twice a huge page more, so that the start can be aligned to one.
    let reserved = unsafe mmap(
      nil, whole + Region.hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let reserved = unsafe reserved, unsafe reserved != MAP_FAILED else {
      throw .invalidArgument(
        "the system refuses \(whole) bytes of address space; lower residentAccounts or windowRequests"
      )
    }
    let lead = -Int(bitPattern: reserved) & (Region.hugePage - 1)
    if lead > 0 { unsafe munmap(reserved, lead) }
    if lead < Region.hugePage { unsafe munmap(reserved + lead + whole, Region.hugePage - lead) }
    unsafe start = reserved + lead
    self.bytes = whole
  }

  /// Gives the address space back; nothing in it may be used any more.
  func destroy() { unsafe munmap(start, bytes) }

  /// Asks for huge pages for all memory that is touched from now on; does nothing where there are none.
  func useHugePages() { unsafe madvise(start, bytes, MADV_HUGEPAGE) }

  /// Asks for huge pages for a part, also where memory is in use already.
  ///
  /// Moving what is in use takes up to some milliseconds for each huge page.
  func useHugePages(for part: Range<Int>) {
    let first = part.lowerBound / Region.hugePage * Region.hugePage
    for offset in stride(from: first, to: part.upperBound, by: Region.hugePage) {
      unsafe madvise(start + offset, Region.hugePage, MADV_HUGEPAGE)
      // MADV_COLLAPSE, since Linux 6.1: does at once what the kernel would get round to some time later. One by one,
      // since it ends at the first that nobody has used yet.
      unsafe madvise(start + offset, Region.hugePage, 25)
    }
  }
}
