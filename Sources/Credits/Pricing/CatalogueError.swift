/// Why the catalogue does not sell what was asked for.
public enum CatalogueError: Error, Hashable, Sendable {
  /// There is no pack with so many credits; the known ones.
  case unknownPack(Amount, known: [Amount])
  /// The catalogue sells packs only.
  case noCustomAmounts
  /// The price, or the credits, would not be exact; the nearest purchases that are, nil where the limits leave none.
  case notExact(below: Pack?, above: Pack?)
  /// Less than the least custom purchase, which is given.
  case belowLeast(Pack)
  /// More than the greatest custom purchase, which is given.
  case aboveMost(Pack)
  /// The catalogue sells in another currency, which is given.
  case wrongCurrency(Currency)
}

extension CatalogueError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unknownPack(let credits, let known):
      "there is no pack of \(credits) credits; choose one of \(known.map(\.description).joined(separator: ", "))"
    case .noCustomAmounts: "custom amounts are not sold; choose a pack"
    case .notExact(let below, let above):
      "the price is not exact; choose "
        + [below, above].compactMap { $0?.description }.joined(separator: " or ")
    case .belowLeast(let pack): "less than is sold; choose at least \(pack)"
    case .aboveMost(let pack): "more than is sold at once; choose at most \(pack)"
    case .wrongCurrency(let currency): "another currency than the catalogue's; pay in \(currency)"
    }
  }
}
