using System.Runtime.InteropServices;

namespace Qmp.Virtio.Queues;

/// <summary>The shared in-flight region: vhost-user, "Inflight I/O tracking". One part per queue.</summary>
internal static class InflightLayout
{
    public const ushort Version = 1;

    /// <summary>Bytes of one queue's part; parts follow each other on cache line boundaries.</summary>
    public static ulong QueueBytes(int size, bool packed)
    {
        ulong bytes = packed
            ? PackedHeader.Bytes + (ulong)size * PackedState.Bytes
            : SplitHeader.Bytes + (ulong)size * SplitState.Bytes;
        return (bytes + 63) & ~63UL;
    }

    /// <summary>State of a split descriptor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = (int)Bytes)]
    public struct SplitState
    {
        public const ulong Bytes = 16;
        [FieldOffset(0)] public byte Inflight;
        [FieldOffset(6)] public ushort Next;
        [FieldOffset(8)] public ulong Counter;
    }

    /// <summary>Head of a split queue's part; states follow.</summary>
    [StructLayout(LayoutKind.Explicit, Size = (int)Bytes)]
    public struct SplitHeader
    {
        public const ulong Bytes = 16;
        [FieldOffset(0)] public ulong Features;
        [FieldOffset(8)] public ushort Version;
        [FieldOffset(10)] public ushort DescNum;
        [FieldOffset(12)] public ushort LastBatchHead;
        [FieldOffset(14)] public ushort UsedIdx;
    }

    /// <summary>State of a packed descriptor: a copy, for the ring entry may be overwritten before the chain is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = (int)Bytes)]
    public struct PackedState
    {
        public const ulong Bytes = 32;
        [FieldOffset(0)] public byte Inflight;
        [FieldOffset(2)] public ushort Next;
        [FieldOffset(4)] public ushort Last;
        [FieldOffset(6)] public ushort Num;
        [FieldOffset(8)] public ulong Counter;
        [FieldOffset(16)] public ushort Id;
        [FieldOffset(18)] public ushort Flags;
        [FieldOffset(20)] public uint Length;
        [FieldOffset(24)] public ulong Address;
    }

    /// <summary>Head of a packed queue's part; states follow.</summary>
    [StructLayout(LayoutKind.Explicit, Size = (int)Bytes)]
    public struct PackedHeader
    {
        public const ulong Bytes = 32;
        [FieldOffset(0)] public ulong Features;
        [FieldOffset(8)] public ushort Version;
        [FieldOffset(10)] public ushort DescNum;
        [FieldOffset(12)] public ushort FreeHead;
        [FieldOffset(14)] public ushort OldFreeHead;
        [FieldOffset(16)] public ushort UsedIdx;
        [FieldOffset(18)] public ushort OldUsedIdx;
        [FieldOffset(20)] public byte UsedWrapCounter;
        [FieldOffset(21)] public byte OldUsedWrapCounter;
    }
}
