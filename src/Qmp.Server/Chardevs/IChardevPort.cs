namespace Qmp.Server.Chardevs;

/// <summary>Where the user of a character device, its front end, gets its connections from. <b>Main</b>.</summary>
internal interface IChardevPort
{
    /// <summary>Hands over the connections that there are and those that come.</summary>
    /// <param name="frontEnd">Takes a connection, which is then its own.</param>
    /// <param name="maxConnections">Connections at once; further ones wait, where the device can have them.</param>
    void Attach(Action<ChardevConnection> frontEnd, int maxConnections);

    /// <summary>Hands over no more connections; those that were handed over stay. Idempotent.</summary>
    void Detach();

    /// <summary>Its user needs it no longer: another may come. Idempotent.</summary>
    void Unclaim();
}
