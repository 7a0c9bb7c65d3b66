using System.Text;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Wire;

/// <summary>JSON that is there as a whole: an option of the command line, a file.</summary>
public static class JsonText
{
    /// <summary>Reads exactly one value. <b>Any</b>.</summary>
    /// <param name="text">The text; white space around the value is allowed.</param>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is malformed, incomplete, or more than one value.</exception>
    public static QapiDocument Parse(string text)
    {
        var reader = new JsonMessageReader();
        var pool = new QapiDocumentPool();
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text + "\n");
        QapiDocument? result = null;
        while (reader.TryRead(rest, out var used, pool, out var document, out var error))
        {
            if (error is not null)
            {
                throw new QmpException(error);
            }

            if (result is not null)
            {
                throw new QmpException("Expecting at most one JSON value");
            }

            result = document;
            rest = rest[used..];
        }

        return reader.IsInsideValue ? throw new QmpException("JSON parse error, premature EOI")
            : result ?? throw new QmpException("Expecting a JSON value");
    }
}
