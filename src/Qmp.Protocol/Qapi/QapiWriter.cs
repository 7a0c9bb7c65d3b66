using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Qmp.Schema;

namespace Qmp.Protocol.Qapi;

/// <summary>
/// Writes JSON the way QEMU prints it: ASCII only, <c>", "</c> between elements, <c>": "</c> after names. Members go
/// out in the order of the calls; generated code calls in the order of <see cref="QapiNameOrder"/>. It owns one
/// growing buffer. Not thread-safe; reuse it through <see cref="Reset"/>.
/// </summary>
public sealed class QapiWriter
{
    private readonly bool _pretty;
    private readonly bool _strictJson;
    private byte[] _buffer = new byte[256];
    private int _length;
    private int _depth;
    private bool _comma;

    /// <summary>An empty writer.</summary>
    /// <param name="pretty">True for a line per element and four spaces of indentation per level
    /// (<c>--monitor pretty=on</c>).</param>
    public QapiWriter(bool pretty = false) => _pretty = pretty;

    // QEMU prints an infinite number as "inf", which no JSON reader takes.
    private QapiWriter(bool pretty, bool strictJson)
        : this(pretty) => _strictJson = strictJson;

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> WrittenSpan => _buffer.AsSpan(0, _length);

    /// <summary>What has been written; valid until the next call.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    /// <summary>Forgets everything, keeps the memory unless it has grown above a mebibyte.</summary>
    public void Reset()
    {
        if (_buffer.Length > 1 << 20)
        {
            _buffer = new byte[256];
        }

        _length = 0;
        _depth = 0;
        _comma = false;
    }

    // Forgets what was written behind this length, and any structure that is open: the next value is a new one.
    internal void Truncate(int length)
    {
        _length = length;
        _depth = 0;
        _comma = false;
        _named = false;
    }

    // Ends a line: the next value is a new one.
    internal void EndLine()
    {
        Raw("\r\n"u8);
        Truncate(_length);
    }

