namespace Qmp.Daemon.CommandLine;

/// <summary>The options of the daemon. Those that name an object are obeyed in the order given.</summary>
internal enum OptionKind
{
    Blockdev,
    Chardev,
    Daemonize,
    Export,
    Help,
    Monitor,
    NbdServer,
    Object,
    PidFile,
    Trace,
    Version,
}

/// <summary>One option as it was typed.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="Argument">Its argument, empty for options that take none.</param>
/// <param name="Location">The words of the command line that it was made of: errors begin with them.</param>
internal readonly record struct Option(OptionKind Kind, string Argument, string Location);

/// <summary>
/// Splits a command line into options by the rules of <c>getopt_long</c>: <c>--name value</c>, <c>--name=value</c>,
/// unique beginnings of names, bundled short options, <c>--</c> ends the options and what follows is ignored.
/// </summary>
internal static class OptionScanner
{
    private static readonly (string Name, char Short, bool HasArgument, OptionKind Kind)[] Known =
    [
        ("blockdev", '\0', true, OptionKind.Blockdev),
        ("chardev", '\0', true, OptionKind.Chardev),
        ("daemonize", '\0', false, OptionKind.Daemonize),
        ("export", '\0', true, OptionKind.Export),
        ("help", 'h', false, OptionKind.Help),
        ("monitor", '\0', true, OptionKind.Monitor),
        ("nbd-server", '\0', true, OptionKind.NbdServer),
        ("object", '\0', true, OptionKind.Object),
        ("pidfile", '\0', true, OptionKind.PidFile),
        ("trace", 'T', true, OptionKind.Trace),
        ("version", 'V', false, OptionKind.Version),
    ];

    /// <summary>Yields the options one by one, so that what stands before an error takes effect.</summary>
    /// <exception cref="CommandLineException">An option is unknown or lacks its argument, or a word is no option.</exception>
    public static IEnumerable<Option> Scan(IReadOnlyList<string> words, bool allowStrayWords = false)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--")
            {
                yield break;
            }

            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                yield return Long(words, ref i);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                for (var position = 1; position > 0;)
                {
                    yield return Short(words, ref i, ref position);
                }
            }
            else if (!allowStrayWords)
            {
                throw new CommandLineException(word, "Unexpected argument");
            }
        }
    }

    private static Option Long(IReadOnlyList<string> words, ref int i)
    {
        var word = words[i];
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word[2..] : word[2..equals];
        var matches = Array.FindAll(Known, o => o.Name.StartsWith(name, StringComparison.Ordinal));
        var exact = Array.FindIndex(matches, o => o.Name == name);
        if (matches.Length > 1 && exact < 0)
        {
            throw new CommandLineException(
                null, $"option '--{name}' is ambiguous; possibilities: {string.Join(' ', matches.Select(o => $"'--{o.Name}'"))}");
        }

        if (matches.Length == 0)
        {
            throw new CommandLineException(null, $"unrecognized option '--{name}'");
        }

        var option = matches[Math.Max(exact, 0)];
        if (!option.HasArgument)
        {
            return equals < 0
                ? new Option(option.Kind, string.Empty, word)
                : throw new CommandLineException(null, $"option '--{option.Name}' doesn't allow an argument");
        }

        if (equals >= 0)
        {
            return new Option(option.Kind, word[(equals + 1)..], word);
        }

        if (i + 1 == words.Count)
        {
            throw new CommandLineException(null, $"option '--{option.Name}' requires an argument");
        }

        i++;
        return new Option(option.Kind, words[i], word + " " + words[i]);
    }

    // One letter of a word such as -hV; position becomes 0 when the word is used up.
    private static Option Short(IReadOnlyList<string> words, ref int i, ref int position)
    {
        var word = words[i];
        var letter = word[position];
        var index = Array.FindIndex(Known, o => o.Short == letter);
        if (index < 0)
        {
            throw new CommandLineException(null, $"invalid option -- '{letter}'");
        }

        var option = Known[index];
        position++;
        if (!option.HasArgument)
        {
            position = position == word.Length ? 0 : position;
            return new Option(option.Kind, string.Empty, word);
        }

        var rest = word[position..];
        position = 0;
        if (rest.Length > 0)
        {
            return new Option(option.Kind, rest, word);
        }

        if (i + 1 == words.Count)
        {
            throw new CommandLineException(null, $"option requires an argument -- '{letter}'");
        }

        i++;
        return new Option(option.Kind, words[i], word + " " + words[i]);
    }
}
