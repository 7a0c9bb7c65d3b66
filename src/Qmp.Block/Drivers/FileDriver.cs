using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Drivers;

/// <summary>
/// <c>file</c> and <c>host_device</c>: an image in a file or on a device of the host. This part opens, closes, locks,
/// resizes; <c>FileDriver.Io.cs</c> reads and writes. All blocking calls run on worker threads.
/// </summary>
internal sealed partial class FileDriver(bool isDevice) : BlockDriver
{
    // Questions that worker threads put to the file; its descriptor is closed after the last.
    private readonly PendingCount _queries = new();

    private OpenFile? _file;
    private FileLocks? _locks;
    private long? _lengthAtOpen;

    public override string FormatName => isDevice ? "host_device" : "file";

    public override bool CanResize => true;

    public override BlockLimits Limits => _file is { RequestAlignment: > 1 } file
        ? new BlockLimits(file.RequestAlignment, file.MemoryAlignment, 4096, IovecMax)
        : new BlockLimits(1, 1, 4096, IovecMax);

    protected internal override string? ExactFileName => FileName;

    private BlockdevOptionsFile FileOptions => Require(isDevice ? Options.HostDevice : Options.File);

    private string FileName => FileOptions.Filename;

    private bool IsLocking => FileOptions.Locking is not OnOffAuto.Off;

    private AioContext MainContext => Node.Graph.MainContext;

    protected internal override async ValueTask OpenAsync(BlockOpenContext context)
    {
        var options = Require(isDevice ? context.Options.HostDevice : context.Options.File);
        var node = context.Node;
        CheckOptions(options, node.CacheDirect);
        (var file, _lengthAtOpen) = await context.MainContext.RunOnWorkerAsync(() =>
        {
            var opened = FileOpener.Open(
                options.Filename, node.ReadOnly, node.AutoReadOnly, node.CacheDirect, isDevice, node.Graph.PassedFiles);
            return (opened, (long?)FileOpener.LengthOf(opened));
        });
        node.ReadOnly = file.ReadOnly;
        Use(file, IsLocking ? new FileLocks(file.Fd, options.Filename) : null);
    }

    protected internal override async ValueTask CloseAsync()
    {
        if (_file is { } file)
        {
            var locks = _locks;
            _file = null;
            _locks = null;
            await _queries.NoneAsync();
            await MainContext.RunOnWorkerAsync(() => FileOpener.Close(file, locks));
        }
    }

    protected internal override async ValueTask<long> GetLengthAsync()
    {
        // The first question follows the open, and spares the way to a worker and back.
        var length = _lengthAtOpen ?? await MainContext.RunOnWorkerAsync(() => FileOpener.LengthOf(_file!));
        _lengthAtOpen = null;
        return length >= 0
            ? length
            : throw new QmpException($"Could not get size of '{FileName}': {Errno.Describe((int)length)}");
    }

    protected internal override async ValueTask<long> GetAllocatedBytesAsync()
    {
        // A query goes through the nodes one by one: this one may have been deleted since it began.
        if (_file is not { } file)
        {
            return -Errno.ENOMEDIUM;
        }

        _queries.Add();
        try
        {
            return await MainContext.RunOnWorkerAsync(() =>
            {
                var result = Libc.Fstat(file.Fd, out var status);
                return result < 0 ? result : status.AllocatedBytes;
            });
        }
        finally
        {
            _queries.Remove();
        }
    }

    protected internal override void AttachContext(AioContext context) => _engine = context.Engine;

    protected internal override async ValueTask ResizeAsync(long length)
    {
        var file = _file!;
        if (!file.IsRegular)
        {
            if (length > Node.LengthBytes)
            {
                throw new QmpException("Cannot grow device files");
            }

            return;
        }

        var result = await Home.RunOnWorkerAsync(() => Libc.Ftruncate(file.Fd, length));
        if (result < 0)
        {
            throw new QmpException($"Could not resize file: {Errno.Describe(result)}");
        }
    }

