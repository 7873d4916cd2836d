import Credits

/// The forms in which charges are printed.
enum ChargeFormat {
  /// A charge that has not ended, as an object.
  static func json(_ charge: Charge) -> JSON {
    [
      "charge": .number(charge.number), "kind": .string(charge.kind == .refill ? "refill" : "purchase"),
      "status": .text(charge.status), "credits": .text(charge.credits), "price": .text(charge.price),
      "method": .number(charge.method.number), "opened": .text(charge.opened),
      "sent": charge.sent == .never ? .null : .text(charge.sent),
      "retry": charge.retry == .never ? .null : .text(charge.retry), "attempts": .number(charge.attempts),
    ]
  }

  /// A table of charges that have not ended; nothing where there are none.
  static func lines(_ charges: [Charge]) -> [String] {
    guard !charges.isEmpty else { return [] }
    var table = Table([
      ("charge", .right), ("for", .left), ("status", .left), ("credits", .right), ("price", .right), ("method", .right),
      ("opened", .left), ("asked again", .left),
    ])
    for charge in charges {
      table.add([
        "\(charge.number)", charge.kind == .refill ? "refill" : "purchase", "\(charge.status)", charge.credits.grouped,
        "\(charge.price)", "\(charge.method.number)", charge.opened.brief,
        charge.status == .due ? "-" : charge.retry.brief,
      ])
    }
    return [""] + table.lines(width: Terminal.outputWidth)
  }

  /// The line that every trial begins with.
  static let warning = "no real card is charged: a scripted payment provider answers"

  /// Prints how a charge stands that a scripted provider has answered; ends with exit code 1 where it was not paid.
  static func printEnd(
    _ progress: ChargeProgress?, _ account: AccountArgument, _ options: StoreOptions,
    extra: [(key: String, value: JSON)], credited: (String) -> String
  ) throws {
    let name = account.name
    var members: [(key: String, value: JSON)] = [("account", .text(account.id)), ("gateway", "scripted")]
    var lines = [warning]
    var isDeclined = false
    switch progress {
    case .ended(let entry)? where entry.kind == .credited:
      members.insert(("outcome", "credited"), at: 0)
      members += [
        ("charge", .text(entry.charge)), ("sequence", .number(entry.sequence.value)), ("credits", .text(entry.amount)),
        ("price", .text(entry.money)), ("available", .text(entry.available)),
      ]
      let price = entry.money.map { " for \($0)" } ?? ""
      lines.append(
        credited("\(name) with \(entry.amount.grouped) credits\(price); \(entry.available.grouped) were available then")
      )
      lines.append("charge \(entry.charge ?? 0), entry \(entry.sequence)")
    case .ended(let entry)?:
      isDeclined = true
      let reason = entry.text ?? entry.cause ?? "no reason given"
      members.insert(("outcome", .string(entry.kind == .declined ? "declined" : "cancelled")), at: 0)
      members += [
        ("charge", .text(entry.charge)), ("sequence", .number(entry.sequence.value)), ("reason", .string(reason)),
        ("error", ["code": .string(entry.kind.rawValue), "message": .string("the charge was not paid: \(reason)")]),
      ]
      lines.append("charge \(entry.charge ?? 0) was not paid: \(reason.escapedForTerminal); entry \(entry.sequence)")
    case .open(let charge)?:
      members.insert(("outcome", "open"), at: 0)
      members += [("charge", json(charge))]
      lines.append(
        "charge \(charge.number), \(charge.credits.grouped) credits for \(charge.price), is open: \(charge.status)")
      if charge.status == .due {
        lines.append("it waits, as the store is a restored copy: see 'creditctl refill resume --after-restore'")
      }
    case nil:
      members.insert(("outcome", "unknown"), at: 0)
      lines.append("how the charge ended is outside retention")
    }
    try options.print(.object(members + extra), lines)
    if isDeclined { throw ExitStatus.declined }
  }
}
