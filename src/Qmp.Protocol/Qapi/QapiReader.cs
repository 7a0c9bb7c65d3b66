using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Qmp.Protocol.Qapi;

/// <summary>
/// Reads the typed values of the schema from a <see cref="QapiDocument"/>, strictly: what is missing, unexpected or of
/// the wrong type is a GenericError with QEMU's text. Generated code calls it in the schema's order, which is the
/// order in which the checks happen. A document is read once (its members are marked as they are visited).
/// </summary>
/// <remarks>
/// The reader stands on a value, and inside an object: <see cref="BeginObject"/> enters the current value,
/// <see cref="Member"/> and <see cref="Optional"/> step to a member, and the <c>Read...</c> methods take the current
/// value. Errors name a value by its path (<c>file.cache.direct</c>, <c>actions[2].data</c>), except where QEMU names
/// it by its last part only.
/// </remarks>
public ref struct QapiReader
{
    // The value of a member that a lenient reader misses.
    private const int Absent = -2;

    private readonly QapiDocument _document;
    private readonly bool _isLenient;
    private int _container;
    private int _value;

    /// <summary>A reader that stands on the root value.</summary>
    /// <param name="document">The values.</param>
    /// <param name="isLenient">For a client, whose server may be newer or older than the schema: unexpected members are
    /// passed over, and a missing one reads as zero, false, an empty text, list or object. An enumeration of a client's
    /// types has a value for what its schema lacks.</param>
    public QapiReader(QapiDocument document, bool isLenient = false)
    {
        _document = document;
        _isLenient = isLenient;
        _container = -1;
        _value = document.Root;
    }

    /// <summary>Kind of the current value.</summary>
    public readonly QapiKind Kind => _value == Absent ? QapiKind.Null : _document[_value].Kind;

    /// <summary>Whether what the schema lacks is passed over: see the constructor.</summary>
    public readonly bool IsLenient => _isLenient;

    /// <summary>Whether scalars are strings of the command line.</summary>
    public readonly bool IsKeyval => _document.IsKeyval;

    /// <summary>Enters the current value, which must be an object.</summary>
    /// <returns>What <see cref="EndObject"/> needs to come back.</returns>
    /// <exception cref="QmpException">It is something else, or nested too deeply for the thread's stack.</exception>
    public int BeginObject()
    {
        if (Kind != QapiKind.Object && _value != Absent)
        {
            throw WrongType("object");
        }

        // Types may contain themselves, and a thread's stack may be small.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Error("Parameters are nested too deeply");
        }

        var outer = _container;
        _container = _value;
        return outer;
    }

    /// <summary>Leaves an object, whose members must all have been visited.</summary>
    /// <param name="outer">What <see cref="BeginObject"/> returned.</param>
    /// <exception cref="QmpException">A member is unexpected.</exception>
    public void EndObject(int outer)
    {
        var first = _isLenient ? 0 : _container + 1;
        var end = _isLenient ? 0 : _document[_container].Next;
        for (var child = first; child < end; child = _document[child].Next)
        {
            if (!_document[child].Visited)
            {
                throw Error($"Parameter '{PathOf(child)}' is unexpected");
            }
        }

        _container = outer;
    }

    /// <summary>Steps to a member that must be there.</summary>
    /// <param name="name">Its name on the wire.</param>
    /// <returns>This reader, so that the read can follow at once.</returns>
    /// <exception cref="QmpException">It is missing.</exception>
    [UnscopedRef]
    public ref QapiReader Member(scoped ReadOnlySpan<byte> name)
    {
        if (!Optional(name))
        {
            if (_isLenient)
            {
                _value = Absent;
                return ref this;
            }

            var path = PathOf(_container);
            var member = Encoding.UTF8.GetString(name);
            throw Error($"Parameter '{(path.Length == 0 ? member : path + "." + member)}' is missing");
        }

        return ref this;
    }

    /// <summary>Steps to a member if it is there.</summary>
    /// <param name="name">Its name on the wire.</param>
    /// <returns>Whether it is there.</returns>
    public bool Optional(scoped ReadOnlySpan<byte> name)
    {
        var index = _container == Absent ? -1 : _document.Find(_container, name);
        if (index < 0)
        {
            return false;
        }

        _document[index].Visited = true;
        _value = index;
        return true;
    }

    /// <summary>Takes a list.</summary>
    /// <typeparam name="T">Type of its elements.</typeparam>
    /// <param name="readItem">Takes one element.</param>
    /// <returns>The elements.</returns>
    /// <exception cref="QmpException">It is not a list, or an element is wrong.</exception>
    public IReadOnlyList<T> ReadList<T>(QapiItemReader<T> readItem)
    {
        if (_value == Absent)
        {
            return [];
        }

        if (Kind != QapiKind.List)
        {
            throw WrongType("array");
        }

        var list = _value;
        var items = new T[_document[list].Children];
        var item = list + 1;
        for (var i = 0; i < items.Length; i++, item = _document[item].Next)
        {
            _value = item;
            items[i] = readItem(ref this);
        }

        return items;
    }

    /// <summary>Takes a string.</summary>
    /// <returns>The string.</returns>
    /// <exception cref="QmpException">It is something else.</exception>
    public readonly string ReadString() => Encoding.UTF8.GetString(ReadUtf8());

    /// <summary>Takes a truth value; on the command line <c>on</c>, <c>yes</c>, <c>true</c>, <c>y</c> and their
    /// opposites.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else.</exception>
    public readonly bool ReadBoolean()
    {
        if (_value == Absent)
        {
            return false;
        }

        if (_document.IsKeyval)
        {
            return KeyvalScalar.ToBoolean(Scalar()) ?? throw Error($"Parameter '{Path}' expects 'on' or 'off'");
        }

        return Kind == QapiKind.Bool ? _document[_value].Value != 0 : throw WrongType("boolean");
    }

    /// <summary>Takes null.</summary>
    /// <returns>Null.</returns>
    /// <exception cref="QmpException">It is something else.</exception>
    public readonly QapiNull ReadNull()
    {
        if (_document.IsKeyval ? Scalar().Length != 0 : Kind != QapiKind.Null)
        {
            throw WrongType("null");
        }

        return default;
    }

    /// <summary>Takes a number.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else.</exception>
    public readonly double ReadNumber()
    {
        if (_value == Absent)
        {
            return 0;
        }

        if (_document.IsKeyval)
        {
            return KeyvalScalar.ToNumber(Scalar()) ?? throw WrongType("number");
        }

        var bits = _document[_value].Value;
        return Kind switch
        {
            QapiKind.Integer => bits,
            QapiKind.Unsigned => unchecked((ulong)bits),
            QapiKind.Float => BitConverter.Int64BitsToDouble(bits),
            _ => throw WrongType("number"),
        };
    }

    /// <summary>Takes a signed 64-bit integer (<c>int</c> and <c>int64</c> of the schema).</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly long ReadInt64()
    {
        if (_value == Absent)
        {
            return 0;
        }

        if (_document.IsKeyval)
        {
            return KeyvalScalar.ToInt64(Scalar()) ?? throw Invalid("integer");
        }

        return Kind == QapiKind.Integer ? _document[_value].Value : throw WrongType("integer");
    }

    /// <summary>Takes an unsigned 64-bit integer; a negative number is taken modulo 2^64, as in QEMU.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly ulong ReadUInt64()
    {
        if (_value == Absent)
        {
            return 0;
        }

        if (_document.IsKeyval)
        {
            return KeyvalScalar.ToUInt64(Scalar()) ?? throw Invalid("integer");
        }

        return Kind is QapiKind.Integer or QapiKind.Unsigned
            ? unchecked((ulong)_document[_value].Value)
            : throw Invalid("uint64");
    }

    /// <summary>Takes a size in bytes; on the command line with a suffix of K, M, G, T, P or E.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly ulong ReadSize() => _document.IsKeyval
        ? KeyvalScalar.ToSize(Scalar()) ?? throw Invalid("size")
        : ReadUInt64();

    /// <summary>Takes an integer of <c>int8</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly sbyte ReadInt8() => (sbyte)Signed(sbyte.MinValue, sbyte.MaxValue, "int8_t");

    /// <summary>Takes an integer of <c>int16</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly short ReadInt16() => (short)Signed(short.MinValue, short.MaxValue, "int16_t");

    /// <summary>Takes an integer of <c>int32</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly int ReadInt32() => (int)Signed(int.MinValue, int.MaxValue, "int32_t");

    /// <summary>Takes an integer of <c>uint8</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly byte ReadUInt8() => (byte)Unsigned(byte.MaxValue, "uint8_t");

    /// <summary>Takes an integer of <c>uint16</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly ushort ReadUInt16() => (ushort)Unsigned(ushort.MaxValue, "uint16_t");

    /// <summary>Takes an integer of <c>uint32</c>.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="QmpException">It is something else or out of range.</exception>
    public readonly uint ReadUInt32() => (uint)Unsigned(uint.MaxValue, "uint32_t");

    /// <summary>Takes the name of an enumeration's value, to be compared with the known ones.</summary>
    /// <returns>Its bytes, valid as long as the document is.</returns>
    /// <exception cref="QmpException">It is not a string.</exception>
    public readonly ReadOnlySpan<byte> ReadUtf8()
    {
        if (_value == Absent)
        {
            return default;
        }

        if (_document.IsKeyval)
        {
            return Scalar();
        }

        return Kind == QapiKind.String ? _document.TextOf(_value) : throw WrongType("string");
    }

    /// <summary>Takes any value.</summary>
    /// <returns>The value, independent of the document.</returns>
    public readonly JsonElement ReadAny()
    {
        if (_value == Absent)
        {
            return default;
        }

        var json = new Utf8JsonReader(QapiWriter.ToJson(_document, _value), new JsonReaderOptions { MaxDepth = int.MaxValue });
        return JsonElement.ParseValue(ref json);
    }

    /// <summary>The error for an enumeration that lacks the current value.</summary>
    /// <returns>What to throw.</returns>
    public readonly QmpException NotAccepted() =>
        Error($"Parameter '{LastName}' does not accept value '{ReadString()}'");

    /// <summary>The error for an alternate that has no branch for the current value's JSON type.</summary>
    /// <param name="type">The alternate's name.</param>
    /// <returns>What to throw.</returns>
    public readonly QmpException NoBranch(string type) =>
        Error($"Invalid parameter type for '{LastName}', expected: {type}");

    private readonly string Path => _value != Absent && PathOf(_value) is { Length: > 0 } path ? path : "<anonymous>";

    private readonly string LastName => _value == Absent ? "missing member" : _document[_value].NameLength >= 0
        ? Encoding.UTF8.GetString(_document.NameOf(_value))
        : "null";

    private static QmpException Error(string text) => new(ErrorClass.GenericError, text);

    private readonly QmpException WrongType(string expected) =>
        Error($"Invalid parameter type for '{Path}', expected: {expected}");

    private readonly QmpException Invalid(string expected) => Error($"Parameter '{Path}' expects {expected}");

    private readonly QmpException OutOfRange(string type) => Error($"Parameter '{LastName}' expects {type}");

    private readonly long Signed(long min, long max, string type)
    {
        var value = ReadInt64();
        return value >= min && value <= max ? value : throw OutOfRange(type);
    }

    private readonly ulong Unsigned(ulong max, string type)
    {
        var value = ReadUInt64();
        return value <= max ? value : throw OutOfRange(type);
    }

    // A scalar of the command line.
    private readonly ReadOnlySpan<byte> Scalar() => Kind == QapiKind.String
        ? _document.TextOf(_value)
        : throw Error($"Parameters '{Path}.*' are unexpected");

    // "a.b[2].c" from the root down; the root itself has no name.
    private readonly string PathOf(int index)
    {
        var path = new StringBuilder();
        for (; index > _document.Root; index = _document[index].Parent)
        {
            ref var node = ref _document[index];
            if (node.NameLength >= 0)
            {
                path.Insert(0, Encoding.UTF8.GetString(_document.NameOf(index))).Insert(0, '.');
            }
            else
            {
                var position = PositionOf(index).ToString(CultureInfo.InvariantCulture);
                path.Insert(0, _document.IsKeyval ? "." + position : "[" + position + "]");
            }
        }

        return path.Length > 0 && path[0] == '.' ? path.ToString(1, path.Length - 1) : path.ToString();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly int PositionOf(int index)
    {
        var position = 0;
        for (var item = _document[index].Parent + 1; item < index; item = _document[item].Next)
        {
            position++;
        }

        return position;
    }
}