    protected internal override async ValueTask PreparePermissionsAsync(BlockPermissions permissions, BlockPermissions shared)
    {
        if (_locks is { } locks && locks.Differs(permissions, shared))
        {
            await MainContext.RunOnWorkerAsync(() =>
            {
                locks.Acquire(permissions, shared);
                return 0;
            });
        }
    }

    protected internal override async ValueTask SettlePermissionsAsync(BlockPermissions permissions, BlockPermissions shared)
    {
        if (_locks is { } locks && locks.Differs(permissions, shared))
        {
            await MainContext.RunOnWorkerAsync(() =>
            {
                locks.Drop(permissions, shared);
                return 0;
            });
        }
    }

    protected internal override void RefuseOtherDriver(BlockdevOptions options)
        => ReopenRules.Same("filename", FileName, (options.File ?? options.HostDevice)?.Filename);

    protected internal override async ValueTask<object?> PrepareReopenAsync(BlockReopenContext context)
    {
        var old = FileOptions;
        var options = isDevice ? context.Options.HostDevice : context.Options.File;
        ReopenRules.Same("filename", old.Filename, options?.Filename);
        options = Require(options);
        ReopenRules.Same("locking", old.Locking, options.Locking);
        ReopenRules.Same("aio", old.Aio, options.Aio);
        ReopenRules.Same("pr-manager", old.PrManager, options.PrManager);
        ReopenRules.Same("aio-max-batch", old.AioMaxBatch, options.AioMaxBatch);
        ReopenRules.Same("drop-cache", old.DropCache, options.DropCache);
        CheckOptions(options, context.Direct);
        if (context.ReadOnly == _file!.ReadOnly && context.Direct == Node.CacheDirect)
        {
            return null;
        }

        return await MainContext.RunOnWorkerAsync(() =>
        {
            var file = FileOpener.Reopen(_file, old.Filename, context.ReadOnly, context.Direct, isDevice);

            // Without asking who else has locks: that would find our own, of the descriptor in use.
            var locks = IsLocking ? new FileLocks(file.Fd, old.Filename) : null;
            try
            {
                locks?.Take(context.Permissions, context.Shared);
            }
            catch
            {
                _ = FileOpener.Close(file, locks);
                throw;
            }

            return new Reopened(file, locks);
        });
    }

    protected internal override async ValueTask CommitReopenAsync(object? prepared)
    {
        if (prepared is Reopened(var file, var locks))
        {
            var old = _file!;
            var oldLocks = _locks;
            Use(file, locks);

            // Its users may be others than when it was prepared.
            var (permissions, shared) = BlockGraph.UsersOf(Node);
            shared = Node.ForceShare ? BlockPermissions.All : shared;
            await _queries.NoneAsync();
            await MainContext.RunOnWorkerAsync(() =>
            {
                locks?.Take(permissions, shared);
                locks?.Drop(permissions, shared);
                return FileOpener.Close(old, oldLocks);
            });
        }
    }

    protected internal override async ValueTask AbortReopenAsync(object? prepared)
    {
        if (prepared is Reopened(var file, var locks))
        {
            await MainContext.RunOnWorkerAsync(() => FileOpener.Close(file, locks));
        }
    }

    protected internal override void AddStrongOptions(IDictionary<string, object> options)
        => options.Add("filename", FileName);

    private void CheckOptions(BlockdevOptionsFile options, bool direct)
    {
        if (options.Filename.Length == 0)
        {
            throw new QmpException($"The '{FormatName}' block driver requires a file name");
        }

        if (options.Aio == BlockdevAioOptions.Native && !direct)
        {
            throw new QmpException("aio=native was specified, but it requires cache.direct=on, which was not specified.");
        }

        if (options.PrManager is { } manager)
        {
            throw new QmpException($"No persistent reservation manager with id '{manager}'");
        }
    }

    private void Use(OpenFile file, FileLocks? locks)
    {
        _file = file;
        _fd = file.Fd;
        _alignment = file.RequestAlignment;
        _locks = locks;
    }

    private sealed record Reopened(OpenFile File, FileLocks? Locks);
}
