using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Chardevs;

/// <summary>Makes character devices of all kinds. <b>Main</b>.</summary>
/// <param name="server">The parts of the daemon.</param>
/// <param name="find">Finds a device; null when there is none.</param>
internal sealed class ChardevFactory(ServerContext server, Func<string, Chardev?> find)
{
    private int _stdioDevices;

    /// <summary>The kinds that there are, in the order of QEMU's list.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        ["mux", "pipe", "null", "ringbuf", "socket", "stdio", "memory", "file", "pty"];

    /// <summary>Makes a device, which is in no tree yet.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="backend">Its kind and options.</param>
    /// <param name="descriptors">Where addresses of type <c>fd</c> find their sockets.</param>
    /// <exception cref="QmpException">It cannot be made; nothing is left of it.</exception>
    public async ValueTask<Chardev> CreateAsync(string id, ChardevBackend backend, ISocketDescriptors descriptors)
    {
        var log = await OpenLogAsync(backend);
        try
        {
            return await CreateAsync(id, backend, descriptors, log);
        }
        catch
        {
            log?.Dispose();
            throw;
        }
    }

    private async ValueTask<Chardev> CreateAsync(string id, ChardevBackend backend, ISocketDescriptors descriptors, ChardevLog? log) => backend.Type switch
    {
        ChardevBackendKind.File => await StreamChardevs.OpenFileAsync(server.Main, server.DescriptorSets, backend.File!.Data, log),
        ChardevBackendKind.Pipe => await StreamChardevs.OpenPipeAsync(server.Main, server.DescriptorSets, backend.Pipe!.Data, log),
        ChardevBackendKind.Stdio => OpenStdio(backend.Stdio!.Data, log),
        ChardevBackendKind.Pty => await PtyChardev.OpenAsync(server.Main, backend.Pty!.Data, log),
        ChardevBackendKind.Null => new NullChardev(log),
        ChardevBackendKind.Mux => OpenMux(backend.Mux!.Data, log),
        ChardevBackendKind.Ringbuf => new RingbufChardev("ringbuf", backend.Ringbuf!.Data.Size, log),
        ChardevBackendKind.Memory => new RingbufChardev("memory", backend.Memory!.Data.Size, log),
        _ => await SocketChardev.OpenAsync(id, backend.Socket!.Data, server.Objects.Objects, descriptors, server.Main, server.Log, log),
    };

    private Chardev OpenStdio(ChardevStdio options, ChardevLog? log)
    {
        if (server.Options.IsDaemonized)
        {
            throw new QmpException("cannot use stdio with -daemonize");
        }

        return _stdioDevices == 0
            ? StreamChardevs.OpenStdio(server.Main, options, log, inUse => _stdioDevices += inUse ? 1 : -1)
            : throw new QmpException("cannot use stdio by multiple character devices");
    }

    private MuxChardev OpenMux(ChardevMux options, ChardevLog? log) => find(options.Chardev) is { } shared
        ? new MuxChardev(shared, server.RequestStop, log)
        : throw new QmpException($"mux: base chardev {options.Chardev} not found");

    private ValueTask<ChardevLog?> OpenLogAsync(ChardevBackend backend)
    {
        var (path, appends, hasTimes) = backend switch
        {
            { File.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Pipe.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Stdio.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Pty.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Null.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Mux.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Ringbuf.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            { Memory.Data: { } o } => (o.Logfile, o.Logappend, o.Logtimestamp),
            _ => (backend.Socket!.Data.Logfile, backend.Socket.Data.Logappend, backend.Socket.Data.Logtimestamp),
        };
        return ChardevLog.OpenAsync(server.Main, server.DescriptorSets, path, appends, hasTimes);
    }
}
