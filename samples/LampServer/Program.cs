// A QMP server with commands of its own: lamp.json says which, this file what they do.
// Run it with the path of the socket to make.
using LampServer.Schema;
using Qmp.Hosting;
using Qmp.Protocol;

await using var host = new QmpHost(host => new QmpCommandTable(
    host.Control, QmpHost.Introspection(QmpIntrospection.Instance), new Lamp()));
host.ListenUnix(args[0]);
await host.QuitRequested;

internal sealed class Lamp : ILampCommands
{
    private readonly LampState _state = new() { On = false, Colour = LampColour.White };

    public ValueTask<LampState> QueryLampAsync(QmpCommandContext context) => new(_state);

    public ValueTask LampSetAsync(LampSetArguments arguments, QmpCommandContext context)
    {
        if (arguments is { On: false, Colour: not null })
        {
            throw new QmpException("A lamp that is off has no colour");
        }

        _state.On = arguments.On;
        _state.Colour = arguments.Colour ?? _state.Colour;
        context.EmitEvent(QmpEvents.LampChanged(_state));
        return default;
    }
}
