using System.Text.Json.Nodes;
using Qmp.Tool.Calls;

namespace Qmp.Tool.Shell;

/// <summary>What could stand in a place of a line.</summary>
/// <param name="Start">Where the word begins that is completed.</param>
/// <param name="Candidates">What could replace it, sorted. One that is complete ends in a space.</param>
internal sealed record Completion(int Start, IReadOnlyList<string> Candidates)
{
    /// <summary>What all candidates begin with.</summary>
    public string Common { get; } = Candidates.Count == 0 ? "" : Candidates.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count()]);
}

/// <summary>Completes commands, arguments and values by what the server tells of itself.</summary>
internal sealed class ShellCompletion(ServerTypes? types)
{
    /// <summary>Completes the word at the end of a text.</summary>
    /// <param name="text">The line up to the cursor.</param>
    /// <param name="inTransaction">Whether the line is an action.</param>
    public Completion Complete(string text, bool inTransaction)
    {
        var words = ShellWords.SplitOpen(text);
        var (last, start) = words[^1];
        if (types is null)
        {
            return new(start, []);
        }

        if (words.Count == 1)
        {
            return Of(start, last, inTransaction ? [.. types.Actions.Select(name => name + " "), ")"]
                : [.. types.Commands.Where(name => name != "transaction").Select(name => name + " "), .. Shell(last)]);
        }

        var first = words[0].Text;
        if (first == "help" && !inTransaction && words.Count == 2)
        {
            return Of(start, last, types.Commands.Select(name => name + " "));
        }

        var command = first == "help" && words.Count > 2 ? words[1].Text : first;
        var scope = inTransaction ? first == ")" ? types.ArgumentsOf("transaction") : types.ArgumentsOfAction(command) : types.ArgumentsOf(command);
        return scope is null ? new(start, []) : Argument(scope, Given(scope, words.SkipLast(1).Skip(command == first ? 1 : 2).Select(word => word.Text)), last, start);
    }

    private IEnumerable<string> Shell(string word)
    {
        yield return "help ";
        if (types!.Actions.Count > 0 && word.Length > 0)
        {
            yield return "transaction(";
        }
    }

    private Completion Argument(string scope, JsonObject given, string word, int start)
    {
        var equals = word.IndexOf('=');
        var key = equals < 0 ? word : word[..equals];
        var path = key.Split('.');
        if (equals >= 0)
        {
            var type = types!.TypeAt(scope, path, given);
            return Of(start, word, type is null ? [] : types.Values(type).Select(value => $"{key}={value} "));
        }

        var outer = path[..^1];
        var inner = outer.Aggregate((JsonObject?)given, (at, name) => at?[name] as JsonObject);
        if (types!.TypeAt(scope, outer, given) is not { } type2)
        {
            return new(start, []);
        }

        var prefix = string.Concat(outer.Select(name => name + "."));
        return Of(start, word, types.Members(type2, inner).Where(member => inner?.ContainsKey(member.Name) != true || inner[member.Name] is JsonObject).SelectMany(Forms));

        IEnumerable<string> Forms(ServerMember member)
        {
            if (types.KindOf(member.Type) != "object" && inner?.ContainsKey(member.Name) != true)
            {
                yield return prefix + member.Name + "=";
            }

            if (types.MayBeObject(member.Type))
            {
                yield return prefix + member.Name + ".";
            }
        }
    }

    /// <summary>The arguments that stand before the cursor, as far as they are right.</summary>
    private JsonObject Given(string scope, IEnumerable<string> words)
    {
        List<string> right = [];
        foreach (var word in words)
        {
            try
            {
                KeyValueArguments.Read([.. right, word], types, scope);
                right.Add(word);
            }
            catch (FormatException)
            {
                // What is wrong is said when the line is sent.
            }
        }

        return KeyValueArguments.Read(right, types, scope);
    }

    private static Completion Of(int start, string word, IEnumerable<string> candidates) =>
        new(start, [.. candidates.Where(candidate => candidate.StartsWith(word, StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)]);
}
