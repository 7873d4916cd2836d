import Foundation
import Harness
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Reports")
struct ReportTests {
  private var report: Report {
    var report = Report(
      title: "Load", surroundings: .now(folder: "/tmp", arguments: ["/a/credits-bench", "load"]),
      repetition: Repetition(runs: 2, spare: 1))
    let latencies = Latencies()
    latencies.record([1_000, 2_000, 3_000])
    let run = Run(
      debits: 1_000, seconds: 2, ownSeconds: 1, otherSeconds: 1, bytes: 97_000, memory: 5 << 20, latencies: latencies)
    report.rows = [
      Row(
        name: "Credits", form: "single calls", durability: "durable", callers: 64, batch: 1,
        runs: Repetition(runs: 1, spare: 0).chosen(of: [run]))
    ]
    report.figures = [
      Figure(
        group: "P1", name: "debits", unit: "/s", spread: Spread([1, 2, 3]), othersPercent: [1, 2, 3], goal: "3",
        isReached: false),
      Figure(group: "P6", name: "reads", unit: "/s", spread: Spread([])),
    ]
    report.notes = ["A note."]
    return report
  }

  @Test("JSON has everything, and gives the same report when it is read again")
  func json() throws {
    let report = report
    let data = try report.json()
    let again = try Report(json: data)
    #expect(again.rows == report.rows)
    #expect(again.surroundings == report.surroundings)
    #expect(again.figures[0] == report.figures[0])
    #expect(again.figures[1].spread.median.isNaN)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let row = try #require((object["rows"] as? [[String: Any]])?.first)
    #expect((row["latency"] as? [String: Any])?["p9999"] != nil)
    #expect((row["bytesPerDebit"] as? [String: Any])?["median"] as? Double == 97)
    let surroundings = try #require(object["surroundings"] as? [String: Any])
    for key in ["processor", "kernel", "disk", "fileSystem", "commit", "command", "date"] {
      #expect((surroundings[key] as? String)?.isEmpty == false, "\(key)")
    }
  }

  @Test("Markdown names machine, command, marks disturbed rows, and its tables are regular")
  func markdown() {
    let text = report.markdown
    #expect(text.contains("- Command: `credits-bench load`"))
    #expect(text.contains("| Credits | single calls | durable | 64 | 1 | 500\\* |"))
    #expect(text.contains("disturbed: others used the processors"))
    #expect(text.contains("| P1 | debits | 2.00 | /s | 1.00 to 3.00 | 3 | **no** | 3 |"))
    #expect(text.contains("A note."))
    var columns: Int?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.hasPrefix("|") else {
        columns = nil
        continue
      }
      let count = line.split(separator: "|", omittingEmptySubsequences: false).count
      #expect(columns ?? count == count, "\(line)")
      columns = count
    }
  }

  @Test("a report's files are written beside each other")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var report = report
    try report.write(to: folder.path, name: "load", charts: [("throughput", chart)])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["load-throughput.svg", "load.json", "load.md"])
    let text = try String(contentsOf: folder.appendingPathComponent("load.md"), encoding: .utf8)
    #expect(text.contains("](load-throughput.svg)"))
  }

  private var chart: Chart {
    Chart(
      title: "A & B < C", x: .init("callers", isLogarithmic: true), y: .init("debits/s"),
      series: [
        .init("one", [(1, 10), (10, 50), (1_000, 93)]), .init("with holes", [(0, 4), (5, .nan), (7, 8)]),
        .init("empty", []),
      ])
  }

  @Test("a chart is well-formed XML, with a line for each series, and every place inside the picture")
  func svg() throws {
    for chart in [chart, Chart(title: "", x: .init(""), y: .init("", isLogarithmic: true), series: [])] {
      let delegate = Elements()
      let parser = XMLParser(data: Data(chart.svg.utf8))
      parser.delegate = delegate
      #expect(parser.parse(), "\(String(describing: parser.parserError))")
      #expect(delegate.lines.count == chart.series.count)
      for (x, y) in delegate.lines.joined() + delegate.circles {
        #expect((0...760).contains(x) && (0...440).contains(y))
      }
    }
    let delegate = Elements()
    let parser = XMLParser(data: Data(chart.svg.utf8))
    parser.delegate = delegate
    #expect(parser.parse())
    // What a logarithmic axis cannot show, and what is no number, is left out.
    #expect(delegate.lines.map(\.count) == [3, 1, 0])
    #expect(delegate.texts.contains("A & B < C"))
    // More debits are drawn higher, more callers further right.
    let first = delegate.lines[0]
    #expect(first[0].x < first[1].x && first[1].x < first[2].x)
    #expect(first[0].y > first[1].y && first[1].y > first[2].y)
  }
}

/// Collects the points and texts of a picture.
private final class Elements: NSObject, XMLParserDelegate {
  var lines: [[(x: Double, y: Double)]] = []
  var circles: [(Double, Double)] = []
  var texts: [String] = []
  private var isInText = false

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    switch name {
    case "polyline":
      lines.append(
        (attributes["points"] ?? "").split(separator: " ").map { point in
          let numbers = point.split(separator: ",").compactMap { Double($0) }
          return (numbers.first ?? -1, numbers.last ?? -1)
        })
    case "circle": circles.append((Double(attributes["cx"] ?? "") ?? -1, Double(attributes["cy"] ?? "") ?? -1))
    case "text":
      texts.append("")
      isInText = true
    default: break
    }
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    isInText = false
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if isInText { texts[texts.count - 1] += text }
  }
}
