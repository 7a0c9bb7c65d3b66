namespace Qmp.Protocol;

/// <summary>One client of a monitor, as a command handler sees it.</summary>
public interface IQmpConnection
{
    /// <summary>Number of the connection, unique in the process, counted from 1; 0 stands for the command line. <b>Any</b>.</summary>
    long Id { get; }

    /// <summary>
    /// Cancelled once, on the main loop, when the connection has closed: what belongs to a connection ends by a
    /// registration here. <b>Any</b>.
    /// </summary>
    CancellationToken Closed { get; }
}
