using System.Numerics;
using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;
using Qmp.Server.Sockets;
using Qmp.Virtio;

namespace Qmp.Server.Exports;

/// <summary>Exports of type <c>vhost-user-blk</c>. <b>Main</b>.</summary>
internal sealed class VhostUserBlk : BlockExport
{
    private const ulong MinBlockSize = 512;
    private const ulong MaxBlockSize = 2 << 20;
    private const ushort MaxQueues = 256;

    private readonly VhostUserBlkExport _export;
    private ListeningSocket? _socket;
    private bool _isStarted;

    public VhostUserBlk(BlockExportOptions options, Action<string> log)
        : base(options)
    {
        _export = new VhostUserBlkExport(
            new VhostUserBlkOptions
            {
                Id = options.Id,
                NumQueues = Own.NumQueues ?? 1,
                LogicalBlockSize = (uint)Math.Min(BlockSize, uint.MaxValue),
                Writable = options.Writable ?? false,
                WriteThrough = options.Writethrough ?? false,
                FixedContext = options.FixedIothread ?? false,
            },
            log);
    }

    public override IBlockBackendClient Client => _export;

    private BlockExportOptionsVhostUserBlk Own => Options.VhostUserBlk!;

    private ulong BlockSize => Own.LogicalBlockSize ?? MinBlockSize;

    public override void Prepare(ISocketDescriptors descriptors)
    {
        if (BlockSize is < MinBlockSize or > MaxBlockSize || !BitOperations.IsPow2(BlockSize))
        {
            throw new QmpException($"parameter logical-block-size must be a power of 2 between {MinBlockSize} and {MaxBlockSize}");
        }

        if (Own.NumQueues == 0)
        {
            throw new QmpException("num-queues must be greater than 0");
        }

        if (Own.NumQueues > MaxQueues)
        {
            throw new QmpException($"num-queues must not be greater than {MaxQueues}");
        }

        _socket = ListeningSocket.ListenHere(Own.Addr, descriptors);
    }

    public override async ValueTask StartAsync()
    {
        _isStarted = true;
        await _export.StartAsync(Backend, _socket!.Fd);
    }

    public override async ValueTask StopAsync()
    {
        _socket?.Dispose();
        if (_isStarted)
        {
            await _export.StopAsync();
        }
        else if (_socket is not null)
        {
            _ = Libc.Close(_socket.Fd);
        }

        _socket = null;
    }
}
