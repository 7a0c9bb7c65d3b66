using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;
using Qmp.Server.Objects;

namespace Qmp.Server.Chardevs;

/// <summary>All character devices, which stand below <c>/chardevs</c>. <b>Main</b>.</summary>
internal sealed class ChardevRegistry
{
    private readonly QomContainer _tree;
    private readonly ChardevFactory _factory;

    // Names of devices that are being made, which takes more than one turn of the loop.
    private readonly HashSet<string> _coming = [];

    /// <summary>Begins without devices.</summary>
    /// <param name="server">The parts of the daemon.</param>
    public ChardevRegistry(ServerContext server)
    {
        _tree = server.Objects.Chardevs;
        _factory = new ChardevFactory(server, Find);
    }

    /// <summary>All devices, in the order of listings.</summary>
    public IEnumerable<Chardev> All => _tree.Children.Cast<Chardev>();

    /// <summary>Finds a device; null when there is none.</summary>
    public Chardev? Find(string id) => _tree.Child(id) as Chardev;

    /// <summary>Whether a name is that of a device, or of one that is being made.</summary>
    public bool IsTaken(string id) => Find(id) is not null || _coming.Contains(id);

    /// <summary>Makes a device; with <c>wait=on</c> completes when its first client has come.</summary>
    /// <param name="id">Its name, which is free.</param>
    /// <param name="backend">Its kind and options.</param>
    /// <param name="descriptors">Where addresses of type <c>fd</c> find their sockets.</param>
    /// <exception cref="QmpException">It cannot be made; nothing is left of it.</exception>
    public async ValueTask<Chardev> AddAsync(string id, ChardevBackend backend, ISocketDescriptors descriptors)
    {
        var chardev = await CreateAsync(id, backend, descriptors);
        try
        {
            _tree.Add(id, chardev);
        }
        catch
        {
            await chardev.DisposeAsync();
            throw;
        }

        await chardev.WaitAsync();
        return chardev;
    }

    /// <summary>Puts a new device in the place of one that nothing uses.</summary>
    /// <param name="old">That one.</param>
    /// <param name="backend">Kind and options of the new one.</param>
    /// <param name="descriptors">Where addresses of type <c>fd</c> find their sockets.</param>
    /// <exception cref="QmpException">The new one cannot be made: the old one stays.</exception>
    public async ValueTask<Chardev> ReplaceAsync(Chardev old, ChardevBackend backend, ISocketDescriptors descriptors)
    {
        var chardev = await CreateAsync(old.Name, backend, descriptors);
        if (old.IsClaimed || Find(old.Name) != old)
        {
            await chardev.DisposeAsync();
            throw new QmpException($"Chardev '{old.Name}' is busy");
        }

        _tree.Remove(old);
        await old.DisposeAsync();
        _tree.Add(old.Name, chardev);
        return chardev;
    }

    /// <summary>Removes a device that nothing uses.</summary>
    public async ValueTask RemoveAsync(Chardev chardev)
    {
        _tree.Remove(chardev);
        await chardev.DisposeAsync();
    }

    /// <summary>Makes the caller a user of a device.</summary>
    /// <exception cref="QmpException">There is none, or it has a user.</exception>
    public IChardevPort Claim(string id) =>
        (Find(id) ?? throw new QmpException($"chardev \"{id}\" not found")).Claim();

    /// <summary>Removes all devices, those first that share others. Idempotent.</summary>
    public async ValueTask ClearAsync()
    {
        foreach (var chardev in All.OrderByDescending(c => c is MuxChardev).ToArray())
        {
            await RemoveAsync(chardev);
        }
    }

    private async ValueTask<Chardev> CreateAsync(string id, ChardevBackend backend, ISocketDescriptors descriptors)
    {
        _coming.Add(id);
        try
        {
            return await _factory.CreateAsync(id, backend, descriptors);
        }
        finally
        {
            _coming.Remove(id);
        }
    }
}
