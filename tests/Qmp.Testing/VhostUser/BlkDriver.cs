using System.Runtime.InteropServices;

namespace Qmp.Testing.VhostUser;

/// <summary>The status byte of a request, and what the device read or wrote.</summary>
/// <param name="Status">0 good, 1 I/O error, 2 unsupported; 255 when the device never wrote it.</param>
/// <param name="Written">Length that the used entry gave.</param>
/// <param name="Data">Data of a read.</param>
public sealed record BlkResult(byte Status, uint Written, byte[] Data);

/// <summary>Virtio-blk requests on a ring, one after the other or several at once.</summary>
public sealed unsafe class BlkDriver(RingDriver ring)
{
    private readonly Dictionary<int, Pending> _pending = [];

    public RingDriver Ring => ring;

    public int InFlight => _pending.Count;

    public BlkResult Read(ulong sector, int bytes, bool indirect = false) => Run(0, sector, [], bytes, indirect);

    public BlkResult Write(ulong sector, ReadOnlySpan<byte> data, bool indirect = false) => Run(1, sector, data, 0, indirect);

    public BlkResult Flush() => Run(4, 0, [], 0, false);

    public BlkResult GetId(int bytes = 20) => Run(8, 0, [], bytes, false);

    public BlkResult Discard(ulong sector, uint sectors, uint flags = 0) => Run(11, 0, Range(sector, sectors, flags), 0, false);

    public BlkResult WriteZeroes(ulong sector, uint sectors, uint flags = 0) => Run(13, 0, Range(sector, sectors, flags), 0, false);

    public static byte[] Range(ulong sector, uint sectors, uint flags) =>
        [.. BitConverter.GetBytes(sector), .. BitConverter.GetBytes(sectors), .. BitConverter.GetBytes(flags)];

    public BlkResult Run(uint type, ulong sector, ReadOnlySpan<byte> output, int inputBytes, bool indirect)
    {
        int id = Submit(type, sector, output, inputBytes, indirect);
        ring.PublishAndKick();
        while (true)
        {
            (int done, BlkResult result) = Wait();
            if (done == id)
            {
                return result;
            }
        }
    }

    /// <summary>Adds a request to the ring; publish it yourself.</summary>
    /// <param name="type">Request type.</param>
    /// <param name="sector">First sector.</param>
    /// <param name="output">What the device reads.</param>
    /// <param name="inputBytes">How much it writes, besides the status.</param>
    /// <param name="indirect">In an indirect table.</param>
    /// <param name="pieces">Into how many descriptors the data is cut.</param>
    public int Submit(uint type, ulong sector, ReadOnlySpan<byte> output, int inputBytes, bool indirect = false, int pieces = 1)
    {
        byte* header = ring.Ram.Allocate(16);
        *(uint*)header = type;
        *(ulong*)(header + 8) = sector;
        byte* data = ring.Ram.Allocate(Math.Max(1, output.Length + inputBytes), 64);
        output.CopyTo(new Span<byte>(data, output.Length));
        byte* status = ring.Ram.Allocate(1);
        *status = 255;
        var buffers = new List<RingBuffer> { new(ring.Ram.Guest(header), 16, false) };
        Cut(buffers, data, output.Length, false, pieces);
        Cut(buffers, data + output.Length, inputBytes, true, pieces);
        buffers.Add(new(ring.Ram.Guest(status), 1, true));
        int id = ring.Add(CollectionsMarshal.AsSpan(buffers), indirect);
        _pending[id] = new Pending((nuint)(data + output.Length), inputBytes, (nuint)status);
        return id;
    }

    /// <summary>Waits for any request.</summary>
    public (int Id, BlkResult Result) Wait()
    {
        (int id, uint written) = ring.WaitUsed();
        return (id, Take(id, written));
    }

    /// <summary>Takes a request that is done, if there is one.</summary>
    public bool TryTake(out int id, out BlkResult? result)
    {
        result = null;
        if (!ring.TryTakeUsed(out id, out uint written))
        {
            return false;
        }
        result = Take(id, written);
        return true;
    }

    private BlkResult Take(int id, uint written)
    {
        if (!_pending.Remove(id, out Pending pending))
        {
            throw new InvalidOperationException($"The device used {id} twice.");
        }
        return new BlkResult(*(byte*)pending.Status, written, new ReadOnlySpan<byte>((void*)pending.Data, pending.Bytes).ToArray());
    }

    private void Cut(List<RingBuffer> buffers, byte* data, int bytes, bool write, int pieces)
    {
        int piece = Math.Max(1, (bytes + pieces - 1) / pieces);
        for (int at = 0; at < bytes; at += piece)
        {
            buffers.Add(new(ring.Ram.Guest(data + at), (uint)Math.Min(piece, bytes - at), write));
        }
    }

    private readonly record struct Pending(nuint Data, int Bytes, nuint Status);
}
