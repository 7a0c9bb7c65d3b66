using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Qmp.Protocol.Qapi;

/// <summary>
/// One tree of values, flat in memory: what a lexer or a command-line parser saw, before a <see cref="QapiReader"/>
/// gives it a type. It owns its bytes, so a request that waits in a queue keeps nothing of the read buffer.
/// Built by one call per token, in order; reusable through <see cref="Reset"/>. Not thread-safe.
/// </summary>
public sealed class QapiDocument
{
    // Beyond this many members an object's names are looked up by hash, so that hostile input costs linear time.
    private const int LinearMembers = 16;

    private Node[] _nodes;
    private int _count;
    private byte[] _text;
    private int _textLength;
    private int _open = -1;
    private int _pendingName;
    private int _pendingNameLength = -1;
    private HashSet<long>? _names;

    /// <summary>An empty document.</summary>
    /// <param name="isKeyval">True when the values come from <c>key=value</c> text, where every scalar is a string
    /// that the reader converts.</param>
    public QapiDocument(bool isKeyval = false)
        : this(isKeyval, 8, 128)
    {
    }

    private QapiDocument(bool isKeyval, int nodes, int text)
    {
        IsKeyval = isKeyval;
        _nodes = new Node[nodes];
        _text = new byte[text];
    }

    /// <summary>The document <c>{}</c>: the arguments of a command that was called without any. Any thread.</summary>
    public static QapiDocument EmptyObject { get; } = CreateEmpty();

    /// <summary>Whether scalars are strings of the command line.</summary>
    public bool IsKeyval { get; }

    /// <summary>Number of values, the root included.</summary>
    public int Count => _count;

    /// <summary>Whether the root value is complete.</summary>
    public bool IsComplete => _count > 0 && _open < 0;

    /// <summary>Kind of the root value.</summary>
    public QapiKind RootKind => _nodes[0].Kind;

    /// <summary>Forgets everything, keeps the memory.</summary>
    public void Reset()
    {
        _count = 0;
        Root = 0;
        _textLength = 0;
        _open = -1;
        _pendingNameLength = -1;
        _names?.Clear();
    }

    /// <summary>Names the next value. Inside an object every value needs a name first.</summary>
    /// <param name="name">The name, UTF-8, escapes resolved.</param>
    /// <returns>False when the object has a member of that name already; the document is then unusable.</returns>
    public bool Name(ReadOnlySpan<byte> name)
    {
        ref var parent = ref _nodes[_open];
        var duplicate = parent.Children <= LinearMembers ? Find(_open, name) >= 0 : !AddName(name);
        if (duplicate)
        {
            return false;
        }

        _pendingName = AddText(name);
        _pendingNameLength = name.Length;
        return true;
    }

    /// <summary>Opens an object.</summary>
    public void BeginObject() => _open = Add(QapiKind.Object, 0);

    /// <summary>Opens a list.</summary>
    public void BeginList() => _open = Add(QapiKind.List, 0);

    /// <summary>Closes the innermost object or list.</summary>
    public void End()
    {
        _nodes[_open].Next = _count;
        _open = _nodes[_open].Parent;
    }

    /// <summary>Adds null.</summary>
    public void Null() => Add(QapiKind.Null, 0);

    /// <summary>Adds a truth value.</summary>
    /// <param name="value">The value.</param>
    public void Bool(bool value) => Add(QapiKind.Bool, value ? 1 : 0);

    /// <summary>Adds a string.</summary>
    /// <param name="utf8">Its UTF-8 bytes, escapes resolved.</param>
    public void String(ReadOnlySpan<byte> utf8)
    {
        var offset = AddText(utf8);
        Add(QapiKind.String, ((long)utf8.Length << 32) | (uint)offset);
    }

    /// <summary>Adds a string.</summary>
    /// <param name="value">The string.</param>
    public void String(string value) => String(Encoding.UTF8.GetBytes(value));

