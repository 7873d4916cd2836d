// Usage in the journal: by the row of the price table, or by its names where it has no price.

extension Usage {
  /// The names and counts as the entry of a denial keeps them.
  package var items: [Item] {
    var items: [Item] = Item.texts(
      (.feature, Usage.cut(feature)), (.model, Usage.cut(model ?? "")), (.tier, Usage.cut(tier ?? "")))
    for (kind, count) in zip(Item.Number.counts, counts) {
      items += Item.texts((.unit, Usage.cut(count.unit))) + [.number(kind, count.count)]
    }
    return items
  }

  private static func cut(_ text: String) -> String {
    text.utf8.count <= Item.maximumText ? text : String(text.unicodeScalars.prefix(Item.maximumText / 4))
  }

  /// The usage that an entry is about: by the row of its price, or by its names; nil if it is about none.
  package init?(_ record: borrowing Record, in table: PriceTable) {
    if record.entry.price != 0 {
      self.init(row: record.entry.price, counts: Counts(record), in: table)
      return
    }
    guard let feature = record.text(.feature) else { return nil }
    var units: [String: UInt64] = [:]
    var unit = ""
    for item in record.items {
      switch item {
      case .text(.unit, let name): unit = name
      case .number(let kind, let count) where Item.Number.counts.contains(kind):
        units[unit] = count
        unit = ""
      default: break
      }
    }
    self.init(feature, model: record.text(.model), tier: record.text(.tier), units: units)
  }

  /// The usage of a row and its counts; nil if the table has no such row.
  package init?(row: UInt32, counts: Counts, in table: PriceTable) {
    guard let names = table.describe(row: row) else { return nil }
    var units: [String: UInt64] = [:]
    for (index, unit) in names.units.enumerated() { units[unit] = counts[index] }
    self.init(names.feature, model: names.model, tier: names.tier, units: units)
  }
}

extension Item.Number {
  /// The counts of a usage's units, in order.
  package static let counts: [Item.Number] = [.count0, .count1, .count2, .count3]
}

extension Command {
  /// Whether a record is the outcome of this very command: the same usage, for one that a price book priced, though the
  /// price may have changed.
  package func matches(_ record: borrowing Record, in table: PriceTable) -> Bool {
    let entry = record.entry
    // How a hold ended is the answer to every attempt to end it, whatever that names.
    if kind.endsHold { return entry.kind.endsHold }
    guard tariff.isPriced else {
      return entry.price == 0 && record.text(.feature) == nil && matches(record)
    }
    guard entry.kind == .denied ? entry.grant == asked : entry.kind == kind && entry.detail == detail else {
      return false
    }
    if case .hold(_, let duration, _, _) = self,
      record.number(.duration) != UInt64(clamping: duration.wholeMicroseconds)
    {
      return false
    }
    if tariff.row == 0 {
      // By name: what has no price now may have had one before.
      guard let usage = Usage(record, in: table) else {
        // Usage of a feature without a name keeps its other names only.
        return record.text(.feature) == nil && entry.price == 0 && entry.amount == 0 && record.items == items
      }
      return usage.items == tariff.names || usage.isNamed(tariff.names)
    }
    guard let usage = Usage(row: tariff.row, counts: tariff.counts, in: table) else { return false }
    if entry.price != 0 { return usage.isSame(asRow: entry.price, counts: Counts(record), in: table) }
    return Usage(record, in: table).map { $0.items == usage.items || usage.isNamed($0.items) } ?? false
  }
}

extension Usage {
  /// Whether items name this usage, its only unit being left unnamed.
  fileprivate func isNamed(_ items: [Item]) -> Bool {
    guard counts.count == 1, let count = counts.first else { return false }
    return Usage(feature, model: model, tier: tier, units: count.count).items == items
  }
}
