using System.Runtime.InteropServices;

namespace Qmp.Virtio.VhostUser;

/// <summary>Requests of the front end, by the numbers of the vhost-user specification.</summary>
internal enum VhostUserRequest : uint
{
    GetFeatures = 1,
    SetFeatures = 2,
    SetOwner = 3,
    ResetOwner = 4,
    SetMemTable = 5,
    SetVringNum = 8,
    SetVringAddr = 9,
    SetVringBase = 10,
    GetVringBase = 11,
    SetVringKick = 12,
    SetVringCall = 13,
    SetVringErr = 14,
    GetProtocolFeatures = 15,
    SetProtocolFeatures = 16,
    GetQueueNum = 17,
    SetVringEnable = 18,
    SetBackendReqFd = 21,
    GetConfig = 24,
    SetConfig = 25,
    GetInflightFd = 31,
    SetInflightFd = 32,
    ResetDevice = 34,
    GetMaxMemSlots = 36,
    AddMemReg = 37,
    RemMemReg = 38,
    SetStatus = 39,
    GetStatus = 40,
}

/// <summary>The head of every message. Payloads follow, in host byte order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VhostUserHeader
{
    public const int Bytes = 12;
    public const uint Version = 1;
    public const uint VersionMask = 3;
    public const uint Reply = 4;
    public const uint NeedReply = 8;

    public VhostUserRequest Request;
    public uint Flags;
    public uint Size;
}

/// <summary>Numbers and payload layouts of vhost-user.</summary>
internal static class VhostUserProtocol
{
    public const ulong FeatureMultiQueue = 1UL << 0;
    public const ulong FeatureReplyAck = 1UL << 3;
    public const ulong FeatureBackendReq = 1UL << 5;
    public const ulong FeatureConfig = 1UL << 9;
    public const ulong FeatureInflight = 1UL << 12;
    public const ulong FeatureResetDevice = 1UL << 13;
    public const ulong FeatureConfigureMemSlots = 1UL << 15;
    public const ulong FeatureStatus = 1UL << 16;

    public const ulong Features =
        FeatureMultiQueue | FeatureReplyAck | FeatureBackendReq | FeatureConfig | FeatureInflight |
        FeatureResetDevice | FeatureConfigureMemSlots | FeatureStatus;

    /// <summary>Largest payload accepted; the largest that exists is 268 bytes.</summary>
    public const int MaxPayload = 4096;

    /// <summary>Descriptors that one message may carry.</summary>
    public const int MaxDescriptors = 8;

    /// <summary>Regions of one SET_MEM_TABLE, each with a descriptor.</summary>
    public const int MaxTableRegions = MaxDescriptors;

    /// <summary>Largest configuration space.</summary>
    public const int MaxConfig = 256;

    /// <summary>In SET_VRING_KICK, _CALL and _ERR: the index, and the mark that there is no descriptor.</summary>
    public const ulong VringIndexMask = 0xFF;
    public const ulong VringNoFd = 0x100;

    /// <summary>Backend request: the configuration space has changed.</summary>
    public const uint BackendConfigChange = 2;

    /// <summary>Device status: what a driver wrote.</summary>
    public const int ConfigHeaderBytes = 12;
}

[StructLayout(LayoutKind.Sequential)]
internal struct VringState
{
    public uint Index;
    public uint Number;
}

[StructLayout(LayoutKind.Sequential)]
internal struct VringAddress
{
    public uint Index;
    public uint Flags;
    public ulong Descriptors;
    public ulong Used;
    public ulong Available;
    public ulong Log;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MemoryRegion
{
    public ulong GuestAddress;
    public ulong Size;
    public ulong UserAddress;
    public ulong FileOffset;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MemoryTableHead
{
    public uint Count;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SingleRegion
{
    public ulong Padding;
    public MemoryRegion Region;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ConfigHead
{
    public uint Offset;
    public uint Size;
    public uint Flags;
}

/// <summary>20 bytes of contents; front ends send them with or without the padding to 24.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InflightDescription
{
    public const int MinBytes = 20;

    public ulong MapSize;
    public ulong MapOffset;
    public ushort QueueCount;
    public ushort QueueSize;
    private readonly uint _padding;
}
