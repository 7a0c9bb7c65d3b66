using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Objects;

namespace Qmp.Server.Chardevs;

/// <summary>All character devices, which stand below <c>/chardevs</c> as well. <b>Main</b>.</summary>
internal sealed class ChardevRegistry(ServerContext server) : IDisposable
{
    private readonly Dictionary<string, SocketChardev> _chardevs = [];

    /// <summary>Makes a device; with <c>wait=on</c> completes when its first client has come.</summary>
    /// <exception cref="QmpException">It cannot be made.</exception>
    public async ValueTask AddAsync(string id, ChardevSocket options)
    {
        var chardev = new SocketChardev(id, options, server.Main, server.Log);
        try
        {
            server.Objects.Chardevs.Add(id, new ChardevObject(() => chardev.IsConnected, () => chardev.AddressElement));
        }
        catch
        {
            chardev.Dispose();
            throw;
        }

        _chardevs.Add(id, chardev);
        if (chardev.WaitsForClient)
        {
            await chardev.WaitAsync();
        }
    }

    /// <summary>Finds a device for its only user.</summary>
    /// <exception cref="QmpException">There is none, or it has a user.</exception>
    public SocketChardev Claim(string id)
    {
        if (!_chardevs.TryGetValue(id, out var chardev))
        {
            throw new QmpException($"chardev \"{id}\" not found");
        }

        if (chardev.IsInUse)
        {
            throw new QmpException($"chardev '{id}' is already in use");
        }

        chardev.IsInUse = true;
        return chardev;
    }

    /// <summary>Closes all listening sockets and removes their names. Idempotent.</summary>
    public void Dispose()
    {
        foreach (var chardev in _chardevs.Values)
        {
            chardev.Dispose();
        }
    }
}
