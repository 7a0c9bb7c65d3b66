using System.Text;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Shell;

/// <summary>
/// Edits one line of a terminal. A line that is too long is moved sideways, so that it always takes one row: what comes
/// meanwhile (<see cref="Print"/>) is written above it. Keys are those of other shells.
/// </summary>
internal sealed class LineEditor(KeyReader keys, ShellHistory history)
{
    /// <summary>Stands for the line that the user gave up with Ctrl-C.</summary>
    public const string Interrupted = "\u0003";

    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private string _prompt = "";
    private int _cursor;
    private bool _isEditing;
    private string _cut = "";

    /// <summary>Writes lines above the one that is edited. Any thread.</summary>
    public void Print(string text)
    {
        lock (_lock)
        {
            if (_isEditing)
            {
                Console.Out.Write("\r\e[K" + text + "\n");
                Draw();
            }
            else
            {
                Terminal.Line(text);
            }
        }
    }

    /// <summary>Lets the user edit a line.</summary>
    /// <param name="prompt">What stands before it.</param>
    /// <param name="complete">Completes the text before the cursor.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The line; <see cref="Interrupted"/>; null at the end, Ctrl-D.</returns>
    public async Task<string?> ReadAsync(string prompt, Func<string, Completion> complete, CancellationToken cancellation)
    {
        lock (_lock)
        {
            _text.Clear();
            _prompt = prompt;
            _cursor = 0;
            _isEditing = true;
            Draw();
        }

        int at = history.Lines.Count;
        string draft = "", sought = "";
        ConsoleKeyInfo last = default;
        try
        {
            while (true)
            {
                var key = await keys.ReadAsync(cancellation);
                lock (_lock)
                {
                    switch (Name(key))
                    {
                        case "Enter" or "^J" or "^M":
                            End("");
                            return _text.ToString();
                        case "^C":
                            End("^C");
                            return Interrupted;
                        case "^D" when _text.Length == 0:
                            End("");
                            return null;
                        case "Tab":
                            Complete(complete, isSecond: Name(last) == "Tab");
                            break;
                        case "UpArrow" or "^P" when at > 0:
                            draft = at == history.Lines.Count ? _text.ToString() : draft;
                            Show(history.Lines[--at]);
                            break;
                        case "DownArrow" or "^N" when at < history.Lines.Count:
                            Show(++at == history.Lines.Count ? draft : history.Lines[at]);
                            break;
                        case "^R":
                            sought = Name(last) == "^R" ? sought : _text.ToString();
                            Search();
                            break;
                        default:
                            Edit(key);
                            break;
                    }

                    last = key;
                    Draw();
                }
            }
        }
        finally
        {
            lock (_lock)
            {
                _isEditing = false;
            }
        }

        void Search()
        {
            for (var i = at - 1; i >= 0; i--)
            {
                if (history.Lines[i].Contains(sought, StringComparison.Ordinal))
                {
                    draft = at == history.Lines.Count ? _text.ToString() : draft;
                    at = i;
                    Show(history.Lines[i]);
                    return;
                }
            }
        }
    }

    private static string Name(ConsoleKeyInfo key) =>
        key.Modifiers.HasFlag(ConsoleModifiers.Control) && key.Key is >= ConsoleKey.A and <= ConsoleKey.Z ? "^" + key.Key
        : (key.Modifiers & (ConsoleModifiers.Control | ConsoleModifiers.Alt)) != 0 ? "Word" + key.Key
        : key.Key == ConsoleKey.None && key.KeyChar == '\t' ? "Tab"
        : key.Key.ToString();

