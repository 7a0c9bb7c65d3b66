using Qmp.Aio;

namespace Qmp.Testing.VhostUser;

/// <summary>
/// A guest's memory in a memfd: what the front end maps and the back end is told of, as one region or several with
/// gaps between them in the guest's address space.
/// </summary>
public sealed unsafe class GuestRam : IDisposable
{
    /// <summary>Guest address of the first region.</summary>
    public const ulong FirstAddress = 0x4000_0000;

    /// <summary>Distance between two regions beyond their size; 0 makes them adjacent.</summary>
    private readonly ulong _gap;

    private ulong _next;

    public GuestRam(int regionBytes = 8 << 20, int regions = 1, ulong gap = 0x4000_0000, bool sealable = false)
    {
        RegionBytes = (ulong)regionBytes;
        Regions = regions;
        _gap = gap;
        Fd = Check(Libc.MemfdCreate("guest-ram", Libc.MFD_CLOEXEC | (sealable ? Libc.MFD_ALLOW_SEALING : 0)));
        Check(Libc.Ftruncate(Fd, (long)Bytes));
        Base = (byte*)Libc.Mmap((nuint)Bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, Fd, 0, out int error);
        Check(error);
    }

    public int Fd { get; }

    public byte* Base { get; }

    public int Regions { get; }

    public ulong RegionBytes { get; }

    public ulong Bytes => RegionBytes * (ulong)Regions;

    /// <summary>The region with a number, as SET_MEM_TABLE describes it.</summary>
    public (ulong Guest, ulong Size, ulong User, ulong Offset) Region(int index)
    {
        ulong offset = (ulong)index * RegionBytes;
        return (FirstAddress + (ulong)index * (RegionBytes + _gap), RegionBytes, (ulong)Base + offset, offset);
    }

    /// <summary>Guest physical address of a place in this memory.</summary>
    public ulong Guest(void* pointer)
    {
        ulong offset = (ulong)((byte*)pointer - Base);
        return FirstAddress + offset + offset / RegionBytes * _gap;
    }

    /// <summary>Takes zeroed memory, never to be given back; inside one region.</summary>
    public byte* Allocate(int bytes, int alignment = 16)
    {
        ulong at = (_next + (ulong)alignment - 1) & ~((ulong)alignment - 1);
        if (at / RegionBytes != (at + (ulong)bytes - 1) / RegionBytes)
        {
            at = (at / RegionBytes + 1) * RegionBytes;
        }
        if (at + (ulong)bytes > Bytes)
        {
            throw new InvalidOperationException("The guest's memory is full.");
        }
        _next = at + (ulong)bytes;
        new Span<byte>(Base + at, bytes).Clear();
        return Base + at;
    }

    public void Dispose()
    {
        _ = Libc.Munmap(Base, (nuint)Bytes);
        _ = Libc.Close(Fd);
    }

    internal static int Check(int result) =>
        result >= 0 ? result : throw new IOException(Errno.Describe(result));
}
