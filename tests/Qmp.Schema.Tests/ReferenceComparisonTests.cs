using System.Text.Json;
using Qmp.Schema.Introspection;
using Qmp.Schema.Model;

namespace Qmp.Schema.Tests;

/// <summary>
/// What we describe must be what the reference daemon describes: the same members, types, optionality, defaults and
/// features, command by command and event by event. Masked names do not count. The whole schema, with all conditions
/// on, has everything that the reference has; what is live may have fewer commands, events and values.
/// </summary>
public class ReferenceComparisonTests
{
    /// <summary>Values of enumerations and members of objects that only we have.</summary>
    private static readonly Dictionary<string, string[]> Ours = new()
    {
        ["MonitorQmpProperties"] = ["allow-gid", "allow-uid"],
        ["TransactionActionKind"] =
        [
            "block-drain-begin",
        ],
    };

    /// <summary>Commands and events that the reference does not have.</summary>
    private static readonly string[] OursAlone =
    [
        "BLOCK_DRAIN_ENDED", "block-drain", "block-drain-begin", "block-drain-end", "query-block-drains",
        "query-block-activity",

        // Commands of QEMU that its storage daemon lacks.
        "query-iothreads", "getfd", "closefd", "add-fd", "remove-fd", "query-fdsets",
    ];

    private static readonly Dictionary<string, JsonElement> live = Describe(TestSchema.Product());

    private static readonly Dictionary<string, JsonElement> whole = Describe(TestSchema.WholeProduct());