    private void Edit(ConsoleKeyInfo key)
    {
        switch (Name(key))
        {
            case "LeftArrow" or "^B":
                _cursor = Before(_cursor);
                break;
            case "RightArrow" or "^F":
                _cursor = After(_cursor);
                break;
            case "Home" or "^A":
                _cursor = 0;
                break;
            case "End" or "^E":
                _cursor = _text.Length;
                break;
            case "WordLeftArrow" or "WordB":
                _cursor = WordBefore();
                break;
            case "WordRightArrow" or "WordF":
                while (_cursor < _text.Length && _text[_cursor] == ' ')
                {
                    _cursor++;
                }

                while (_cursor < _text.Length && _text[_cursor] != ' ')
                {
                    _cursor++;
                }

                break;
            case "Backspace" or "^H":
                Remove(Before(_cursor), _cursor, keep: false);
                break;
            case "Delete" or "^D":
                Remove(_cursor, After(_cursor), keep: false);
                break;
            case "^W" or "WordBackspace":
                Remove(WordBefore(), _cursor, keep: true);
                break;
            case "^U":
                Remove(0, _cursor, keep: true);
                break;
            case "^K":
                Remove(_cursor, _text.Length, keep: true);
                break;
            case "^Y":
                Insert(_cut);
                break;
            case "^L":
                Console.Out.Write("\e[H\e[2J");
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    Insert(key.KeyChar.ToString());
                }

                break;
        }
    }

    private void Complete(Func<string, Completion> complete, bool isSecond)
    {
        var before = _text.ToString(0, _cursor);
        var completion = complete(before);
        if (completion.Common.Length > before.Length - completion.Start || completion.Candidates.Count == 1)
        {
            Remove(completion.Start, _cursor, keep: false);
            Insert(completion.Common);
        }
        else if (completion.Candidates.Count > 1 && isSecond)
        {
            Console.Out.Write("\r\e[K" + Columns(completion.Candidates, Console.WindowWidth) + "\n");
        }
    }

    /// <summary>Words in columns, from the top to the bottom.</summary>
    internal static string Columns(IReadOnlyList<string> words, int width)
    {
        var column = words.Max(word => word.TrimEnd().Length) + 2;
        var count = Math.Max(1, width / column);
        var rows = (words.Count + count - 1) / count;
        return string.Join('\n', Enumerable.Range(0, rows).Select(row =>
            string.Concat(words.Where((_, i) => i % rows == row).Select(word => Terminal.Clean(word.TrimEnd()).PadRight(column))).TrimEnd()));
    }

    private void Show(string text)
    {
        _text.Clear().Append(text);
        _cursor = _text.Length;
    }

    private void Insert(string text)
    {
        _text.Insert(_cursor, text);
        _cursor += text.Length;
    }

    private void Remove(int from, int to, bool keep)
    {
        if (keep && to > from)
        {
            _cut = _text.ToString(from, to - from);
        }

        _text.Remove(from, to - from);
        _cursor = from;
    }

    private int Before(int at) => at == 0 ? 0 : at > 1 && char.IsLowSurrogate(_text[at - 1]) ? at - 2 : at - 1;

    private int After(int at) => at == _text.Length ? at : at + 1 < _text.Length && char.IsHighSurrogate(_text[at]) ? at + 2 : at + 1;

    private int WordBefore()
    {
        var at = _cursor;
        while (at > 0 && _text[at - 1] == ' ')
        {
            at--;
        }

        while (at > 0 && _text[at - 1] != ' ')
        {
            at--;
        }

        return at;
    }

    private void End(string mark)
    {
        _cursor = _text.Length;
        Draw();
        Console.Out.Write(mark + "\n");
        Console.Out.Flush();
        _isEditing = false;
    }

    private void Draw()
    {
        // One column is left free: a full row would wrap.
        var room = Math.Max(8, Console.WindowWidth - _prompt.Length - 1);
        var text = _text.ToString();
        var from = 0;
        while (Width(text.AsSpan(from, _cursor - from)) > room - 1)
        {
            from += char.IsHighSurrogate(text[from]) ? 2 : 1;
        }

        var to = from;
        while (to < text.Length && Width(text.AsSpan(from, to + 1 - from)) <= room)
        {
            to++;
        }

        var back = Width(text.AsSpan(_cursor, Math.Max(0, to - _cursor)));
        Console.Out.Write($"\r\e[K{Terminal.Bold(_prompt)}{text[from..to]}{(back > 0 ? $"\e[{back}D" : "")}");
        Console.Out.Flush();
    }

    private static int Width(ReadOnlySpan<char> text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            width += rune.Value is >= 0x1100 and (<= 0x115F or >= 0x2E80) and not (>= 0xD7B0 and <= 0xF8FF) ? 2 : Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark ? 0 : 1;
        }

        return width;
    }
}
