internal import Credits

/// One step of a simulated history: what the scheduler lets happen next.
///
/// A step names what it is about, so that it means the same when others before it are left out; where that is not
/// there, it does nothing.
enum SimulationStep: Sendable {
  /// What becomes of a commit on its way to the disk.
  enum Writing: Sendable {
    /// It is written.
    case succeeds
    /// It fails, and nothing of it is on the disk.
    case fails
    /// It fails, as far as the store knows, and all of it is on the disk.
    case failsOnceWritten
  }

  /// A caller that is free sends a request, or several in one call.
  case ask(caller: Int, [ReferenceRequest], Acknowledgement, isBatch: Bool)
  /// A caller that can go on does, as far as it can.
  case run(caller: Int)
  /// A commit begins: the frame is sealed, the next one fills.
  case begin(idles: Bool)
  /// The commit comes to the disk.
  case write(Writing)
  /// The commit is acknowledged.
  case acknowledge
  /// The wall clock shows another time.
  case clock(Timestamp)
  /// The wall clock is accepted after a jump.
  case acceptClock
  /// Time does its work.
  case tick
  /// The process dies and the store is opened anew.
  case crash
  /// The store is closed and opened.
  case reopen
  /// A worker takes up a charge.
  case take(caller: Int, ChargeID)
  /// The worker's call comes to the payment provider.
  case arrive(ChargeID, ScriptedGateway.Act)
  /// The answer comes back.
  case answer(caller: Int, ChargeID)
  /// The worker waits no longer for the answer.
  case giveUp(caller: Int, ChargeID)
  /// The call is lost on its way.
  case lose(ChargeID)
  /// The payment provider comes to an end with an order, counted from the latest.
  case end(Int, charges: Bool)
  /// A notice of the payment provider comes, counted from the latest; it may come again.
  case notice(caller: Int, Int, again: Bool)
  /// Somebody reports something of a charge, true or not.
  case report(caller: Int, ChargeOutcome, ChargeID)
  /// A price book is published.
  case publish(caller: Int, PriceBook)
  /// A quote is asked for and kept.
  case quote(Usage)
  /// An account is compared.
  case look(AccountID)
  /// The latest but so many of an account's requests is explained.
  case explain(caller: Int, AccountID, Int)
  /// Old journal is deleted.
  case trim(caller: Int, before: Timestamp)
  /// The journal is compared, entry by entry, and all accounts.
  case audit
  /// The store proves itself.
  case verify
}

/// A charge, by its account and number.
struct ChargeID: Hashable, Sendable {
  let account: AccountID
  let number: UInt32
}

extension SimulationStep: CustomStringConvertible {
  /// The step in a line.
  var description: String {
    switch self {
    case .ask(let caller, let requests, let acknowledge, _):
      let text = requests.prefix(4).map(\.description).joined(separator: "; ")
      let more = requests.count > 4 ? " and \(requests.count - 4) more" : ""
      return "caller \(caller) asks (\(acknowledge)): \(text)\(more)"
    case .run(let caller): return "caller \(caller) goes on"
    case .begin(let idles): return idles ? "an idle commit begins" : "a commit begins"
    case .write(.succeeds): return "the commit is written"
    case .write(.fails): return "the commit fails, nothing of it is written"
    case .write(.failsOnceWritten): return "the commit fails, all of it is written"
    case .acknowledge: return "the commit is acknowledged"
    case .clock(let time): return "the clock shows \(time)"
    case .acceptClock: return "the clock is accepted"
    case .tick: return "time does its work"
    case .crash: return "the process dies; the store is opened again"
    case .reopen: return "the store is closed and opened"
    case .take(let caller, let charge): return "worker \(caller) takes up \(charge)"
    case .arrive(let charge, let act): return "the call of \(charge) comes to the provider: \(act)"
    case .answer(let caller, let charge): return "worker \(caller) gets the answer about \(charge)"
    case .giveUp(let caller, let charge): return "worker \(caller) waits no longer for \(charge)"
    case .lose(let charge): return "the call of \(charge) is lost"
    case .end(let order, let charges): return "the provider ends its order \(order), \(charges ? "" : "not ")charging"
    case .notice(let caller, let number, _): return "caller \(caller) brings notice \(number)"
    case .report(let caller, let outcome, let charge): return "caller \(caller) reports \(outcome) of \(charge)"
    case .publish(let caller, let book): return "caller \(caller) publishes the book \(book.name)"
    case .quote(let usage): return "a quote for \(usage)"
    case .look(let account): return "account \(account.low) is compared"
    case .explain(let caller, let account, let back):
      return "caller \(caller) asks about request -\(back) of account \(account.low)"
    case .trim(let caller, let time): return "caller \(caller) trims the journal before \(time)"
    case .audit: return "journal and accounts are compared"
    case .verify: return "the store proves itself"
    }
  }
}

extension ChargeID: CustomStringConvertible {
  /// The charge in words.
  var description: String { "charge \(number) of account \(account.low)" }
}
