/// The stored form of an account's state.
///
/// A header of 112 bytes, then sections with a kind, a number of rows and a length each, so that later kinds of state
/// fit in.
package struct Image: Sendable {
  /// The state; its last entry is the one that the image includes.
  package var account: Account
  /// The time of the account's row in the table of due times; `never` for no row.
  package var due: Timestamp
  /// The sections for what few accounts have, in their stored form.
  private let sections: [UInt8]

  package init(account: Account, due: Timestamp) {
    self.account = account
    self.due = due
    sections = account.hasExtras ? account.extras.sections() : []
  }

  private static let version: UInt16 = 1
  private static let header = 112
  private static let grantSize = 40

  /// The length of the stored form in bytes.
  package var size: Int {
    let count = account.usableCount
    return Image.header + (count > 0 ? 8 : 0) + count * Image.grantSize + sections.count
  }

  /// Writes the stored form to memory of at least its size.
  package func store(to memory: UnsafeMutableRawBufferPointer) {
    let size = self.size
    var writer = unsafe ByteWriter(memory)
    writer.write(Image.version)
    writer.write(0 as UInt16)
    writer.write(UInt32(size))
    writer.write(0 as UInt64)
    writer.write(account.id.high)
    writer.write(account.id.low)
    writer.write(account.last.value)
    writer.write(account.time.microseconds)
    writer.write(account.available.millionths)
    writer.write(account.held.millionths)
    writer.write(account.granted.millionths)
    writer.write(account.spent.millionths)
    writer.write(account.expired.millionths)
    writer.write(account.opened.value)
    writer.write(due.microseconds)
    writer.write(account.lastGrant)
    writer.write(account.status.rawValue)
    writer.writeZeros(3)
    let usable = account.usable
    if !usable.isEmpty {
      writer.write(ImageSection.usable.rawValue)
      writer.write(UInt16(usable.count))
      writer.write(UInt32(usable.count * Image.grantSize))
      for grant in usable { Image.write(grant, to: &writer) }
    }
    for byte in sections { writer.write(byte) }
    let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[16..<size]))
    unsafe memory.storeBytes(of: Checksum.of(bytes).littleEndian, toByteOffset: 8, as: UInt64.self)
  }

  private static func write(_ grant: Grant, to writer: inout ByteWriter) {
    writer.write(grant.number)
    writer.write(grant.kind.rawValue)
    writer.write(grant.priority)
    writer.writeZeros(2)
    writer.write(grant.amount.millionths)
    writer.write(grant.remaining.millionths)
    writer.write(grant.starts.microseconds)
    writer.write(grant.expires.microseconds)
  }

  /// Reads a stored form, and checks every byte of it.
  package init(from bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    let version: UInt16 = try reader.read()
    guard version == Image.version else { throw DecodingError("an image is of version \(version)") }
    try reader.readZeros(2)
    guard Int(try reader.read(UInt32.self)) == bytes.byteCount, bytes.byteCount >= Image.header else {
      throw DecodingError("an image has another length than it says")
    }
    guard try reader.read(UInt64.self) == Checksum.of(bytes.extracting(16..<bytes.byteCount)) else {
      throw DecodingError("an image's checksum does not match")
    }
    let high: UInt64 = try reader.read()
    let id = AccountID(high: high, low: try reader.read())
    let last = SequenceNumber(try reader.read())
    let time = Timestamp(microseconds: try reader.read())
    let available = Amount(millionths: try reader.read())
    let held = Amount(millionths: try reader.read())
    let granted = Amount(millionths: try reader.read())
    let spent = Amount(millionths: try reader.read())
    let expired = Amount(millionths: try reader.read())
    let opened = SequenceNumber(try reader.read())
    due = Timestamp(microseconds: try reader.read())
    let lastGrant: UInt32 = try reader.read()
    guard let status = AccountStatus(rawValue: try reader.read()) else {
      throw DecodingError("an image has an unknown status")
    }
    guard last <= .highest else { throw DecodingError("an image includes entries up to \(last)") }
    try reader.readZeros(3)
    var usable: [Grant] = []
    var extras: Extras?
    var before: UInt16 = 0
    while reader.remaining > 0 {
      let code: UInt16 = try reader.read()
      let rows = Int(try reader.read(UInt16.self))
      let length = Int(try reader.read(UInt32.self))
      guard let section = ImageSection(rawValue: code), code > before, rows > 0, length <= reader.remaining else {
        throw DecodingError("an image has a section of the unknown kind \(code), or has it twice")
      }
      before = code
      // Rows end with their section, whatever stands behind it.
      let end = reader.offset + length
      var body = ByteReader(bytes.extracting(0..<end), at: reader.offset)
      if section == .usable {
        for _ in 0..<rows { usable.append(try body.readGrant()) }
      } else {
        if extras == nil { extras = Extras() }
        try extras?.read(section, rows: rows, of: id, from: &body)
      }
      guard body.remaining == 0 else { throw DecodingError("section \(code) of an image has another length") }
      reader = ByteReader(bytes, at: end)
    }
    do throws(Inconsistency) {
      account = try Account(
        id: id, last: last, time: time,
        totals: Account.Totals(available: available, held: held, granted: granted, spent: spent, expired: expired),
        opened: opened, lastGrant: lastGrant, status: status, usable: usable, extras: extras)
    } catch { throw DecodingError("an image is inconsistent: \(error.reason)") }
    sections = account.hasExtras ? account.extras.sections() : []
  }
}
