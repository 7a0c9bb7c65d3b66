namespace Qmp.Client;

/// <summary>A subscription was read so slowly that events had to be thrown away.</summary>
/// <param name="capacity">How many events it holds.</param>
public sealed class QmpEventsLostException(int capacity)
    : Exception($"more than {capacity} events were not read in time: some are lost");