    private static readonly Dictionary<string, JsonElement> reference =
        ByName(JsonDocument.Parse(File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "Reference/qsd-11-schema.json"))).RootElement);

    private static IEnumerable<string> LiveNames() => Entries(live);

    private static IEnumerable<string> AllNames() => Entries(whole).Union(Entries(reference));

    private static IEnumerable<string> Conditions() => TestSchema.Product().Conditions.Keys;

    [TestCaseSource(nameof(LiveNames))]
    public void WhatIsLiveMatchesTheReference(string name) => Compare(name, live, complete: false);

    [TestCaseSource(nameof(AllNames))]
    public void TheWholeMatchesTheReference(string name) => Compare(name, whole, complete: true);

    [Test]
    public void TablesOfDifferencesAreMinimal()
    {
        var comparison = new Comparison([], whole, complete: true);
        foreach (var name in Entries(whole).Except(OursAlone))
        {
            comparison.Entities(name, whole[name], reference[name]);
        }

        Assert.Multiple(() =>
        {
            Assert.That(Ours.SelectMany(row => row.Value.Select(value => row.Key + "." + value)), Is.SubsetOf(comparison.UsedOurs));
            Assert.That(OursAlone, Is.SubsetOf(live.Keys));
        });
    }

    [TestCaseSource(nameof(Conditions))]
    public void EveryConditionHoldsByItself(string condition)
    {
        var with = Introspector.Describe(TestSchema.Product(condition));
        Assert.That(with, Is.Not.EqualTo(Introspector.Describe(TestSchema.Product())), "nothing depends on it");
    }

    /// <summary>Says how much of the interface works, and checks that it is a share.</summary>
    [Test]
    public void TheLiveShareIsSaid()
    {
        var lines = new List<string>();
        foreach (var (what, ours, all) in new[]
        {
            ("commands", Count(live, "command"), Count(reference, "command")),
            ("events", Count(live, "event"), Count(reference, "event")),
            ("values of enumerations", Values(live), Values(whole)),
        })
        {
            lines.Add($"live: {ours} of {all} {what} ({100.0 * ours / all:F0} %)");
            TestContext.Progress.WriteLine(lines[^1]);
            Assert.That(ours, Is.InRange(1, all));
        }
    }

    private static int Count(Dictionary<string, JsonElement> schema, string meta) =>
        schema.Values.Count(entity => Meta(entity) == meta && !OursAlone.Contains(Name(entity)));

    private static int Values(Dictionary<string, JsonElement> schema) =>
        schema.Values.Where(entity => Meta(entity) == "enum").Sum(entity => entity.GetProperty("values").GetArrayLength());

    private static void Compare(string name, Dictionary<string, JsonElement> ours, bool complete)
    {
        if (OursAlone.Contains(name))
        {
            Assert.That(reference.ContainsKey(name), Is.False, "the reference has it: compare it");
            return;
        }

        Assert.That(reference.ContainsKey(name), Is.True, "the reference does not have it");
        Assert.That(ours.ContainsKey(name), Is.True, "we do not have it");
        var differences = new List<string>();
        new Comparison(differences, ours, complete).Entities(name, ours[name], reference[name]);
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    private static Dictionary<string, JsonElement> Describe(SchemaModel model) =>
        ByName(JsonDocument.Parse(Introspector.Describe(model, masked: false)).RootElement);

    private static IEnumerable<string> Entries(Dictionary<string, JsonElement> schema) => schema.Values.Where(IsEntry).Select(Name);

    private static Dictionary<string, JsonElement> ByName(JsonElement schema) => schema.EnumerateArray().ToDictionary(Name);

    private static string Name(JsonElement entity) => entity.GetProperty("name").GetString()!;

    private static string Meta(JsonElement entity) => entity.GetProperty("meta-type").GetString()!;

    private static bool IsEntry(JsonElement entity) => Meta(entity) is "command" or "event";

    /// <summary>Walks both descriptions side by side, each pair of types once.</summary>
    private sealed class Comparison(List<string> differences, Dictionary<string, JsonElement> ours, bool complete)
    {
        private readonly HashSet<(string, string)> _compared = [];

        public HashSet<string> UsedOurs { get; } = [];

        public void Entities(string path, JsonElement mine, JsonElement theirs)
        {
            Same(path + " meta-type", Meta(mine), Meta(theirs));
            if (Meta(mine) != Meta(theirs))
            {
                return;
            }

            Same(path + " features", Strings(mine, "features"), Strings(theirs, "features"));
            switch (Meta(mine))
            {
                case "command":
                    Same(path + " allow-oob", mine.TryGetProperty("allow-oob", out _), theirs.TryGetProperty("allow-oob", out _));
                    Types(path + " arguments", mine.GetProperty("arg-type"), theirs.GetProperty("arg-type"));
                    Types(path + " returns", mine.GetProperty("ret-type"), theirs.GetProperty("ret-type"));
                    break;
                case "event":
                    Types(path + " data", mine.GetProperty("arg-type"), theirs.GetProperty("arg-type"));
                    break;
                case "array":
                    Types(path + "[]", mine.GetProperty("element-type"), theirs.GetProperty("element-type"));
                    break;
                case "builtin":
                    Same(path + " json-type", mine.GetProperty("json-type").GetString()!, theirs.GetProperty("json-type").GetString()!);
                    break;
                case "enum":
                    Values(path, Name(mine), Strings(mine, "values").Split(' '), Strings(theirs, "values").Split(' '));
                    foreach (var (value, described) in Members(mine))
                    {
                        if (Members(theirs).TryGetValue(value, out var other))
                        {
                            Same($"{path} value {value} features", Strings(described, "features"), Strings(other, "features"));
                        }
                    }

                    break;
                case "alternate":
                    var branches = mine.GetProperty("members").EnumerateArray().Zip(theirs.GetProperty("members").EnumerateArray()).ToList();
                    Same(path + " branches", mine.GetProperty("members").GetArrayLength(), theirs.GetProperty("members").GetArrayLength());
                    branches.ForEach(pair => Types(path + "|", pair.First.GetProperty("type"), pair.Second.GetProperty("type")));
                    break;
                case "object":
                    Objects(path, mine, theirs);
                    break;
            }
        }

        private void Objects(string path, JsonElement mine, JsonElement theirs)
        {
            var myMembers = Members(mine);
            var theirMembers = Members(theirs);
            var known = myMembers.Keys.Where(name => theirMembers.ContainsKey(name) || !IsOurs(Name(mine), name));
            Same(path + " members", string.Join(' ', known.Order()), string.Join(' ', theirMembers.Keys.Order()));
            foreach (var (name, member) in myMembers)
            {
                if (theirMembers.TryGetValue(name, out var other))
                {
                    var at = $"{path}.{name}";
                    Same(at + " default", member.TryGetProperty("default", out var a) ? a.GetRawText() : "none", other.TryGetProperty("default", out var b) ? b.GetRawText() : "none");
                    Same(at + " features", Strings(member, "features"), Strings(other, "features"));
                    Types(at, member.GetProperty("type"), other.GetProperty("type"));
                }
            }

            Same(path + " tag", mine.TryGetProperty("tag", out var tag) ? tag.GetString()! : "", theirs.TryGetProperty("tag", out var otherTag) ? otherTag.GetString()! : "");
            if (mine.TryGetProperty("variants", out var variants) && theirs.TryGetProperty("variants", out var otherVariants))
            {
                var cases = otherVariants.EnumerateArray().ToDictionary(v => v.GetProperty("case").GetString()!, v => v.GetProperty("type"));
                foreach (var variant in variants.EnumerateArray())
                {
                    var name = variant.GetProperty("case").GetString()!;
                    if (cases.TryGetValue(name, out var type))
                    {
                        Types($"{path}<{name}>", variant.GetProperty("type"), type);
                    }
                }
            }
        }

        private void Types(string path, JsonElement mine, JsonElement theirs)
        {
            if (_compared.Add((mine.GetString()!, theirs.GetString()!)))
            {
                Entities(path, ours[mine.GetString()!], reference[theirs.GetString()!]);
            }
        }

        private void Values(string path, string type, string[] mine, string[] theirs)
        {
            foreach (var value in theirs.Except(mine))
            {
                if (complete)
                {
                    differences.Add($"{path}: value '{value}' of {type} is missing");
                }
            }

            foreach (var value in mine.Except(theirs))
            {
                if (!IsOurs(type, value))
                {
                    differences.Add($"{path}: value '{value}' of {type} is unknown to the reference");
                }
            }
        }

        private bool IsOurs(string type, string part)
        {
            UsedOurs.Add(type + "." + part);
            return Ours.TryGetValue(type, out var allowed) && allowed.Contains(part);
        }

        private void Same<T>(string path, T mine, T theirs)
        {
            if (!EqualityComparer<T>.Default.Equals(mine, theirs))
            {
                differences.Add($"{path}: ours is '{mine}', the reference's is '{theirs}'");
            }
        }

        private static Dictionary<string, JsonElement> Members(JsonElement entity) =>
            entity.GetProperty("members").EnumerateArray().ToDictionary(Name);

        private static string Strings(JsonElement entity, string property) =>
            entity.TryGetProperty(property, out var list) ? string.Join(' ', list.EnumerateArray().Select(item => item.GetString())) : "";
    }
}
