public import ArgumentParser
public import Credits

extension Amount: ExpressibleByArgument {}

/// An amount above zero.
struct PositiveAmount: ExpressibleByArgument {
  let amount: Amount

  init?(argument: String) {
    guard let amount = Amount(argument), amount > .zero else { return nil }
    self.amount = amount
  }
}
