using Qmp.Hosting.Tests.Schema;
using Qmp.Protocol;

namespace Qmp.Hosting.Tests;

/// <summary>The commands of a lamp whose bulb a test controls.</summary>
internal sealed class TestLamp : ILampCommands
{
    /// <summary>What <c>query-lamp</c> waits for.</summary>
    public Task Bulb { get; set; } = Task.CompletedTask;

    /// <summary>Threads on which handlers ran.</summary>
    public HashSet<int> Threads { get; } = [];

    public async ValueTask<LampState> QueryLampAsync(QmpCommandContext context)
    {
        Threads.Add(Environment.CurrentManagedThreadId);
        await Bulb;
        Threads.Add(Environment.CurrentManagedThreadId);
        return new LampState { On = true, Colour = LampColour.Red };
    }

    public ValueTask LampSetAsync(LampSetArguments arguments, QmpCommandContext context)
    {
        Threads.Add(Environment.CurrentManagedThreadId);
        context.EmitEvent(QmpEvents.LampChanged(new LampState { On = arguments.On, Colour = arguments.Colour ?? LampColour.White }));
        return arguments.On ? default : throw new InvalidOperationException("a fault of the handler");
    }

    public static QmpHost NewHost(TestLamp lamp, QmpHostOptions? options = null) => new(
        host => new QmpCommandTable(host.Control, QmpHost.Introspection(QmpIntrospection.Instance), lamp), options);
}
