using Qmp.Server;

namespace Qmp.Daemon.CommandLine;

/// <summary>
/// The older, flat syntax of <c>--chardev</c>: <c>backend,id=name,key=value,flag</c>. A comma in a value is written
/// twice; a key without a value is a switch (<c>noflag</c> turns it off), which is deprecated; keys are known with
/// their types, and values are checked in the order given.
/// </summary>
internal sealed class OptionList
{
    private const string SizeLetters = "bBkKmMgGtTpPeE";

    private readonly Dictionary<string, string> _values = [];

    /// <summary>Types of values.</summary>
    internal enum ValueType
    {
        String,
        Bool,
        Number,
        Size,
    }

    /// <summary>Parses the argument of an option.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="impliedKey">The key of a first value without one.</param>
    /// <param name="types">The keys that there are.</param>
    /// <param name="warn">Where deprecated forms are named.</param>
    /// <exception cref="OptionException">A key is unknown or a value malformed.</exception>
    public static OptionList Parse(
        string text, string impliedKey, IReadOnlyDictionary<string, ValueType> types, Action<string> warn)
    {
        var list = new OptionList();
        var pairs = new List<(string Key, string Value)>();
        for (var position = 0; position < text.Length;)
        {
            pairs.Add(One(text, ref position, pairs.Count == 0 ? impliedKey : null, warn, list));
        }

        foreach (var (key, value) in pairs)
        {
            if (key != "id" && key.Length > 0)
            {
                Check(key, value, types);
                list._values[key] = value;
            }
        }

        return list;
    }

    /// <summary>Whether the user asks for help.</summary>
    public bool HelpWanted { get; private set; }

    /// <summary>The name given with <c>id=</c>; null when there is none.</summary>
    public string? Id { get; private set; }

    public string? String(string key) => _values.GetValueOrDefault(key);

    public bool? Bool(string key) => _values.TryGetValue(key, out var value) ? value is "on" or "yes" or "true" or "y" : null;

    public ulong? Number(string key) => _values.TryGetValue(key, out var value) ? ToNumber(value) : null;

    /// <summary>A number of bytes; a letter at its end multiplies by a power of 1024.</summary>
    /// <exception cref="OptionException">It does not fit.</exception>
    public ulong? Size(string key)
    {
        if (!_values.TryGetValue(key, out var value))
        {
            return null;
        }

        var digits = value.TrimEnd(SizeLetters.ToCharArray());
        var shift = digits.Length == value.Length ? 0 : Math.Max(0, "bkmgtpe".IndexOf(char.ToLowerInvariant(value[^1]), StringComparison.Ordinal)) * 10;
        var number = ToNumber(digits)!.Value;
        return value.StartsWith('-') || number > ulong.MaxValue >> shift
            ? throw new OptionException($"Value '{value}' is out of range for parameter '{key}'")
            : number << shift;
    }

    private static (string Key, string Value) One(
        string text, ref int position, string? impliedKey, Action<string> warn, OptionList list)
    {
        var rest = text.AsSpan(position);
        var length = rest.IndexOfAny('=', ',');
        length = length < 0 ? rest.Length : length;
        var hasValue = length < rest.Length && rest[length] == '=';
        if (!hasValue && impliedKey is not null)
        {
            var value = KeyvalParser.ParseValue(text, ref position);
            list.HelpWanted |= value is "help" or "?";
            return (impliedKey, value);
        }

        var key = rest[..length].ToString();
        position = Math.Min(position + length + 1, text.Length);
        if (hasValue)
        {
            var value = KeyvalParser.ParseValue(text, ref position);
            if (key == "id")
            {
                list.Id ??= Identifiers.IsWellFormed(value) ? value : throw new OptionException("Parameter 'id' expects an identifier", Identifiers.Rule);
            }

            return (key, value);
        }

        if (key is "help" or "?")
        {
            list.HelpWanted = true;
            return (string.Empty, string.Empty);
        }

        var isOff = key.StartsWith("no", StringComparison.Ordinal);
        var name = isOff ? key[2..] : key;
        var state = isOff ? "off" : "on";
        warn($"warning: short-form boolean option '{key}' deprecated\nPlease use {name}={state} instead");
        return (name, state);
    }

    private static void Check(string key, string value, IReadOnlyDictionary<string, ValueType> types)
    {
        if (!types.TryGetValue(key, out var type))
        {
            throw new OptionException($"Invalid parameter '{key}'");
        }

        switch (type)
        {
            case ValueType.Bool when value is not ("on" or "yes" or "true" or "y" or "off" or "no" or "false" or "n"):
                throw new OptionException($"Parameter '{key}' expects 'on' or 'off'");
            case ValueType.Number when ToNumber(value) is null:
                throw new OptionException($"Parameter '{key}' expects a number");
            case ValueType.Size when ToNumber(value.TrimEnd(SizeLetters.ToCharArray())) is null:
                throw new OptionException(
                    $"Parameter '{key}' expects a non-negative number below 2^64",
                    "It may end in k, M, G, T, P or E for powers of 1024.");
            default:
                break;
        }
    }

    // Decimal, octal with 0, hexadecimal with 0x; a minus sign counts modulo 2^64.
    private static ulong? ToNumber(string text)
    {
        var digits = text.AsSpan().TrimStart();
        var isNegative = digits.StartsWith("-");
        digits = isNegative || digits.StartsWith("+") ? digits[1..] : digits;
        var radix = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? 16u : digits is ['0', _, ..] ? 8u : 10u;
        digits = radix == 16 ? digits[2..] : digits;
        var value = 0UL;
        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? (uint)Convert.ToInt32(c.ToString(), 16) : 16;
            if (digit >= radix || value > (ulong.MaxValue - digit) / radix)
            {
                return null;
            }

            value = (value * radix) + digit;
        }

        return digits.Length == 0 ? null : isNegative ? unchecked(0 - value) : value;
    }
}
