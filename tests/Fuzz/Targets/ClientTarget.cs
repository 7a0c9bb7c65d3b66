using System.Buffers;
using System.IO.Pipelines;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Qmp.Client;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Model;

namespace Fuzz;

/// <summary>What a server says to the client library: greeting, replies, events, read as the client reads them.</summary>
internal sealed class ClientTarget : FuzzTarget
{
    private const int Calls = 8;

    private static readonly SchemaCommand[] Commands =
        [.. Corpus.Whole.Commands.Where(command => command.Returns is ObjectType { IsEmpty: false } or ArrayType { Element: ObjectType })];

    private static readonly Dictionary<string, Action<QmpReply>> TypedReplies = Commands.ToDictionary(command => command.Name, TypedReply);

    private static readonly Dictionary<string, Action<QmpReceivedEvent>> TypedEvents = typeof(QmpEventTypes).GetProperties()
        .Where(property => property.PropertyType.IsGenericType).Select(property => (QmpEventType)property.GetValue(null)!)
        .ToDictionary(type => type.Name, TypedEvent);

    public override string Name => "client";

    public override string Description => "what a server sends to the client library";

    public override IReadOnlyList<byte[]> Seeds { get; } = Corpus.Lines("<-");

    public override IReadOnlyList<byte[]> Tokens { get; } = Corpus.Bytes(
    [
        "{", "}", "[", "]", ":", ", ", "\r\n", "null", "true", "-1", "1.5", "\"x\"", "{}", "\"QMP\": ", "\"return\": ", "\"error\": ", "\"event\": ", "\"id\": ", "\"data\": ",
        "\"class\": ", "\"desc\": ", "\"timestamp\": ", "\"seconds\": ", "\"microseconds\": ", "{\"return\": {}, \"id\": 1}", "{\"event\": \"STOP\"}", "{\"return\": {}}",
        .. Enumerable.Range(1, Calls).Select(id => $"\"id\": {id}"),
        .. Corpus.Whole.Types.OfType<ObjectType>().SelectMany(type => type.Members).Select(member => $"\"{member.Name}\": ").Distinct(),
        .. Corpus.Whole.Types.OfType<EnumType>().SelectMany(type => type.Values).Select(value => $"\"{value.Name}\"").Distinct(),
    ]);

