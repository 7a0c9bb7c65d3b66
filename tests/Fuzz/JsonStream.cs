using System.Text;
using System.Text.RegularExpressions;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;

namespace Fuzz;

/// <summary>What the message reader makes of a stream of bytes.</summary>
internal static partial class JsonStream
{
    /// <summary>Each value as it is printed, or the error.</summary>
    /// <param name="bytes">The stream.</param>
    /// <param name="pieceSize">How many bytes come at a time; null for all.</param>
    public static List<(string? Value, string? Error)> Read(byte[] bytes, Func<int>? pieceSize = null)
    {
        var results = new List<(string?, string?)>();
        Each(bytes, pieceSize, (document, error) => results.Add((document is null ? null : Print(document), error)));
        return results;
    }

    /// <summary>Gives each value or error to someone, for as long as the call takes.</summary>
    public static void Each(byte[] bytes, Func<int>? pieceSize, Action<QapiDocument?, string?> take)
    {
        var reader = new JsonMessageReader();
        var documents = new QapiDocumentPool();
        foreach (var piece in Pieces(bytes, pieceSize))
        {
            var rest = piece.AsSpan();
            while (reader.TryRead(rest, out var used, documents, out var document, out var error))
            {
                rest = rest[used..];
                take(document, error);
                if (document is not null)
                {
                    documents.Return(document);
                }
            }
        }
    }

    /// <summary>Cuts into copies, so that nothing can look at what lies before or behind.</summary>
    public static IEnumerable<byte[]> Pieces(byte[] bytes, Func<int>? pieceSize)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var size = Math.Min(pieceSize?.Invoke() ?? bytes.Length, bytes.Length - at);
            yield return bytes[at..(at + size)];
            at += size;
        }
    }

    public static string Print(QapiDocument document)
    {
        var writer = new QapiWriter();
        writer.Value(document);
        return Encoding.UTF8.GetString(writer.WrittenSpan);
    }

    public static string Print(IEnumerable<(string? Value, string? Error)> results) =>
        string.Join('\n', results.Select(result => result.Value ?? "error: " + result.Error));

    /// <summary>What was printed, for reading: QEMU prints a number that is too large as <c>inf</c>, which nobody can read, and
    /// one that is too small as <c>-0</c>, which is read as a whole number.</summary>
    public static byte[] Finite(string json)
    {
        var result = new StringBuilder();
        var parts = json.Split('"');
        var inString = false;
        for (var i = 0; i < parts.Length; i++)
        {
            result.Append(inString ? parts[i] : NegativeZero().Replace(parts[i].Replace("inf", "1e999", StringComparison.Ordinal), "-0.0"));
            if (i + 1 < parts.Length)
            {
                result.Append('"');
                inString = !inString || parts[i].Reverse().TakeWhile(c => c == '\\').Count() % 2 == 1;
            }
        }

        return Encoding.UTF8.GetBytes(result.ToString());
    }

    [GeneratedRegex(@"-0(?![.\d])")]
    private static partial Regex NegativeZero();
}
