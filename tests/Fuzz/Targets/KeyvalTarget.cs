using System.Text;
using Qmp.Daemon.CommandLine;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Model;
using Qmp.Testing;

namespace Fuzz;

/// <summary>The command line: options, their key=value and JSON arguments, and the typed values that come of them.</summary>
internal sealed class KeyvalTarget : FuzzTarget
{
    private static readonly (string Option, string Class, string Key)[] Options =
        [("--blockdev", "BlockdevOptions", "driver"), ("--export", "BlockExportOptions", "type"), ("--object", "ObjectOptions", "qom-type"), ("--monitor", "MonitorOptions", "chardev")];

    private static readonly Dictionary<string, OptionList.ValueType> FlatTypes = new()
    {
        ["backend"] = OptionList.ValueType.String,
        ["path"] = OptionList.ValueType.String,
        ["server"] = OptionList.ValueType.Bool,
        ["wait"] = OptionList.ValueType.Bool,
        ["to"] = OptionList.ValueType.Number,
        ["size"] = OptionList.ValueType.Size,
    };

    public override string Name => "keyval";

    public override string Description => "the daemon's command line, words separated by zero bytes";

    public override IReadOnlyList<byte[]> Seeds { get; } = Corpus.Bytes(
    [
        "--blockdev\0driver=null-co,node-name=a,size=1G", "--blockdev\0null-co,node-name=a,,", "--blockdev\0raw,file.driver=file,file.filename=x,cache.direct=on",
        "--blockdev={\"driver\": \"raw\", \"file\": {\"driver\": \"null-co\"}}", "--export\0type=vhost-user-blk,id=e,node-name=a,addr.type=unix,addr.path=s,num-queues=0x4",
        "--object\0iothread,id=t,poll-max-ns=0", "--monitor\0chardev=qmp0,pretty=on", "--chardev\0socket,id=c,path=s,server=on,wait=off", "--trace\0enable=block_*,file=x",
        "--pidfile\0p\0--daemonize", "--blockdev\0quorum,children.0=a,children.1.driver=null-co", "--blockdev\0__com.redhat_x.y=1", "-T\0help", "-hV", "--\0stray",
        .. Repository.PathOf("tests", "sessions") is var folder ? Directory.GetFiles(folder, "*.qmp").Order(StringComparer.Ordinal).SelectMany(File.ReadLines)
            .Where(line => line.StartsWith("# arg: ", StringComparison.Ordinal)).Select(line => line[7..].Replace(' ', '\0')).Distinct() : [],
    ]);

    public override IReadOnlyList<byte[]> Tokens { get; } = Corpus.Bytes(
    [
        ",", ",,", "=", ".", "\0", "0", "00", "1", "99999999999", ".0=", ".1.", "help", "?", "on", "off", "no", "12G", "0x10", "-1", "1e3", "id=", "{", "}", "[", "]",
        "\"", "--", "-", "--b", "--ex", "-T", "-h", "__", "é", "\ud7ff", new string('k', 127), string.Concat(Enumerable.Repeat("a.", 600)),
        .. Options.Select(option => option.Option + "\0"),
        .. Corpus.Live.Types.OfType<ObjectType>().SelectMany(type => type.Members).Select(member => member.Name).Distinct(),
        .. Corpus.Live.Types.OfType<EnumType>().SelectMany(type => type.Values).Select(value => value.Name).Distinct(),
    ]);

    public override byte[] Generate(Random random)
    {
        var (option, type, _) = random.Pick(Options);
        var text = new SchemaValues(random).Value(Corpus.Live.Types.Single(candidate => candidate.Name == type));
        if (random.Next(4) > 0)
        {
            JsonStream.Each(Encoding.UTF8.GetBytes(text + "\n"), null, (document, _) => text = document is null ? text : string.Join(',', Flat(document)));
        }

        return Encoding.UTF8.GetBytes(option + "\0" + text);
    }

    public override void Check(byte[] input, Random random)
    {
        var words = Encoding.UTF8.GetString(input).Split('\0');
        try
        {
            foreach (var option in OptionScanner.Scan(words))
            {
                Check(option);
            }
        }
        catch (CommandLineException)
        {
            // An option that there is not.
        }

        foreach (var (_, type, key) in Options)
        {
            Check(words[0], type, key);
        }
    }

    private static void Check(Option option)
    {
        switch (option.Kind)
        {
            case OptionKind.Blockdev or OptionKind.Export or OptionKind.Object or OptionKind.Monitor:
                var (_, type, key) = Options.Single(known => known.Option == "--" + option.Kind.ToString().ToLowerInvariant());
                Check(option.Argument, type, key);
                break;
            case OptionKind.Chardev:
                Survives(() => OptionList.Parse(option.Argument, "backend", FlatTypes, _ => { }));
                break;
        }
    }

    private static void Check(string argument, string type, string impliedKey) => Survives(() =>
    {
        var document = OptionArgument.Parse(argument, impliedKey, out _);
        Holds(document.IsComplete, "an argument that is not complete");
        if (document.RootKind == QapiKind.Object)
        {
            _ = ArgumentsTarget.Readers[type]!.Invoke(document, false);
        }
    });

    private static void Survives(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception e) when (e is OptionException or CommandLineException or QmpException && e.Message.Length > 0)
        {
            // refused, with a text
        }
    }

    // key=value for every scalar of a document.
    private static IEnumerable<string> Flat(QapiDocument document)
    {
        var reader = new QapiReader(document);
        return Flat(reader.ReadAny(), "");
    }

    private static IEnumerable<string> Flat(System.Text.Json.JsonElement value, string path) => value.ValueKind switch
    {
        System.Text.Json.JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Flat(member.Value, path.Length == 0 ? member.Name : path + "." + member.Name)),
        System.Text.Json.JsonValueKind.Array => value.EnumerateArray().SelectMany((item, i) => Flat(item, path + "." + i)),
        System.Text.Json.JsonValueKind.True => [path + "=on"],
        System.Text.Json.JsonValueKind.False => [path + "=off"],
        _ => [path + "=" + value.ToString().Replace(",", ",,", StringComparison.Ordinal)],
    };
}