    /// <summary>Adds a number as it stands in JSON text. A whole number that 64 bits cannot hold becomes a float.</summary>
    /// <param name="token">The token, checked by the lexer: <c>-?digits[.digits][e[+-]digits]</c>.</param>
    public void Number(ReadOnlySpan<byte> token)
    {
        if (token.IndexOfAny(".eE"u8) < 0)
        {
            if (Utf8Parser.TryParse(token, out long signed, out var used) && used == token.Length)
            {
                Add(QapiKind.Integer, signed);
                return;
            }

            if (Utf8Parser.TryParse(token, out ulong unsigned, out used) && used == token.Length)
            {
                Add(QapiKind.Unsigned, unchecked((long)unsigned));
                return;
            }
        }

        _ = double.TryParse(token, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        Number(value);
    }

    /// <summary>Adds an integer.</summary>
    /// <param name="value">The value.</param>
    public void Number(long value) => Add(QapiKind.Integer, value);

    /// <summary>Adds a float.</summary>
    /// <param name="value">The value.</param>
    public void Number(double value) => Add(QapiKind.Float, BitConverter.DoubleToInt64Bits(value));

    // Where a reader begins: 0, or the arguments inside the request that brought them.
    internal int Root { get; set; }

    // Bytes of memory behind all strings and names.
    internal int TextCapacity => _text.Length;

    internal ref Node this[int index] => ref _nodes[index];

    internal ReadOnlySpan<byte> NameOf(int index) =>
        _text.AsSpan(_nodes[index].NameOffset, Math.Max(0, _nodes[index].NameLength));

    internal ReadOnlySpan<byte> TextOf(int index)
    {
        var packed = _nodes[index].Value;
        return _text.AsSpan((int)(uint)packed, (int)(packed >> 32));
    }

    // Index of the member with this name, -1 when there is none.
    internal int Find(int container, ReadOnlySpan<byte> name)
    {
        var end = _nodes[container].Next == 0 ? _count : _nodes[container].Next; // 0: still open
        for (var child = container + 1; child < end; child = _nodes[child].Next)
        {
            ref var node = ref _nodes[child];
            if (node.NameLength == name.Length && name.SequenceEqual(_text.AsSpan(node.NameOffset, name.Length)))
            {
                return child;
            }
        }

        return -1;
    }

    private static QapiDocument CreateEmpty()
    {
        var document = new QapiDocument(false, 1, 0);
        document.BeginObject();
        document.End();
        return document;
    }

    private int Add(QapiKind kind, long value)
    {
        if (_count == _nodes.Length)
        {
            Array.Resize(ref _nodes, _count * 2);
        }

        var index = _count++;
        if (_open >= 0)
        {
            _nodes[_open].Children++;
        }

        _nodes[index] = new Node
        {
            Kind = kind,
            Parent = _open,
            Next = kind is QapiKind.Object or QapiKind.List ? 0 : index + 1,
            NameOffset = _pendingName,
            NameLength = _pendingNameLength,
            Value = value,
        };
        _pendingNameLength = -1;

        return index;
    }

    private int AddText(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > _text.Length - _textLength)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, checked(_textLength + utf8.Length)));
        }

        var offset = _textLength;
        utf8.CopyTo(_text.AsSpan(offset));
        _textLength += utf8.Length;
        return offset;
    }

    // True when the name is new in the open object. A hash that is known may still be another name's: then look.
    private bool AddName(ReadOnlySpan<byte> name)
    {
        var names = _names ??= [];
        if (_nodes[_open].Children == LinearMembers + 1)
        {
            for (var child = _open + 1; child < _count; child = _nodes[child].Next)
            {
                names.Add(Key(NameOf(child)));
            }
        }

        return names.Add(Key(name)) || Find(_open, name) < 0;
    }

    private long Key(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return ((long)_open << 32) | (uint)hash.ToHashCode();
    }

    internal struct Node
    {
        public QapiKind Kind;
        public bool Visited;
        public int Parent;
        public int Next;
        public int Children;
        public int NameOffset;
        public int NameLength;
        public long Value;
    }
}
