using System.Buffers.Binary;

namespace Qmp.Virtio.Blk;

/// <summary>The configuration space of virtio-blk (virtio 1.2, section 5.2.4): 60 bytes, little-endian.</summary>
internal static class VirtioBlkConfig
{
    /// <summary>Bytes that are defined. Reads beyond give zeroes, up to vhost-user's limit of 256.</summary>
    public const int Bytes = 60;

    /// <summary>Offset of the one byte that a driver may write.</summary>
    public const int WritebackOffset = 32;

    /// <summary>Writes the whole space; <paramref name="space"/> is at least <see cref="Bytes"/> long and zero.</summary>
    /// <param name="space">Where to.</param>
    /// <param name="lengthBytes">Size of the disk.</param>
    /// <param name="blockBytes">Logical block size.</param>
    /// <param name="queues">Number of request queues.</param>
    /// <param name="writeback">
    /// Whether completed writes may still be volatile. The truth: a guest that reads 0 here never flushes.
    /// </param>
    public static void Write(Span<byte> space, long lengthBytes, uint blockBytes, int queues, bool writeback)
    {
        BinaryPrimitives.WriteInt64LittleEndian(space, lengthBytes >> VirtioBlkConstants.SectorBits);
        BinaryPrimitives.WriteUInt32LittleEndian(space[12..], VirtioBlkConstants.SegMax);
        BinaryPrimitives.WriteUInt32LittleEndian(space[20..], blockBytes);
        // Topology: no larger physical blocks, no offset; smallest and best I/O size in logical blocks.
        BinaryPrimitives.WriteUInt16LittleEndian(space[26..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(space[28..], 1);
        space[WritebackOffset] = writeback ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(space[34..], (ushort)queues);
        BinaryPrimitives.WriteUInt32LittleEndian(space[36..], VirtioBlkConstants.MaxRangeSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(space[40..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(space[44..], blockBytes >> VirtioBlkConstants.SectorBits);
        BinaryPrimitives.WriteUInt32LittleEndian(space[48..], VirtioBlkConstants.MaxRangeSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(space[52..], 1);
        // Write zeroes may deallocate.
        space[56] = 1;
    }
}