    public override byte[] Generate(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(5); i >= 0; i--)
        {
            var id = random.Next(1, Calls + 1);
            text.Append(random.Next(6) switch
            {
                0 => """{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 11}, "package": ""}, "capabilities": ["oob"]}}""",
                1 => $$"""{"error": {"class": "GenericError", "desc": "no"}, "id": {{id}} }""",
                2 => """{"error": {"class": "GenericError", "desc": "no"}}""",
                3 => Event(random.Pick(Corpus.Whole.Events), random),
                _ => $$"""{"id": {{id}}, "return": {{new SchemaValues(random).Value(CommandOf(id).Returns!)}} }""",
            }).Append("\r\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public override void Check(byte[] input, Random random)
    {
        var whole = Receive(input, null);
        Same("bytes one by one give something else", whole, Receive(input, () => 1));
        Same("bytes in pieces give something else", whole, Receive(input, () => random.Next(1, 30)));
    }

    // Different commands in the eight places, the same every time.
    private static SchemaCommand CommandOf(int id) => Commands[id * 7 % Commands.Length];

    private static string Event(SchemaEvent @event, Random random)
    {
        var data = @event.Data is null ? "{}" : new SchemaValues(random).Value(@event.Data);
        return $$"""{"timestamp": {"seconds": {{random.NextInt64()}}, "microseconds": 5}, "event": "{{@event.Name}}", "data": {{data}} }""";
    }

    private static string Receive(byte[] input, Func<int>? pieceSize)
    {
        var sequence = 0L;
        var hub = new EventHub();
        using var subscription = new QmpEventSubscription(hub, null, new QmpSubscriptionOptions { Capacity = 1 << 16 });
        hub.Add(subscription);
        var handler = new ClientMessageHandler(new BytesTransport(JsonStream.Pieces(input, pieceSize)), hub, () => ++sequence);
        for (var id = 1; id <= Calls; id++)
        {
            handler.Register(new ClientCall(id, CommandOf(id).Name, null, isOutOfBand: id == Calls, []));
        }

        var result = new StringBuilder();
        while (Finished(handler.ReadAsync(default)) is { } message)
        {
            result.Append(Print((ClientResult)message)).Append('\n');
        }

        while (subscription.TryNext(out var received))
        {
            result.Append(received.Sequence).Append(": ").Append(received.Name).Append(received.Timestamp).Append(received.Data).Append('\n');
            TypedEvents.GetValueOrDefault(received.Name)?.Invoke(received);
        }

        Holds(handler.Failure is null or QmpProtocolException, $"the connection ends with an unexpected exception\n  {handler.Failure}");
        if (handler.Greeting.IsCompletedSuccessfully)
        {
            var greeting = handler.Greeting.Result;
            result.Append(greeting.Version).Append(greeting.Package).AppendJoin(',', greeting.Capabilities);
        }

        return result.Append(handler.Failure?.Message).ToString();
    }

    private static T Finished<T>(ValueTask<T> task)
    {
        Holds(task.IsCompleted, "the reader waits although all is there");
        return task.Result;
    }

    private static string Print(ClientResult result)
    {
        try
        {
            var reply = result.Outcome;
            TypedReplies[CommandOf((int)result.RequestId.Number!).Name](reply);
            return $"{reply.Sequence}: {result.RequestId} {reply.Value}";
        }
        catch (QmpCommandException e)
        {
            return $"{result.RequestId} {e.ErrorClass} {e.ClassName} {e.Description}";
        }
    }

    private static Action<QmpReply> TypedReply(SchemaCommand command)
    {
        var isList = command.Returns is ArrayType;
        var type = typeof(QmpEventTypes).Assembly.GetType("Qmp.Client.Schema." + (isList ? ((ArrayType)command.Returns!).Element.Name : command.Returns!.Name), throwOnError: true)!;
        return Make<Action<QmpReply>>(nameof(ReadReply), type, isList, type.GetMethod("Read")!);
    }

    private static Action<QmpReceivedEvent> TypedEvent(QmpEventType type) =>
        Make<Action<QmpReceivedEvent>>(nameof(ReadEvent), type.GetType().GetGenericArguments()[0], type);

    private static TResult Make<TResult>(string method, Type type, params object[] arguments) => (TResult)typeof(ClientTarget)
        .GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, arguments)!;

    private static Action<QmpReply> ReadReply<T>(bool isList, MethodInfo read)
    {
        var one = read.CreateDelegate<QapiItemReader<T>>();
        return reply => Tolerates(() => _ = isList ? (object)reply.Read((ref QapiReader reader) => reader.ReadList(one)) : reply.Read(one));
    }

    private static Action<QmpReceivedEvent> ReadEvent<T>(QmpEventType type) => received => Tolerates(() => received.Is((QmpEventType<T>)type, out _));

    private static void Tolerates(Action read)
    {
        try
        {
            read();
        }
        catch (QmpProtocolException)
        {
            // It does not fit.
        }
    }

    private sealed class BytesTransport(IEnumerable<byte[]> pieces) : ClientTransport
    {
        public override PipeReader Input { get; } = PipeReader.Create(Segment.Chain(pieces));

        public override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, IReadOnlyList<SafeHandle> descriptors) => default;

        public override ValueTask DisposeAsync() => default;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            before?.Next = this;
        }

        public static ReadOnlySequence<byte> Chain(IEnumerable<byte[]> pieces)
        {
            Segment? first = null, last = null;
            foreach (var piece in pieces)
            {
                last = new Segment(piece, last);
                first ??= last;
            }

            return last is null ? default : new(first!, 0, last, last.Memory.Length);
        }
    }
}