    /// <summary>Writes bytes as they are, outside the structure: line ends, or a value that is JSON already.</summary>
    /// <param name="bytes">The bytes.</param>
    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Grow(bytes.Length));

    /// <summary>Writes a value that is JSON already, in its place.</summary>
    /// <param name="json">The value's text.</param>
    public void RawValue(ReadOnlySpan<byte> json)
    {
        Separate();
        Raw(json);
        _comma = true;
    }

    /// <summary>Writes a value that is JSON already: as it stands, or over several lines if this writer does so.</summary>
    /// <param name="json">The value's text, members in the order wanted.</param>
    public void Json(ReadOnlySpan<byte> json)
    {
        if (!_pretty)
        {
            RawValue(json);
            return;
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    BeginObject();
                    break;
                case JsonTokenType.EndObject:
                    EndObject();
                    break;
                case JsonTokenType.StartArray:
                    BeginList();
                    break;
                case JsonTokenType.EndArray:
                    EndList();
                    break;
                case JsonTokenType.PropertyName:
                    Name(Encoding.UTF8.GetBytes(reader.GetString()!));
                    break;
                case JsonTokenType.String:
                    Value(reader.GetString()!);
                    break;
                default:
                    RawValue(reader.ValueSpan);
                    break;
            }
        }
    }

    /// <summary>Opens an object.</summary>
    public void BeginObject() => Begin((byte)'{');

    /// <summary>Closes an object.</summary>
    public void EndObject() => End((byte)'}');

    /// <summary>Opens a list.</summary>
    public void BeginList() => Begin((byte)'[');

    /// <summary>Closes a list.</summary>
    public void EndList() => End((byte)']');

    /// <summary>Names the next value.</summary>
    /// <param name="utf8">The name.</param>
    public void Name(ReadOnlySpan<byte> utf8)
    {
        Separate();
        Quote(utf8);
        Raw(": "u8);
        _comma = false;
        _named = true;
    }

    /// <summary>Writes null.</summary>
    public void Null() => RawValue("null"u8);

    /// <summary>Writes a truth value.</summary>
    /// <param name="value">The value.</param>
    public void Value(bool value) => RawValue(value ? "true"u8 : "false"u8);

    /// <summary>Writes an integer.</summary>
    /// <param name="value">The value.</param>
    public void Value(long value)
    {
        Separate();
        _ = Utf8Formatter.TryFormat(value, Room(20), out var written);
        _length += written;
        _comma = true;
    }

    /// <summary>Writes an integer.</summary>
    /// <param name="value">The value.</param>
    public void Value(ulong value)
    {
        Separate();
        _ = Utf8Formatter.TryFormat(value, Room(20), out var written);
        _length += written;
        _comma = true;
    }

    /// <summary>Writes a number with up to 17 significant digits, as C's <c>%.17g</c>.</summary>
    /// <param name="value">The value.</param>
    public void Value(double value) => RawValue(Encoding.ASCII.GetBytes(
        _strictJson && double.IsInfinity(value) ? value > 0 ? "1e999" : "-1e999" : Format(value)));

    /// <summary>Writes a string.</summary>
    /// <param name="value">The string; a lone surrogate becomes U+FFFD.</param>
    public void Value(string value)
    {
        var size = Encoding.UTF8.GetMaxByteCount(value.Length);
        byte[]? rented = null;
        var utf8 = size <= 512 ? stackalloc byte[512] : rented = ArrayPool<byte>.Shared.Rent(size);
        Value(utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
        if (rented != null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Writes a string.</summary>
    /// <param name="utf8">Its bytes; what is not UTF-8 becomes U+FFFD.</param>
    public void Value(ReadOnlySpan<byte> utf8)
    {
        Separate();
        Quote(utf8);
        _comma = true;
    }

    /// <summary>Writes a value that knows how.</summary>
    /// <param name="value">The value.</param>
    public void Value(IQapiWritable value) => value.Write(this);

    /// <summary>Writes a whole document, members in QEMU's order.</summary>
    /// <param name="document">The document.</param>
    public void Value(QapiDocument document) => Value(document, 0);

    /// <summary>Writes any JSON value, members in QEMU's order.</summary>
    /// <param name="value">The value.</param>
    public void Value(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                BeginObject();
                var members = new List<(byte[] Name, JsonElement Value)>();
                foreach (var member in value.EnumerateObject())
                {
                    members.Add((Encoding.UTF8.GetBytes(member.Name), member.Value));
                }

                foreach (var index in QapiNameOrder.Sort(members.Count, i => members[i].Name))
                {
                    Name(members[index].Name);
                    Value(members[index].Value);
                }

                EndObject();
                break;
            case JsonValueKind.Array:
                BeginList();
                foreach (var item in value.EnumerateArray())
                {
                    Value(item);
                }

                EndList();
                break;
            case JsonValueKind.String:
                Value(value.GetString()!);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                Value(value.GetBoolean());
                break;
            case JsonValueKind.Number:
                if (value.TryGetInt64(out var signed))
                {
                    Value(signed);
                }
                else if (value.TryGetUInt64(out var unsigned))
                {
                    Value(unsigned);
                }
                else
                {
                    Value(value.GetDouble());
                }

                break;
            default:
                Null();
                break;
        }
    }

    // One value of a document.
    internal void Value(QapiDocument document, int index)
    {
        ref var node = ref document[index];
        switch (node.Kind)
        {
            case QapiKind.Object:
                BeginObject();
                var children = Children(document, index);
                foreach (var position in QapiNameOrder.Sort(children.Length, i => document.NameOf(children[i]).ToArray()))
                {
                    Name(document.NameOf(children[position]));
                    Value(document, children[position]);
                }

                EndObject();
                break;
            case QapiKind.List:
                BeginList();
                foreach (var child in Children(document, index))
                {
                    Value(document, child);
                }

                EndList();
                break;
            case QapiKind.String:
                Value(document.TextOf(index));
                break;
            case QapiKind.Bool:
                Value(node.Value != 0);
                break;
            case QapiKind.Integer:
                Value(node.Value);
                break;
            case QapiKind.Unsigned:
                Value(unchecked((ulong)node.Value));
                break;
            case QapiKind.Float:
                Value(BitConverter.Int64BitsToDouble(node.Value));
                break;
            default:
                Null();
                break;
        }
    }

    // One value of a document as JSON that a standard reader understands.
    internal static ReadOnlySpan<byte> ToJson(QapiDocument document, int index)
    {
        var writer = new QapiWriter(false, strictJson: true);
        writer.Value(document, index);
        return writer.WrittenSpan;
    }

    private static int[] Children(QapiDocument document, int index)
    {
        var children = new int[document[index].Children];
        for (int i = 0, child = index + 1; i < children.Length; i++, child = document[child].Next)
        {
            children[i] = child;
        }

        return children;
    }

    // %.17g: scientific when the exponent is below -4 or above 16, no trailing zeros, at least two exponent digits.
    private static string Format(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var scientific = value.ToString("E16", CultureInfo.InvariantCulture);
        var e = scientific.IndexOf('E');
        var exponent = int.Parse(scientific.AsSpan(e + 1), CultureInfo.InvariantCulture);
        if (exponent is < -4 or >= 17)
        {
            var mantissa = scientific[..e].TrimEnd('0').TrimEnd('.');
            return $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        var text = value.ToString("F" + (16 - exponent), CultureInfo.InvariantCulture);
        return text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    private bool _named;

    private void Begin(byte bracket)
    {
        Separate();
        Grow(1)[0] = bracket;
        _depth++;
        _comma = false;
    }

    private void End(byte bracket)
    {
        _depth--;
        if (_pretty)
        {
            NewLine(); // also in an empty one
        }

        Grow(1)[0] = bracket;
        _comma = true;
    }

    private void Separate()
    {
        if (_named)
        {
            _named = false;
            return;
        }

        if (_comma)
        {
            Raw(_pretty ? ","u8 : ", "u8);
        }

        if (_pretty && _depth > 0)
        {
            NewLine();
        }
    }

    private void NewLine()
    {
        var line = Grow(2 + (_depth * 4));
        line.Fill((byte)' ');
        "\r\n"u8.CopyTo(line);
    }

    private void Quote(ReadOnlySpan<byte> utf8)
    {
        Grow(1)[0] = (byte)'"';
        while (utf8.Length > 0)
        {
            var plain = utf8.IndexOfAny(Escaped);
            if (plain < 0)
            {
                Raw(utf8);
                break;
            }

            Raw(utf8[..plain]);
            Rune.DecodeFromUtf8(utf8[plain..], out var rune, out var used);
            Escape(rune);
            utf8 = utf8[(plain + used)..];
        }

        Grow(1)[0] = (byte)'"';
    }

    private static readonly SearchValues<byte> Escaped =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is < 0x20 or >= 0x7f or '"' or '\\').Select(b => (byte)b)]);

    private void Escape(Rune rune)
    {
        switch (rune.Value)
        {
            case '"':
                Raw("\\\""u8);
                break;
            case '\\':
                Raw("\\\\"u8);
                break;
            case '\b':
                Raw("\\b"u8);
                break;
            case '\f':
                Raw("\\f"u8);
                break;
            case '\n':
                Raw("\\n"u8);
                break;
            case '\r':
                Raw("\\r"u8);
                break;
            case '\t':
                Raw("\\t"u8);
                break;
            default:
                Span<char> units = stackalloc char[2];
                var count = rune.EncodeToUtf16(units);
                foreach (var unit in units[..count])
                {
                    var text = Grow(6);
                    "\\u"u8.CopyTo(text);
                    _ = Utf8Formatter.TryFormat((ushort)unit, text[2..], out _, new StandardFormat('X', 4));
                }

                break;
        }
    }

    private Span<byte> Room(int size)
    {
        if (size > _buffer.Length - _length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, checked(_length + size)));
        }

        return _buffer.AsSpan(_length);
    }

    private Span<byte> Grow(int size)
    {
        var room = Room(size)[..size];
        _length += size;
        return room;
    }
}
