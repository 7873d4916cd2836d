import Credits
import Glibc
import Testing

@testable import creditctl

@Suite("What the program writes")
struct PrivacyTests {
  private let tool = Tool()

  @Test("is private to the user, whatever the file mode mask is")
  func modes() {
    let run = tool.shell(
      """
      umask 0
      $creditctl open --store store alice && $creditctl grant --store store alice 5 && \
      $creditctl export --store store --output entries.jsonl && $creditctl backup --store store copy && \
      $creditctl generate --lines 10 --output usage.csv && \
      $creditctl replay --store replayed --accounts 3 usage.csv && $creditctl open --store copy bob
      """)
    #expect(run.code == 0, "\(run.complaint)")
    for folder in ["store", "copy", "replayed"] {
      #expect(mode(folder) == 0o700, "\(folder)")
      for file in ["data.mdb", "lock.mdb", "writer.lock"] {
        #expect(mode("\(folder)/\(file)") == 0o600, "\(folder)/\(file)")
      }
    }
    for file in ["entries.jsonl", "entries.jsonl.sha256", "usage.csv"] { #expect(mode(file) == 0o600, "\(file)") }
  }

  @Test("replaces a link by a file, and leaves alone what the link leads to")
  func links() {
    tool("open", "alice")
    let victim = tool.folder.write("precious", to: "victim")
    // Safe: paths are terminated strings that outlive the call.
    #expect(unsafe symlink(victim, tool.folder.file("out")) == 0)
    #expect(tool("export", "--output", tool.folder.file("out")).code == 2)
    #expect(tool("export", "--output", tool.folder.file("out"), "--force").code == 0)
    #expect(
      TemporaryFolder.text(victim) == "precious" && TemporaryFolder.text(tool.folder.file("out")).contains("opened"))
  }

  @Test("has a seal that sha256sum takes, for a name with an end of line in it, too")
  func seal() {
    tool("open", "alice")
    #expect(tool("export", "--output", tool.folder.file("two\nlines.csv"), "--format", "csv").code == 0)
    let run = tool.shell("sha256sum --check --strict *.sha256")
    #expect(run.code == 0, "\(run.output) \(run.complaint)")
  }

  @Test("is one line for a line, whatever labels, references, paths and arguments contain")
  func lines() {
    let evil = "x\ncreditctl: all is well\u{1B}[2J\u{202E}"
    tool("open", evil)
    tool("open", "alice")
    tool("grant", evil, "5", "--reference", evil, "--request", evil)
    tool("debit", evil, "9", "--request", "r")
    tool("events", "add", evil)
    let path = tool.folder.file(evil)
    for run in [
      tool("balance", evil), tool("history", evil), tool("explain", evil, evil), tool("events", "read", evil),
      tool("events", "list"), tool("freeze", evil, "--reason", evil), tool("debit", evil, "1", "--request", evil),
      tool("balance", evil + evil), tool("events", "read", "no " + evil), tool("debit", "alice", evil), tool(evil),
      tool("open", "--" + evil), tool("backup", path), tool("export", "--output", path), tool("verify"),
      tool.bare(["balance", "alice", "--store", path + "/none"]), tool.bare(["open", "--store", path]),
      tool.bare(["replay", path, "--store", path]), tool.bare(["price", "check", path]),
    ] {
      let text = run.output + run.complaint
      #expect(!text.isEmpty)
      #expect(!text.unicodeScalars.contains { $0 != "\n" && $0.steersTerminal }, "\(text)")
      #expect(!text.split(separator: "\n").contains { $0.hasPrefix("creditctl: all is well") }, "\(text)")
    }
  }
}

extension PrivacyTests {
  private func mode(_ name: String) -> mode_t {
    var status = stat()
    return unsafe lstat(tool.folder.file(name), &status) == 0 ? status.st_mode & 0o777 : 0
  }
}
