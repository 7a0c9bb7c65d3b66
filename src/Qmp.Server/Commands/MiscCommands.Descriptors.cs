using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Monitors;

namespace Qmp.Server.Commands;

/// <summary>Commands of module <c>misc</c> that take descriptors, or speak of those that were taken.</summary>
internal sealed partial class MiscCommands
{
    public ValueTask GetfdAsync(GetfdArguments arguments, QmpCommandContext context)
    {
        var descriptor = TakeDescriptor(context);
        if (arguments.Fdname is [>= '0' and <= '9', ..])
        {
            descriptor.Dispose();
            throw new QmpException("Parameter 'fdname' expects a name not starting with a digit");
        }

        ((QmpConnection)context.Connection).Descriptors.Add(arguments.Fdname, descriptor);
        return default;
    }

    public ValueTask ClosefdAsync(ClosefdArguments arguments, QmpCommandContext context) =>
        context.Connection is QmpConnection connection && connection.Descriptors.TryClose(arguments.Fdname)
            ? default
            : throw new QmpException($"File descriptor named '{arguments.Fdname}' not found");

    public ValueTask<AddfdInfo> AddFdAsync(AddFdArguments arguments, QmpCommandContext context) =>
        new(server.DescriptorSets.Add(TakeDescriptor(context), arguments.FdsetId, arguments.Opaque));

    public async ValueTask RemoveFdAsync(RemoveFdArguments arguments, QmpCommandContext context)
    {
        foreach (var fd in server.DescriptorSets.Remove(arguments.FdsetId, arguments.Fd))
        {
            await server.Main.RunOnWorkerAsync(() => Libc.Close(fd));
        }
    }

    public ValueTask<IReadOnlyList<FdsetInfo>> QueryFdsetsAsync(QmpCommandContext context) => new(server.DescriptorSets.List());

    private static SafeHandle TakeDescriptor(QmpCommandContext context) =>
        (context.Connection as QmpConnection)?.TakeDescriptor()
            ?? throw new QmpException("No file descriptor supplied via SCM_RIGHTS");
}
