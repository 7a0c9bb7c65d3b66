using System.Globalization;
using System.Text;
using Qmp.Protocol.Qapi;

namespace Qmp.Daemon.CommandLine;

/// <summary>
/// Reads <c>key=value,nested.key=value,list.0=value</c> into a tree of strings; the schema's readers give it types.
/// <list type="bullet">
/// <item>A comma in a value is written twice.</item>
/// <item>The first value may stand without its key when there is an implied one; it then ends at the first comma.</item>
/// <item>A key that comes twice counts with its last value.</item>
/// <item>A key of digits is an index: all keys beside it must be indices, without a gap.</item>
/// <item><c>help</c> or <c>?</c> alone asks for help.</item>
/// </list>
/// </summary>
internal static class KeyvalParser
{
    /// <summary>Longest part of a key between two dots, in characters.</summary>
    internal const int MaxFragmentLength = 127;

    /// <summary>Deepest nesting of a key.</summary>
    internal const int MaxDepth = 1024;

    /// <summary>Parses the argument of an option.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="impliedKey">The key of a first value without one; null when there is none.</param>
    /// <param name="helpWanted">Whether the user asks for help.</param>
    /// <returns>The tree; its root is an object.</returns>
    /// <exception cref="OptionException">The text is malformed.</exception>
    public static QapiDocument Parse(string text, string? impliedKey, out bool helpWanted)
    {
        var root = new KeyvalNode();
        helpWanted = false;
        var position = 0;
        while (position < text.Length)
        {
            var isHelp = false;
            ParseOne(root, text, ref position, impliedKey, ref isHelp);
            helpWanted |= isHelp;
            impliedKey = null;
        }

        root.CheckLists(string.Empty);
        var document = new QapiDocument(isKeyval: true);
        root.WriteTo(document);
        return document;
    }

    private static void ParseOne(KeyvalNode root, string text, ref int position, string? impliedKey, ref bool isHelp)
    {
        var start = position;
        var end = text.AsSpan(start).IndexOfAny('=', ',');
        end = end < 0 ? text.Length : start + end;
        var key = text[start..end];
        var hasValue = end < text.Length && text[end] == '=';
        if (!hasValue && key is "help" or "?" && (end == text.Length || text[end] == ','))
        {
            isHelp = true;
            position = Math.Min(end + 1, text.Length);
            return;
        }

        if (!hasValue && key.Length > 0 && impliedKey is not null)
        {
            root.Member(impliedKey).SetValue(impliedKey, key);
            position = Math.Min(end + 1, text.Length);
            return;
        }

        var node = Descend(root, key);
        if (!hasValue)
        {
            throw new OptionException($"Expected '=' after parameter '{key}'");
        }

        position = end + 1;
        node.SetValue(key, ParseValue(text, ref position));
    }

    // Walks down the parts of a key, making what is missing.
    private static KeyvalNode Descend(KeyvalNode root, string key)
    {
        var node = root;
        var position = 0;
        for (var depth = 0; ; depth++)
        {
            var length = FragmentLength(key.AsSpan(position), isFirst: depth == 0);
            var end = position + length;
            if (length == 0 || (end < key.Length && key[end] != '.') || depth == MaxDepth)
            {
                throw new OptionException($"Invalid parameter '{key}'");
            }

            if (length > MaxFragmentLength)
            {
                var kind = length == key.Length ? string.Empty : " fragment";
                throw new OptionException($"Parameter{kind} '{key[position..end]}' is too long");
            }

            node.BecomeObject(position == 0 ? string.Empty : key[..(position - 1)]);
            node = node.Member(key[position..end]);
            if (end == key.Length)
            {
                return node;
            }

            position = end + 1;
        }
    }

    // An index, or a QAPI name: letter, then letters, digits, '-', '_', with an optional prefix __domain.name_.
    private static int FragmentLength(ReadOnlySpan<char> text, bool isFirst)
    {
        var length = 0;
        if (!isFirst)
        {
            while (length < text.Length && char.IsAsciiDigit(text[length]))
            {
                length++;
            }

            if (length > 0)
            {
                return length;
            }
        }

        if (text.StartsWith("__"))
        {
            length = 2;
            while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '.' or '-'))
            {
                length++;
            }

            if (length == text.Length || text[length] != '_')
            {
                return 0;
            }

            length++;
        }

        if (length == text.Length || !char.IsAsciiLetter(text[length]))
        {
            return 0;
        }

        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '-' or '_'))
        {
            length++;
        }

        return length;
    }

    internal static string ParseValue(string text, ref int position)
    {
        var value = new StringBuilder();
        while (position < text.Length)
        {
            var c = text[position++];
            if (c == ',')
            {
                if (position == text.Length || text[position] != ',')
                {
                    break;
                }

                position++;
            }

            value.Append(c);
        }

        return value.ToString();
    }

    // A string, or members by key; an object whose keys are indices is a list.
    private sealed class KeyvalNode
    {
        private readonly Dictionary<string, KeyvalNode> _members = [];
        private string? _value;

        private bool IsList => _members.Count > 0 && _members.Keys.All(IsIndex);

        public KeyvalNode Member(string key)
        {
            if (!_members.TryGetValue(key, out var member))
            {
                _members.Add(key, member = new KeyvalNode());
            }

            return member;
        }

        public void SetValue(string path, string value)
        {
            if (_members.Count > 0)
            {
                throw Inconsistent(path);
            }

            _value = value;
        }

        public void BecomeObject(string path)
        {
            if (_value is not null)
            {
                throw Inconsistent(path);
            }
        }

        public void CheckLists(string path)
        {
            foreach (var (key, member) in _members)
            {
                member.CheckLists(path.Length == 0 ? key : path + "." + key);
            }

            var indices = _members.Keys.Where(IsIndex).Select(Index).ToHashSet();
            if (indices.Count == 0)
            {
                return;
            }

            if (!IsList)
            {
                throw Inconsistent(path);
            }

            for (var i = 0; i < indices.Count; i++)
            {
                if (!indices.Contains(i))
                {
                    throw new OptionException($"Parameter '{path}.{i}' missing");
                }
            }
        }

        public void WriteTo(QapiDocument document)
        {
            if (_value is not null)
            {
                document.String(_value);
                return;
            }

            if (IsList)
            {
                document.BeginList();
                foreach (var item in _members.GroupBy(m => Index(m.Key)).OrderBy(g => g.Key))
                {
                    item.Last().Value.WriteTo(document);
                }
            }
            else
            {
                document.BeginObject();
                foreach (var (key, member) in _members)
                {
                    document.Name(Encoding.UTF8.GetBytes(key));
                    member.WriteTo(document);
                }
            }

            document.End();
        }

        private static bool IsIndex(string key) => char.IsAsciiDigit(key[0]);

        private static long Index(string key) =>
            int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : int.MaxValue;

        private static OptionException Inconsistent(string path) => new($"Parameters '{path}.*' used inconsistently");
    }
}
