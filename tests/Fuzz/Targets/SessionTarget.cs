using System.Globalization;
using System.Text;
using System.Text.Json;
using Qmp.Sessions;

namespace Fuzz;

/// <summary>Files with recorded sessions, and what is done with their lines.</summary>
internal sealed class SessionTarget : FuzzTarget
{
    public override string Name => "session";

    public override string Description => "recorded sessions";

    public override IReadOnlyList<byte[]> Seeds => Corpus.Sessions;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Corpus.Bytes(
            "\n", "\r\n", "# title: x\n", "# setup: x\n", "# arg: x\n", "# after: x\n", "# monitor: x\n", "-> {}\n", "<- {}\n", "=> \"\\u00ff\"\n", "=> \"\\u0100\"\n", "-x\n",
            "2-> {}\n", "1000<- x\n", "1001-> x\n", "0-> x\n", "-+ socket\n", "-+ rw x\n", "! true\n", "? 0\n", "? -2147483648\n", "| out\n", "\"$TIMESTAMP\"", "\"$VERSION\"",
            "\"$INT\"", "$ANY", "$NODE1", "$NODE2", "$DIR", "#block12", "#", "\0", "\"id\": 1", "\"event\": ", "{\"timestamp\": ", "\\\"", "\\u0000"),
        [0xff], [0xc3], [0xed, 0xa0, 0x80],
    ];

    public override byte[] Generate(Random random) =>
        [.. Enumerable.Range(0, random.Next(30)).SelectMany(_ => random.Next(3) == 0 ? random.Pick(Tokens) : [.. Line(random), (byte)'\n'])];

    public override void Check(byte[] input, Random random)
    {
        var session = Read(input, null, out var whole);
        _ = Read(input, () => 1, out var single);
        Same("bytes one by one give something else", whole, single);
        _ = Read(input, () => random.Next(1, 200), out var pieces);
        Same("bytes in pieces give something else", whole, pieces);
        if (session is null)
        {
            return;
        }

        var written = new StringWriter();
        var writer = new SessionWriter(written);
        session.Header.ForEach(writer.Line);
        session.Items.ForEach(writer.Item);
        var again = Read(Encoding.UTF8.GetBytes(written.ToString()), null, out var error);
        // A carriage return at the end of a line belongs to its end.
        Same("what is written is read as something else", Items(session).Replace("\r", ""), (again is null ? error : Items(again)).Replace("\r", ""));
        CheckLines(session);
    }

    // Placeholders, free members and ids are found in any line, and a server's invention is what a player expects.
    private static void CheckLines(SessionFile session)
    {
        var names = new SessionNames("/tmp/x", ["size", "id"]);
        var lines = session.Items.Where(item => item.Kind == SessionItemKind.Receive).Select(item => item.Text).ToList();
        for (var i = 0; i < Math.Min(lines.Count, 20); i++)
        {
            var line = lines[i];
            _ = names.Matches(line, lines[(i + 1) % lines.Count], out var reached);
            Holds(reached >= 0 && reached <= lines[(i + 1) % lines.Count].Length, "a place outside of the line");
            _ = names.Generalize(line);
            if (!IsJson(line))
            {
                continue;
            }

            var invented = new SessionNames("/tmp/x").Invent(line);
            Holds(new SessionNames("/tmp/x").Matches(line, invented) || line.Contains("#block", StringComparison.Ordinal), $"what a server invents is not expected\n  {line}\n  {invented}");
            if (ReplyId.Find(line) is { } id)
            {
                Same("an id that is changed is another one", "7", ReplyId.Find(ReplyId.Change(line, "7")) ?? "none");
                Same("an id that is put back is another one", id, ReplyId.Find(ReplyId.Change(ReplyId.Change(line, "7"), id)) ?? "none");
            }
        }
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonDocument.Parse(text).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static byte[] Line(Random random)
    {
        var lines = Encoding.UTF8.GetString(random.Pick(Corpus.Sessions)).Split('\n');
        return Encoding.UTF8.GetBytes(random.Pick(lines));
    }

    private static SessionFile? Read(byte[] input, Func<int>? pieceSize, out string text)
    {
        try
        {
            var session = SessionFile.Read(new PieceStream(input, pieceSize), "f");
            text = string.Join('\n',
            [
                session.Title, session.Monitor, .. session.Setup, .. session.Arguments, .. session.After,
                .. session.Items.Select(item => item.LineNumber.ToString(CultureInfo.InvariantCulture)), Items(session),
            ]);
            return session;
        }
        catch (SessionFormatException e) when (e.Message.StartsWith("f:", StringComparison.Ordinal))
        {
            text = e.Message;
            return null;
        }
    }

    private static string Items(SessionFile session) => string.Join('\n', session.Items.Select(
        item => $"{item.Kind} {item.Connection} {item.ExitStatus} {item.Text} {string.Join('|', item.Output)} {item.IsEvent}"));

    private sealed class PieceStream(byte[] bytes, Func<int>? pieceSize) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(pieceSize is null ? buffer : buffer[..Math.Min(buffer.Length, pieceSize())]);
    }
}
