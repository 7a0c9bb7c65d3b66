// Switches the lamp of the sample LampServer: LampClient SOCKET on|off [white|red]
using LampClient.Schema;
using Qmp.Client;
using LampEvents = LampClient.Schema.QmpEventTypes;

await using var qmp = await QmpClient.ConnectAsync(args[0]);
using var changes = qmp.Subscribe(LampEvents.LampChanged);
LampColour? colour = args.Length > 2 && LampColourNames.TryParse(args[2], out var parsed) ? parsed : null;
try
{
    await qmp.LampSetAsync(args[1] == "on", colour);
    var change = await changes.NextAsync();
    Console.WriteLine($"the lamp is {(change.Data.On ? "on, and " + change.Data.Colour.ToWireName() : "off")}");
    return 0;
}
catch (QmpCommandException e)
{
    Console.Error.WriteLine($"{e.Command}: {e.Description}");
    return 1;
}
