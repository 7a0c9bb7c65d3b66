using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>A submission queue entry of the kernel; only the members in use are named.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct Sqe
{
    [FieldOffset(0)] public byte Opcode;
    [FieldOffset(1)] public byte Flags;
    [FieldOffset(4)] public int Fd;
    [FieldOffset(8)] public ulong Offset;
    [FieldOffset(16)] public ulong Address;
    [FieldOffset(24)] public uint Length;
    [FieldOffset(28)] public uint OperationFlags;
    [FieldOffset(32)] public ulong UserData;
    [FieldOffset(40)] public ulong Rest0;
    [FieldOffset(48)] public ulong Rest1;
    [FieldOffset(56)] public ulong Rest2;
}

/// <summary>A completion queue entry of the kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Cqe
{
    public ulong UserData;
    public int Result;
    public uint Flags;
}

/// <summary>The kernel's <c>struct io_uring_params</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct IoUringParameters
{
    [FieldOffset(0)] public uint SqEntries;
    [FieldOffset(4)] public uint CqEntries;
    [FieldOffset(8)] public uint Flags;
    [FieldOffset(20)] public uint Features;
    [FieldOffset(40)] public uint SqHead;
    [FieldOffset(44)] public uint SqTail;
    [FieldOffset(48)] public uint SqRingMask;
    [FieldOffset(56)] public uint SqFlags;
    [FieldOffset(64)] public uint SqArray;
    [FieldOffset(80)] public uint CqHead;
    [FieldOffset(84)] public uint CqTail;
    [FieldOffset(88)] public uint CqRingMask;
    [FieldOffset(100)] public uint Cqes;
}

/// <summary>The kernel's <c>struct io_uring_getevents_arg</c>, with the time-out that it points to.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EnterArgument
{
    public ulong SignalMask;
    public uint SignalMaskSize;
    public uint MinWaitMicroseconds;
    public ulong Timeout;
    public long Seconds;
    public long Nanoseconds;

    /// <summary>Size of what the kernel calls the argument.</summary>
    public const int KernelSize = 24;
}

/// <summary>Numbers of the kernel's interface.</summary>
internal static class IoUringAbi
{
    public const byte OpReadv = 1;
    public const byte OpWritev = 2;
    public const byte OpFsync = 3;
    public const byte OpPollAdd = 6;
    public const byte OpPollRemove = 7;
    public const byte OpFallocate = 17;
    public const byte OpRead = 22;
    public const byte OpWrite = 23;

    public const uint FsyncDataOnly = 1;
    public const uint PollAddMulti = 1;
    public const uint CqeMore = 2;
    public const byte SqeCqeSkipSuccess = 1 << 6;

    public const uint SetupCqSize = 1 << 3;
    public const uint SetupClamp = 1 << 4;
    public const uint SetupDisabled = 1 << 6;
    public const uint SetupSubmitAll = 1 << 7;
    public const uint SetupCoopTaskrun = 1 << 8;
    public const uint SetupTaskrunFlag = 1 << 9;
    public const uint SetupSingleIssuer = 1 << 12;
    public const uint SetupDeferTaskrun = 1 << 13;
    public const uint SetupNoSqArray = 1 << 16;

    public const uint FeatureSingleMmap = 1 << 0;
    public const uint FeatureNoDrop = 1 << 1;
    public const uint FeatureExtArg = 1 << 8;
    public const uint FeatureCqeSkip = 1 << 11;
    public const uint FeatureNoIoWait = 1 << 17;

    public const uint EnterGetEvents = 1 << 0;
    public const uint EnterExtArg = 1 << 3;
    public const uint EnterRegisteredRing = 1 << 4;
    public const uint EnterNoIoWait = 1 << 7;

    public const uint SqCqOverflow = 1 << 1;
    public const uint SqTaskrun = 1 << 2;

    public const uint RegisterEnableRings = 12;
    public const uint RegisterRingFds = 20;

    public const long OffsetSqRing = 0;
    public const long OffsetSqes = 0x10000000;
}
