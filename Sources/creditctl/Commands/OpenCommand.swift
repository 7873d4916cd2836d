import ArgumentParser
import Credits

struct OpenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "Create a store, and open accounts in it.",
    discussion: """
      Creates the store if there is none. Opening an account again changes nothing.

        creditctl open --store ./credits
        creditctl open --store ./credits user_alice user_bob
        creditctl open --store ./credits int:42 --label Carol
      """)

  @OptionGroup var options: StoreOptions

  @Option(name: .long, help: "The label of one account that is named by uuid: or int:.")
  var label: String?

  @Argument(help: "The accounts to open; none to create the store only.")
  var accounts: [AccountArgument] = []

  func validate() throws {
    guard let label else { return }
    guard accounts.count == 1, accounts[0].label.isEmpty else {
      throw ValidationError("--label goes with exactly one account, named by uuid: or int:; a text is its own label")
    }
    guard label.utf8.count <= Name.maximumText else {
      throw ValidationError("the label has \(label.utf8.count) bytes; the most is \(Name.maximumText)")
    }
  }

  func run() async throws {
    let path = try options.path()
    let receipts = try await options.changing(.ifMissing) { store in
      var receipts: [(AccountArgument, Receipt)] = []
      for account in accounts {
        do {
          receipts.append((account, try await store.open(account.id, label: label ?? account.label)))
        } catch StoreError.denied(let denial) {
          try ReceiptFormat.decline(denial, account, RequestArgument(new: denial.time), options)
        }
      }
      return receipts
    }
    if accounts.isEmpty {
      try options.print(
        ["outcome": "ready", "store": .string(path)], ["the store at \(path.escapedForTerminal) is ready"])
    }
    for (account, receipt) in receipts {
      let ending = receipt.isReplay ? "was open before; nothing changed" : "is open"
      try options.print(
        ReceiptFormat.json("opened", account, nil, receipt), ["account \(account.name) \(ending)", "id \(account.id)"])
    }
  }
}
