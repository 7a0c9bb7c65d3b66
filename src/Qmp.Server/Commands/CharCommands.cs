using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Protocol.Wire;
using Qmp.Server.Chardevs;
using Qmp.Server.Monitors;

namespace Qmp.Server.Commands;

/// <summary>The commands of module <c>char</c>.</summary>
/// <param name="chardevs">The character devices.</param>
internal sealed class CharCommands(ChardevRegistry chardevs) : ICharCommands
{
    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ChardevInfo>> QueryChardevAsync(QmpCommandContext context) =>
        new([
            .. chardevs.All.Select(c => new ChardevInfo { Label = c.Name, Filename = c.Description, FrontendOpen = c.IsFrontEndOpen }),
        ]);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ChardevBackendInfo>> QueryChardevBackendsAsync(QmpCommandContext context) =>
        new([.. ChardevFactory.Kinds.Select(name => new ChardevBackendInfo { Name = name })]);

    /// <inheritdoc/>
    public async ValueTask<ChardevReturn> ChardevAddAsync(ChardevAddArguments arguments, QmpCommandContext context)
    {
        if (chardevs.IsTaken(arguments.Id))
        {
            throw new QmpException($"Chardev with id '{arguments.Id}' already exists");
        }

        return await MadeAsync(arguments.Id, chardevs.AddAsync(arguments.Id, arguments.Backend, QmpConnection.DescriptorsOf(context.Connection)));
    }

    /// <inheritdoc/>
    public async ValueTask<ChardevReturn> ChardevChangeAsync(ChardevChangeArguments arguments, QmpCommandContext context)
    {
        var old = chardevs.Find(arguments.Id) ?? throw new QmpException($"Chardev '{arguments.Id}' does not exist");
        if (old is MuxChardev)
        {
            throw new QmpException("Mux device hotswap not supported yet");
        }

        return old.IsClaimed
            ? throw new QmpException("Chardev user does not support chardev hotswap")
            : await MadeAsync(arguments.Id, chardevs.ReplaceAsync(old, arguments.Backend, QmpConnection.DescriptorsOf(context.Connection)));
    }

    /// <inheritdoc/>
    public async ValueTask ChardevRemoveAsync(ChardevRemoveArguments arguments, QmpCommandContext context)
    {
        var chardev = Find(arguments.Id);
        if (chardev.IsClaimed)
        {
            throw new QmpException($"Chardev '{arguments.Id}' is busy");
        }

        await chardevs.RemoveAsync(chardev);
    }

    /// <inheritdoc/>
    public ValueTask ChardevSendBreakAsync(ChardevSendBreakArguments arguments, QmpCommandContext context)
    {
        Find(arguments.Id).SendBreak();
        return default;
    }

    /// <inheritdoc/>
    public ValueTask RingbufWriteAsync(RingbufWriteArguments arguments, QmpCommandContext context)
    {
        var ringbuf = FindRingbuf(arguments.Device);

        ringbuf.Write(arguments.Format == DataFormat.Base64
            ? Base64Text.Decode(Encoding.UTF8.GetBytes(arguments.Data))
            : ModifiedUtf8.FromText(arguments.Data));
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<string> RingbufReadAsync(RingbufReadArguments arguments, QmpCommandContext context)
    {
        var ringbuf = FindRingbuf(arguments.Device);
        if (arguments.Size <= 0)
        {
            throw new QmpException("size must be greater than zero");
        }

        var bytes = ringbuf.Read(arguments.Size);
        return new(arguments.Format == DataFormat.Base64 ? Convert.ToBase64String(bytes) : ModifiedUtf8.ToText(bytes));
    }

    private static async ValueTask<ChardevReturn> MadeAsync(string id, ValueTask<Chardev> making)
    {
        try
        {
            return new ChardevReturn { Pty = (await making as PtyChardev)?.Terminal };
        }
        catch (QmpException e)
        {
            throw new QmpException(e.ErrorClass, $"Failed to add chardev '{id}': {e.Description}");
        }
    }

    private Chardev Find(string id) => chardevs.Find(id) ?? throw new QmpException($"Chardev '{id}' not found");

    private RingbufChardev FindRingbuf(string id) =>
        (chardevs.Find(id) ?? throw new QmpException($"Device '{id}' not found")) as RingbufChardev
            ?? throw new QmpException($"{id} is not a ringbuf device");
}
