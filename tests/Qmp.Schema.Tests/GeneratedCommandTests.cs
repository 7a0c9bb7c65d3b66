using System.Text;
using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Schema.Tests.Generated;

namespace Qmp.Schema.Tests;

/// <summary>The generated table of commands, and the events.</summary>
public class GeneratedCommandTests
{
    private readonly Handlers _handlers = new();
    private readonly QmpCommandTable _table;

    public GeneratedCommandTests() => _table = new QmpCommandTable(_handlers, _handlers);

    [TestCase("echo", """{"tree": {"kind": "none", "note": "n"}}""", """{"class": "n", "Odd": "odd"}""")]
    [TestCase("boxed-echo", """{"kind": "leaf", "value": 5}""", """{"value": 5, "kind": "leaf"}""")]
    [TestCase("nothing", "{}", "{}")]
    [TestCase("odd_Name", """{"value": 1}""", "{}")]
    [TestCase("count-things", "{}", "3")]
    [TestCase("list-names", "{}", """["a", "b"]""")]
    [TestCase("list-trees", "{}", """[{"kind": "none"}, {"kind": "old"}]""")]
    [TestCase("get-any", """{"value": {"b": [1], "a": null}}""", """{"a": null, "b": [1]}""")]
    [TestCase("free-form", """{"whatever": [1]}""", """{"whatever": [1]}""")]
    [TestCase("in-another-module", "{}", "{}")]
    public async Task CommandsReachTheirHandlers(string name, string arguments, string reply)
    {
        Assert.That(_table.TryGet(Encoding.UTF8.GetBytes(name), out var command));
        foreach (var isAsync in new[] { false, true })
        {
            _handlers.IsAsync = isAsync;
            var result = await command!.InvokeAsync(TestDocument.FromJson(arguments), null!);
            var writer = new QapiWriter();
            if (result == null)
            {
                writer.Raw("{}"u8);
            }
            else
            {
                writer.Value(result);
            }

            Assert.That(Encoding.ASCII.GetString(writer.WrittenSpan), Is.EqualTo(reply));
        }
    }

    [TestCase("nothing", """{"x": 1}""", "Parameter 'x' is unexpected")]
    [TestCase("in-another-module", """{"x": 1}""", "Parameter 'x' is unexpected")]
    [TestCase("boxed-echo", "{}", "Parameter 'kind' is missing")]
    public void ArgumentsAreChecked(string name, string arguments, string error)
    {
        _table.TryGet(Encoding.UTF8.GetBytes(name), out var command);
        Assert.That(async () => await command!.InvokeAsync(TestDocument.FromJson(arguments), null!), Throws.TypeOf<QmpException>().With.Message.EqualTo(error));
    }

    [Test]
    public void FactsOfCommands() => Assert.Multiple(() =>
    {
        Assert.That(_table.Commands.Select(c => c.Name), Is.EqualTo(new[] { "in-another-module", "echo", "boxed-echo", "nothing", "odd_Name", "count-things", "list-names", "list-trees", "get-any", "free-form" }));
        Assert.That(_table.Commands.Where(c => c.AllowOob).Select(c => c.Name), Is.EqualTo(new[] { "echo" }));
        Assert.That(_table.Commands.Where(c => c.AllowPreconfig).Select(c => c.Name), Is.EqualTo(new[] { "nothing" }));
    });

    [Test]
    public void LookingUpAndReadingAllocateLittle()
    {
        var name = "nothing"u8.ToArray();
        var empty = QapiDocument.EmptyObject;
        _handlers.IsAsync = false;
        Run(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(1000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Run(int count)
        {
            for (var i = 0; i < count; i++)
            {
                _table.TryGet(name, out var command);
                _table.TryGet("nope"u8, out _);
                _ = command!.InvokeAsync(empty, null!).Result;
            }
        }
    }

    [Test]
    public void EventsCarryTheirData() => Assert.Multiple(() =>
    {
        Assert.That(Json(QmpEvents.SomethingHappened("w")), Is.EqualTo("""SOMETHING_HAPPENED {"what": "w"}"""));
        Assert.That(Json(QmpEvents.SomethingHappened("w", why: "y")), Is.EqualTo("""SOMETHING_HAPPENED {"why": "y", "what": "w"}"""));
        Assert.That(Json(QmpEvents.Tick()), Is.EqualTo("TICK "));
        Assert.That(Json(QmpEvents.Grown(new Tree { Kind = Kind1.None })), Is.EqualTo("""GROWN {"kind": "none"}"""));
    });

    [Test]
    public void IntrospectionIsAConstant()
    {
        var names = JsonDocument.Parse(QmpIntrospection.Json.ToArray()).RootElement.EnumerateArray().Select(e => e.GetProperty("name").GetString());
        Assert.That(names, Contains.Item("free-form").And.Contains("SOMETHING_HAPPENED").And.Not.Contains("not-here"));
    }

    private static string Json(QmpEvent qmpEvent)
    {
        var writer = new QapiWriter();
        qmpEvent.Data?.Write(writer);
        return qmpEvent.Name + " " + Encoding.ASCII.GetString(writer.WrittenSpan);
    }

    private sealed class Handlers : IQapiSchemaCommands, IMoreCommands
    {
        public bool IsAsync { get; set; }

        public ValueTask<Odd> EchoAsync(EchoArguments arguments, QmpCommandContext context) => Give(new Odd { Class = arguments.Tree.Note!, OddValue = "odd" });

        public ValueTask<Tree> BoxedEchoAsync(Tree arguments, QmpCommandContext context) => Give(arguments);

        public ValueTask NothingAsync(QmpCommandContext context) => Finish();

        public ValueTask OddNameAsync(Leaf arguments, QmpCommandContext context) => Finish();

        public ValueTask<long> CountThingsAsync(QmpCommandContext context) => Give(3L);

        public ValueTask<IReadOnlyList<string>> ListNamesAsync(QmpCommandContext context) => Give<IReadOnlyList<string>>(["a", "b"]);

        public ValueTask<IReadOnlyList<Tree>> ListTreesAsync(QmpCommandContext context) =>
            Give<IReadOnlyList<Tree>>([new Tree { Kind = Kind1.None }, new Tree { Kind = Kind1.Old }]);

        public ValueTask<JsonElement> GetAnyAsync(GetAnyArguments arguments, QmpCommandContext context) => Give(arguments.Value);

        public ValueTask<IQapiWritable?> FreeFormAsync(QapiDocument arguments, QmpCommandContext context) =>
            Give<IQapiWritable?>(new QapiResult<QapiDocument>(arguments, static (writer, document) => writer.Value(document)));

        public ValueTask InAnotherModuleAsync(Empty arguments, QmpCommandContext context) => Finish();

        private async ValueTask<T> Later<T>(T value)
        {
            await Task.Yield();
            return value;
        }

        private ValueTask<T> Give<T>(T value) => IsAsync ? Later(value) : new(value);

        private ValueTask Finish() => IsAsync ? new(Later(0).AsTask()) : default;
    }
}
