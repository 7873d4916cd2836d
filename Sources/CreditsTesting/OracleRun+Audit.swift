internal import Credits

extension OracleRun {
  /// Compares all accounts, all entries since the last audit, and the history of some accounts.
  func audit() async throws {
    try await compareEntries()
    for id in ledger.accounts.keys.sorted(by: { $0.low < $1.low }) {
      try checkAccount(id)
      guard id.low < 4 || random.once(in: 40), let account = ledger.accounts[id] else { continue }
      let history = try await store.history(of: id, limit: 40)
      let expected = account.entries.suffix(40).reversed()
      try expect(
        history.entries.count == expected.count && (history.end == .complete) == (account.entries.count <= 40),
        "the history of \(account.label) has \(history.entries.count) entries")
      for (entry, expected) in zip(history.entries, expected) {
        if let difference = expected.difference(from: entry) { throw Difference(reason: difference) }
      }
      // Explanations look back from the last entry: far ones take long.
      let entries = random.once(in: 16) ? account.entries[...] : account.entries.suffix(60)
      try await explain(random.pick(entries), account)
    }
  }

  /// Compares the journal, entry by entry, from where the last audit ended.
  private func compareEntries() async throws {
    try await store.sync()
    var difference: String?
    try store.forEachEntry(from: SequenceNumber(compared.last.value + 1)) { entry in
      let place = compared.entries[entry.account, default: 0]
      let entries = ledger.accounts[entry.account]?.entries ?? []
      difference = place < entries.count ? entries[place].difference(from: entry) : "entry \(entry) is too many"
      compared.entries[entry.account] = place + 1
      compared.last = entry.sequence
      return difference == nil
    }
    if let difference { throw Difference(reason: difference) }
    try expect(compared.last == ledger.last, "the journal ends with entry \(compared.last), expected \(ledger.last)")
  }

  private func explain(_ entry: ReferenceEntry, _ account: ReferenceAccount) async throws {
    guard let request = entry.details.request else { return }
    guard let explanation = try await store.explain(request, of: account.id) else {
      throw Difference(reason: "the request of entry \(entry.sequence) is not explained")
    }
    if let difference = entry.difference(from: explanation.entry) { throw Difference(reason: difference) }
    let drawsOnGrants = entry.kind == .debited || entry.kind == .held || entry.kind == .captured
    try expect(
      explanation.grants.compactMap(\.parts.first?.grant) == (drawsOnGrants ? entry.details.parts.map(\.grant) : []),
      "the grants of entry \(entry.sequence) are not explained")
  }
}
