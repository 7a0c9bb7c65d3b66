using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Block;

namespace Simulation;

internal enum RequestState
{
    Free,
    Queued,
    Submitted,
}

/// <summary>One request of a guest, used again and again, with its own memory.</summary>
internal sealed unsafe class GuestRequest : BlockRequest, IDisposable
{
    public const int MaxSectors = 16;

    private const int MaxSegments = 3;

    private readonly Guest _guest;
    private readonly ulong* _memory = (ulong*)NativeMemory.AlignedAlloc(MaxSectors * DiskModel.SectorSize, 4096);

    public GuestRequest(Guest guest, int number)
    {
        _guest = guest;
        Number = number;
        Segments = (Iovec*)NativeMemory.AllocZeroed(MaxSegments, (nuint)sizeof(Iovec));
    }

    public int Number { get; }

    public RequestState State { get; set; }

    public int FirstSector { get; private set; }

    public int SectorCount { get; private set; }

    public ulong Stamp { get; private set; }

    public Span<ulong> Words => new(_memory, SectorCount * DiskModel.SectorSize / sizeof(ulong));

    public void Prepare(BlockOp op, int firstSector, int sectorCount, ulong stamp, BlockFlags flags, SimulationRandom random)
    {
        Op = op;
        Flags = flags;
        FirstSector = firstSector;
        SectorCount = sectorCount;
        Stamp = stamp;
        Offset = (long)firstSector * DiskModel.SectorSize;
        Length = (long)sectorCount * DiskModel.SectorSize;
        SegmentCount = 0;
        if (op is BlockOp.Read or BlockOp.Write)
        {
            // A read must not find in memory what it should have fetched.
            Words.Fill(op == BlockOp.Write ? stamp : ulong.MaxValue);
            Scatter(random);
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        NativeMemory.Free(Segments);
    }

    public override string ToString()
        => $"{_guest.Name}: {Op} {Number} of sectors {FirstSector}+{SectorCount} (stamp {Stamp}, {State})";

    protected internal override void OnCompleted(int result) => _guest.OnCompleted(this, result);

    /// <summary>Cuts the memory into segments, also inside of sectors.</summary>
    private void Scatter(SimulationRandom random)
    {
        var position = 0L;
        while (position < Length)
        {
            var rest = Length - position;
            var piece = SegmentCount == MaxSegments - 1 ? rest : 1 + random.NextInt64(rest);
            Segments[SegmentCount++] = new Iovec((byte*)_memory + position, (nuint)piece);
            position += piece;
        }
    }
}
