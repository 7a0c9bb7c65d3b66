using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Wire;
using Qmp.Schema.Model;

namespace Fuzz;

/// <summary>Requests: their envelope and the typed arguments of every command, read strictly as the server does.</summary>
internal sealed class ArgumentsTarget : FuzzTarget
{
    private static readonly SchemaCommand[] Commands = [.. Corpus.Live.Commands.Where(command => TypedReaders.ArgumentsOf(command) is not null)];
    private static readonly Dictionary<string, string> Classes = Commands.ToDictionary(command => command.Name, command => TypedReaders.ArgumentsOf(command)!);

    public static TypedReaders Readers { get; } = new(typeof(QmpException).Assembly, "Qmp.Protocol.Schema");

    public static IEnumerable<string> Missing => Classes.Values.Where(name => Readers[name] is null);

    public override string Name => "arguments";

    public override string Description => "requests with the arguments of every command";

    public override IReadOnlyList<byte[]> Seeds { get; } = Corpus.Lines("->");

    public override IReadOnlyList<byte[]> Tokens { get; } = Corpus.Bytes(
    [
        "{", "}", "[", "]", ":", ", ", "null", "true", "0", "-1", "1e3", "18446744073709551616", "\"\"", "\"execute\": ", "\"exec-oob\": ", "\"id\": ", "\"arguments\": ",
        .. Commands.Select(command => $"{{\"execute\": \"{command.Name}\", \"arguments\": {{"),
        .. Corpus.Live.Types.OfType<ObjectType>().SelectMany(type => type.Members).Select(member => $"\"{member.Name}\": ").Distinct(),
        .. Corpus.Live.Types.OfType<EnumType>().SelectMany(type => type.Values).Select(value => $"\"{value.Name}\"").Distinct(),
    ]);

    public override byte[] Generate(Random random)
    {
        var command = random.Pick(Commands);
        var arguments = new SchemaValues(random).Value(command.Arguments!);
        return Encoding.UTF8.GetBytes($"{{\"execute\": \"{command.Name}\", \"arguments\": {arguments}}}");
    }

    public override void Check(byte[] input, Random random) => JsonStream.Each(input, null, (document, _) =>
    {
        if (document is not null)
        {
            Check(document, random.Next(2) == 0);
        }
    });

    private static void Check(QapiDocument document, bool isOobEnabled)
    {
        var envelope = new QmpEnvelope(document, isOobEnabled);
        Holds(envelope.Error is null ? envelope.Command >= 0 : envelope.Error.StartsWith("QMP input ", StringComparison.Ordinal), "an envelope that is neither good nor bad");
        if (envelope.Error is not null || envelope.Arguments < 0)
        {
            return;
        }

        var name = Encoding.UTF8.GetString(document.TextOf(envelope.Command));
        document.Root = envelope.Arguments;
        if (Readers[Classes.GetValueOrDefault(name, "BlockdevOptions")]!.Invoke(document, false) is not { } once)
        {
            return;
        }

        JsonStream.Each(JsonStream.Finite(once), null, (again, error) =>
        {
            Holds(error is null, $"what is printed is not read\n  {error}");
            Same("what is printed is read as something else", once, Readers[Classes.GetValueOrDefault(name, "BlockdevOptions")]!.Invoke(again!, false) ?? "refused");
        });
    }
}
