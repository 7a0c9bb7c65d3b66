using System.Globalization;
using System.Security;
using System.Text;

namespace Benchmarks.Report;

/// <summary>
/// The rows that have a target, as bars: ours above, what it is compared with below. Bars are to scale within one goal and
/// unit. The colours follow the reader's light or dark setting, and the picture brings its own background.
/// </summary>
internal sealed class Chart
{
    private const int Width = 1000;
    private const int BarsFrom = 360;
    private const int BarsWidth = 340;
    private const int RatioAt = 985;
    private const int BarHeight = 8;
    private const int RowHeight = 25;

    private const string Style = """
        <style>
          text { font: 12px system-ui, sans-serif; fill: #1f2328; }
          .title { font-size: 17px; font-weight: 600; }
          .goal { font-size: 13px; font-weight: 600; }
          .small { font-size: 10px; fill: #59636e; }
          .back { fill: #ffffff; }
          .ours { fill: #0969da; }
          .other { fill: #afb8c1; }
          .held { fill: #1a7f37; font-weight: 600; }
          .missed { fill: #cf222e; font-weight: 600; }
          .line { stroke: #d1d9e0; }
          @media (prefers-color-scheme: dark) {
            text { fill: #f0f6fc; }
            .small { fill: #9198a1; }
            .back { fill: #0d1117; }
            .ours { fill: #4493f8; }
            .other { fill: #656c76; }
            .held { fill: #3fb950; }
            .missed { fill: #f85149; }
            .line { stroke: #3d444d; }
          }
        </style>

        """;

    private readonly StringBuilder _body = new();
    private int _y = 30;

    private Chart()
    {
    }

    public static void Write(string path, Machine machine, Table table)
    {
        var chart = new Chart();
        chart.Head(machine);
        foreach ((string key, string title) in Goals.All)
        {
            Row[] rows = [.. table.Of(key).Where(row => row is { Target: not null, Ours: not null })];
            if (rows.Length > 0)
            {
                chart.Goal(key, title, rows);
            }
        }

        File.WriteAllText(path, chart.ToString());
    }

    public override string ToString() =>
        $"""
        <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{_y}" viewBox="0 0 {Width} {_y}" role="img" aria-label="qmpd and its peer, side by side">
        {Style}<rect class="back" width="{Width}" height="{_y}"/>
        {_body}</svg>

        """;

    private void Head(Machine machine)
    {
        Text("title", 15, _y, "qmpd next to qemu-storage-daemon");
        _y += 20;
        Text("small", 15, _y, string.Join(" · ", machine.Properties.Where(one => one.Name is "processor" or "kernel" or "peer" or "date").Select(one => one.Value)));
        _y += 20;
        Bar("ours", 15, _y - 8, 24);
        Text("", 45, _y, "qmpd");
        Bar("other", 95, _y - 8, 24);
        Text("", 125, _y, "the peer, or what the row names");
        Text("small", RatioAt, _y, "ratio, and what it should be", "end");
        _y += 14;
    }

    private void Goal(string key, string title, Row[] rows)
    {
        _y += 10;
        _body.Append(CultureInfo.InvariantCulture, $"<line class=\"line\" x1=\"15\" y1=\"{_y}\" x2=\"{RatioAt}\" y2=\"{_y}\"/>\n");
        _y += 20;
        Text("goal", 15, _y, $"{key} · {title}");
        _y += 8;
        foreach (IGrouping<string, Row> unit in rows.GroupBy(row => row.Unit))
        {
            _y += 16;
            Text("small", 15, _y, unit.Key);
            _y += 4;
            double most = unit.SelectMany(row => (double[])[row.Ours!.Median, row.Theirs?.Median ?? 0])
                .Where(double.IsFinite).DefaultIfEmpty(0).Max();
            foreach (Row row in unit)
            {
                Draw(row, most);
            }
        }
    }

    private void Draw(Row row, double most)
    {
        Text("", 25, _y + 13, row.Name);
        Draw("ours", row.Ours!.Median, most, "");
        _y += BarHeight + 2;
        if (row.Theirs is Figures theirs)
        {
            Draw("other", theirs.Median, most, row.Other == Row.Peer ? "" : " " + row.Other);
        }

        string figure = row.Ratio != null && row.Target!.IsRatio && double.IsFinite(row.Theirs!.Median) ? $"{Figures.Text(row.Ratio.Median)}x" : "";
        Text(row.IsHeld == true ? "held" : "missed", RatioAt - 75, _y + 3, $"{figure} {(row.IsHeld == true ? "✓" : "✗")}", "end");
        Text("small", RatioAt, _y + 3, row.Target!.ToString(), "end");
        _y += RowHeight - BarHeight - 2;
    }

    private void Draw(string kind, double value, double most, string note)
    {
        int width = !double.IsFinite(value) ? BarsWidth : most > 0 ? Math.Max(1, (int)(value / most * BarsWidth)) : 1;
        Bar(kind, BarsFrom, _y, width);
        Text("small", BarsFrom + width + 5, _y + BarHeight, Figures.Text(value) + (double.IsFinite(value) ? note : ""));
    }

    private void Bar(string kind, int x, int y, int width) => _body.Append(
        CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BarHeight}\" rx=\"1\"/>\n");

    private void Text(string kind, int x, int y, string text, string anchor = "start") => _body.Append(
        CultureInfo.InvariantCulture,
        $"<text class=\"{kind}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{SecurityElement.Escape(text)}</text>\n");
}
