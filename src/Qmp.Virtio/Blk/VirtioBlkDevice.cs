using System.Text;
using Qmp.Aio;
using Qmp.Block;
using static Qmp.Virtio.Blk.VirtioBlkConstants;

namespace Qmp.Virtio.Blk;

/// <summary>The disk as a driver sees it, apart from its queues: features, configuration space, serial.</summary>
/// <remarks>Loop.</remarks>
internal sealed class VirtioBlkDevice
{
    private readonly byte[] _serial = new byte[IdBytes];
    private readonly bool _writeThrough;

    /// <summary>Makes the device of an export.</summary>
    public VirtioBlkDevice(BlockBackend backend, VhostUserBlkOptions options)
    {
        Backend = backend;
        Writable = options.Writable;
        BlockBytes = options.LogicalBlockSize;
        QueueCount = options.NumQueues;
        _writeThrough = options.WriteThrough;
        byte[] id = Encoding.UTF8.GetBytes(options.Id);
        id.AsSpan(0, Math.Min(id.Length, IdBytes)).CopyTo(_serial);
        ResetWriteCache();
    }

    /// <summary>The user of the block node.</summary>
    public BlockBackend Backend { get; }

    /// <summary>False when every write is refused.</summary>
    public bool Writable { get; }

    /// <summary>Logical block size: offsets and lengths are multiples of it.</summary>
    public uint BlockBytes { get; }

    /// <summary>Request queues.</summary>
    public int QueueCount { get; }

    /// <summary>The serial of GET_ID, 20 bytes.</summary>
    public ReadOnlySpan<byte> Serial => _serial;

    /// <summary>Device and ring features offered.</summary>
    public ulong Features =>
        FeatureSegMax | FeatureBlkSize | FeatureFlush | FeatureTopology | FeatureConfigWce | FeatureMultiQueue |
        FeatureDiscard | FeatureWriteZeroes | FeatureIndirectDesc | FeatureEventIndex | FeatureProtocol |
        FeatureVersion1 | FeatureRingPacked | (Writable ? 0 : FeatureReadOnly);

    /// <summary>
    /// The driver's choice. One that cannot flush must not have writes that need it (virtio 1.2, section 5.2.6.2).
    /// </summary>
    public void FeaturesNegotiated(ulong features)
    {
        if ((features & FeatureConfigWce) == 0)
        {
            Backend.WriteCacheEnabled = !_writeThrough && (features & FeatureFlush) != 0;
        }
    }

    /// <summary>Back to what the export was made with: a driver may have changed the cache mode.</summary>
    public void ResetWriteCache() => Backend.WriteCacheEnabled = !_writeThrough;

    /// <summary>Fills the configuration space from its start.</summary>
    public void ReadConfig(Span<byte> space)
    {
        Span<byte> whole = stackalloc byte[VirtioBlkConfig.Bytes];
        whole.Clear();
        VirtioBlkConfig.Write(whole, Backend.LengthBytes, BlockBytes, QueueCount, Backend.WriteCacheEnabled);
        space.Clear();
        whole[..Math.Min(whole.Length, space.Length)].CopyTo(space);
    }

    /// <summary>A write to the configuration space: only the cache mode can be changed.</summary>
    /// <returns>0 or -EINVAL.</returns>
    public int WriteConfig(uint offset, ReadOnlySpan<byte> data)
    {
        if (offset != VirtioBlkConfig.WritebackOffset || data.Length != 1 || data[0] > 1)
        {
            return -Errno.EINVAL;
        }
        Backend.WriteCacheEnabled = data[0] != 0;
        return 0;
    }
}
