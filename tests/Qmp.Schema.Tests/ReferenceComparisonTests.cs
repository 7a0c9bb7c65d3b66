using System.Text.Json;
using Qmp.Schema.Introspection;

namespace Qmp.Schema.Tests;

/// <summary>
/// What we describe must be what the reference daemon describes: the same members, types, optionality, defaults and
/// features, command by command and event by event. Masked names do not count.
/// </summary>
public class ReferenceComparisonTests
{
    /// <summary>Values of enumerations, and with them branches of unions, that the reference has and we do not offer yet.</summary>
    private static readonly Dictionary<string, string[]> NotYet = new()
    {
        ["BlockdevDriver"] =
        [
            "blkdebug", "blklogwrites", "blkreplay", "blkverify", "bochs", "cloop", "compress",
            "copy-before-write", "copy-on-read", "dmg", "snapshot-access", "ftp", "ftps", "host_cdrom",
            "http", "https", "iscsi", "luks", "nbd", "nfs", "nvme", "parallels", "preallocate", "qcow",
            "qcow2", "qed", "quorum", "rbd", "replication", "ssh", "throttle", "vdi", "vhdx", "vmdk", "vpc",
            "vvfat",
        ],
        ["ImageInfoSpecificKind"] =
        [
            "qcow2", "vmdk", "luks", "rbd",
        ],
        ["BlockExportType"] =
        [
            "nbd", "vduse-blk",
        ],
        ["ObjectType"] =
        [
            "acpi-generic-initiator", "acpi-generic-port", "authz-list", "authz-listfile", "authz-pam",
            "authz-simple", "can-bus", "can-host-socketcan", "colo-compare", "cryptodev-backend",
            "cryptodev-backend-builtin", "cryptodev-backend-lkcf", "cryptodev-vhost-user", "dbus-vmstate",
            "filter-buffer", "filter-dump", "filter-mirror", "filter-redirector", "filter-replay",
            "filter-rewriter", "input-barrier", "input-linux", "iommufd", "main-loop", "memory-backend-epc",
            "memory-backend-file", "memory-backend-memfd", "memory-backend-ram", "memory-backend-shm",
            "monitor-hmp", "monitor-qmp", "pef-guest", "pr-manager-helper", "qtest", "rng-builtin", "rng-egd",
            "rng-random", "secret", "secret_keyring", "sev-guest", "sev-snp-guest", "thread-context",
            "s390-pv-guest", "tdx-guest", "throttle-group", "tls-creds-anon", "tls-creds-psk",
            "tls-creds-x509", "tls-cipher-suites", "x-remote-object", "x-vfio-user-server",
        ],
        ["TransactionActionKind"] =
        [
            "blockdev-backup", "blockdev-snapshot", "blockdev-snapshot-internal-sync",
            "blockdev-snapshot-sync", "drive-backup",
        ],
    };

    /// <summary>Values that only we have.</summary>
    private static readonly Dictionary<string, string[]> Ours = new()
    {
        ["TransactionActionKind"] =
        [
            "block-drain-begin",
        ],
    };

    /// <summary>Commands and events that the reference does not have.</summary>
    private static readonly string[] OursAlone =
    [
        "BLOCK_DRAIN_ENDED", "block-drain", "block-drain-begin", "block-drain-end", "query-block-drains",
        "query-iothreads", // a command of QEMU that its storage daemon lacks
    ];

    private static IEnumerable<string> OurNames() => ours.Values.Where(IsEntry).Select(Name);

    [TestCaseSource(nameof(OurNames))]
    public void MatchesTheReference(string name)
    {
        if (OursAlone.Contains(name))
        {
            Assert.That(reference.ContainsKey(name), Is.False, "the reference has it: compare it");
            return;
        }

        Assert.That(reference.ContainsKey(name), Is.True, "the reference does not have it");
        var differences = new List<string>();
        new Comparison(differences).Entities(name, ours[name], reference[name]);
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    [Test]
    public void TablesOfDifferencesAreMinimal()
    {
        var unused = new List<string>();
        var comparison = new Comparison([]);
        foreach (var name in OurNames().Where(name => !OursAlone.Contains(name)))
        {
            comparison.Entities(name, ours[name], reference[name]);
        }

        foreach (var (table, used) in new[] { (NotYet, comparison.UsedNotYet), (Ours, comparison.UsedOurs) })
        {
            unused.AddRange(table.SelectMany(row => row.Value.Select(value => row.Key + "." + value)).Where(entry => !used.Contains(entry)));
        }

        unused.AddRange(OursAlone.Where(name => !ours.ContainsKey(name)));
        Assert.That(unused, Is.Empty, "listed as different, but is not");
    }

    private static readonly Dictionary<string, JsonElement> ours =
        ByName(JsonDocument.Parse(Introspector.Describe(TestSchema.Product(), masked: false)).RootElement);

    private static readonly Dictionary<string, JsonElement> reference =
        ByName(JsonDocument.Parse(File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "Reference/qsd-11-schema.json"))).RootElement);

    private static Dictionary<string, JsonElement> ByName(JsonElement schema) => schema.EnumerateArray().ToDictionary(Name);

    private static string Name(JsonElement entity) => entity.GetProperty("name").GetString()!;

    private static string Meta(JsonElement entity) => entity.GetProperty("meta-type").GetString()!;

    private static bool IsEntry(JsonElement entity) => Meta(entity) is "command" or "event";

    /// <summary>Walks both descriptions side by side, each pair of types once.</summary>
    private sealed class Comparison(List<string> differences)
    {
        private readonly HashSet<(string, string)> _compared = [];

        public HashSet<string> UsedNotYet { get; } = [];

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
            Same(path + " members", string.Join(' ', myMembers.Keys.Order()), string.Join(' ', theirMembers.Keys.Order()));
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
                Difference(path, type, value, NotYet, UsedNotYet, "is missing");
            }

            foreach (var value in mine.Except(theirs))
            {
                Difference(path, type, value, Ours, UsedOurs, "is unknown to the reference");
            }
        }

        private void Difference(string path, string type, string value, Dictionary<string, string[]> table, HashSet<string> used, string problem)
        {
            used.Add(type + "." + value);
            if (!table.TryGetValue(type, out var values) || !values.Contains(value))
            {
                differences.Add($"{path}: value '{value}' of {type} {problem}");
            }
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
