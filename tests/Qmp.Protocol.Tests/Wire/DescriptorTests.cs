using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Qmp.Protocol.Wire;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>Descriptors that come with bytes: to which command each belongs, and when it is closed.</summary>
public class DescriptorTests
{
    private const string Take = """{"execute":"take"}""";

    private readonly Source _source = new();
    private WireServer _server = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = new WireServer(descriptors: _source);
        _server.Commands.Add("take", (_, _) => new(TestResult.Text((_server.Handler.TakeDescriptor() as Descriptor)?.Name ?? "none")));
        _server.Commands.Add("take-late", async (_, _) =>
        {
            _server.Held.Release();
            await _server.Release.Task;
            return TestResult.Text((_server.Handler.TakeDescriptor() as Descriptor)?.Name ?? "none");
        });
        await _server.StartAsync(oob: true);
    }

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task EachCommandHasItsOwn()
    {
        // The first byte, one in the middle and the last of three commands, and none for the fourth.
        _source.Add(0, "first");
        _source.Add(Take.Length + 5, "middle");
        _source.Add((3 * Take.Length) - 1, "last");
        await _server.SendAsync(Take + Take + Take + Take);
        foreach (var name in new[] { "first", "middle", "last", "none" })
        {
            Assert.That(await _server.LineAsync(), Is.EqualTo($$"""{"return": "{{name}}"}"""));
        }
    }

    [Test]
    public async Task OneThatCommandsLeaveIsClosedWhenAnotherComes()
    {
        var left = _source.Add(0, "left");
        var other = _source.Add(2 * Take.Length, "other");
        await _server.SendAsync("""{"execute":"now"}""" + new string(' ', 2 * Take.Length) + Take);
        Assert.That(await _server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
        Assert.That(await _server.LineAsync(), Is.EqualTo("""{"return": "other"}"""));
        Assert.That(left.IsClosed && !other.IsClosed);
    }

    [Test]
    public async Task ACommandThatWaitsKeepsItsOwnAndOutOfBandTakesNone()
    {
        const string Late = """{"execute":"take-late"}""";
        const string Now = """{"exec-oob":"now"}""";
        _source.Add(0, "running");
        _source.Add(Late.Length, "waiting");
        _source.Add(Late.Length + Take.Length, "after");
        await _server.SendAsync(Late + Take + Now + Take);
        Assert.That(await _server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
        _server.Release.SetResult();
        foreach (var name in new[] { "running", "waiting", "after" })
        {
            Assert.That(await _server.LineAsync(), Is.EqualTo($$"""{"return": "{{name}}"}"""));
        }
    }

    [Test]
    public async Task AllAreClosedWithTheConnection()
    {
        const string Hold = """{"execute":"hold"}""";
        const string Now = """{"exec-oob":"now"}""";
        var running = _source.Add(0, "running");
        var waiting = _source.Add(Hold.Length, "waiting");
        var arriving = _source.Add(Hold.Length + Take.Length + Now.Length, "arriving");
        await _server.SendAsync(Hold + Take + Now + "{");
        Assert.That(await _server.LineAsync(), Is.EqualTo("""{"return": "now"}"""));
        _server.Handler.Dispose();
        await _server.Scheduler.RunAsync(() => { });
        Assert.That(running.IsClosed && waiting.IsClosed && arriving.IsClosed);
        _server.Release.SetResult();
    }

    private sealed class Descriptor(string name) : SafeHandle(0, ownsHandle: true)
    {
        public string Name { get; } = name;

        public override bool IsInvalid => false;

        protected override bool ReleaseHandle() => true;
    }

    /// <summary>Descriptors at positions after the negotiation.</summary>
    private sealed class Source : IQmpDescriptorSource
    {
        private const int Negotiation = 61;

        private readonly ConcurrentQueue<(long Position, Descriptor Descriptor)> _waiting = new();

        public Descriptor Add(long position, string name)
        {
            Descriptor descriptor = new(name);
            _waiting.Enqueue((Negotiation + position, descriptor));
            return descriptor;
        }

        public SafeHandle? TakeBefore(long position)
        {
            Descriptor? last = null;
            while (_waiting.TryPeek(out var next) && next.Position < position && _waiting.TryDequeue(out next))
            {
                last?.Dispose();
                last = next.Descriptor;
            }

            return last;
        }
    }
}
