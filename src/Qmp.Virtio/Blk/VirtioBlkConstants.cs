namespace Qmp.Virtio.Blk;

/// <summary>Numbers of virtio 1.2, section 5.2 (block device) and section 6 (reserved feature bits).</summary>
internal static class VirtioBlkConstants
{
    public const ulong FeatureSegMax = 1UL << 2;
    public const ulong FeatureReadOnly = 1UL << 5;
    public const ulong FeatureBlkSize = 1UL << 6;
    public const ulong FeatureFlush = 1UL << 9;
    public const ulong FeatureTopology = 1UL << 10;
    public const ulong FeatureConfigWce = 1UL << 11;
    public const ulong FeatureMultiQueue = 1UL << 12;
    public const ulong FeatureDiscard = 1UL << 13;
    public const ulong FeatureWriteZeroes = 1UL << 14;
    public const ulong FeatureIndirectDesc = 1UL << 28;
    public const ulong FeatureEventIndex = 1UL << 29;
    public const ulong FeatureProtocol = 1UL << 30;
    public const ulong FeatureVersion1 = 1UL << 32;
    public const ulong FeatureRingPacked = 1UL << 34;

    public const uint TypeIn = 0;
    public const uint TypeOut = 1;
    public const uint TypeFlush = 4;
    public const uint TypeGetId = 8;
    public const uint TypeDiscard = 11;
    public const uint TypeWriteZeroes = 13;

    /// <summary>A flag of the request type that old drivers set; it means nothing any more.</summary>
    public const uint TypeBarrier = 0x80000000;

    public const byte StatusOk = 0;
    public const byte StatusIoError = 1;
    public const byte StatusUnsupported = 2;

    public const int SectorBits = 9;
    public const int SectorBytes = 1 << SectorBits;
    public const int HeaderBytes = 16;
    public const int RangeBytes = 16;

    /// <summary>Length of the serial, in bytes, padded with zeroes.</summary>
    public const int IdBytes = 20;

    /// <summary>Largest discard and write-zeroes request, in sectors: 16 MiB.</summary>
    public const uint MaxRangeSectors = 32768;

    /// <summary>Flag of a range: the device may deallocate what it zeroes.</summary>
    public const uint RangeUnmap = 1;

    /// <summary>Data segments of a request that a driver may use: a queue of 128 less header and status.</summary>
    public const uint SegMax = 126;
}
