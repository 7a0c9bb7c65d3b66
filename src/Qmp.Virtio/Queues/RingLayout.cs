using System.Runtime.InteropServices;

namespace Qmp.Virtio.Queues;

/// <summary>What lies in guest memory: virtio 1.2, sections 2.7 (split) and 2.8 (packed). Little-endian.</summary>
internal static class RingLayout
{
    public const ushort DescNext = 1;
    public const ushort DescWrite = 2;
    public const ushort DescIndirect = 4;
    public const ushort PackedAvail = 1 << 7;
    public const ushort PackedUsed = 1 << 15;

    /// <summary>Split: the driver asks for no call (avail.flags), the device for no kick (used.flags).</summary>
    public const ushort NoNotification = 1;

    /// <summary>Packed event suppression: flags.</summary>
    public const ushort EventEnable = 0;
    public const ushort EventDisable = 1;
    public const ushort EventDescriptor = 2;

    public const int DescBytes = 16;

    /// <summary>Bytes of the available ring with its used_event word.</summary>
    public static ulong AvailBytes(int size) => 4 + 2UL * (ulong)size + 2;

    /// <summary>Bytes of the used ring with its avail_event word.</summary>
    public static ulong UsedBytes(int size) => 4 + 8UL * (ulong)size + 2;
}

/// <summary>A descriptor of a split ring or of an indirect table.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SplitDesc
{
    public ulong Address;
    public uint Length;
    public ushort Flags;
    public ushort Next;
}

/// <summary>A descriptor of a packed ring.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PackedDesc
{
    public ulong Address;
    public uint Length;
    public ushort Id;
    public ushort Flags;
}

/// <summary>An entry of the used ring.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UsedElement
{
    public uint Id;
    public uint Length;
}

/// <summary>The packed ring's event suppression structure.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PackedEvent
{
    public ushort OffsetAndWrap;
    public ushort Flags;
}
