namespace Qmp.Aio;

/// <summary>What simulated operations act on when their time comes. Results are bytes, 0, or a negative error number.</summary>
internal interface ISimulatedStorage
{
    /// <summary>Number of the last write.</summary>
    long Sequence { get; }

    /// <summary>Length in bytes.</summary>
    long Length { get; }

    int Read(long offset, Span<byte> target);

    int Write(long offset, ReadOnlySpan<byte> source);

    int Allocate(int mode, long offset, long length);

    /// <summary>Makes durable what had been written up to that number.</summary>
    void MakeDurable(long upToSequence, long offset, long length);
}

/// <summary>
/// A file of the system, for code above that opens files by itself: what is done is real, when and whether is simulated.
/// </summary>
internal sealed unsafe class RealFileStorage(int fd) : ISimulatedStorage
{
    public long Sequence => 0;

    public long Length => Libc.Fstat(fd, out var status) < 0 ? 0 : status.Size;

    public int Read(long offset, Span<byte> target)
    {
        fixed (byte* p = target)
        {
            return (int)Libc.Pread(fd, p, (nuint)target.Length, offset);
        }
    }

    public int Write(long offset, ReadOnlySpan<byte> source)
    {
        fixed (byte* p = source)
        {
            return (int)Libc.Pwrite(fd, p, (nuint)source.Length, offset);
        }
    }

    public int Allocate(int mode, long offset, long length) => Libc.Fallocate(fd, mode, offset, length);

    public void MakeDurable(long upToSequence, long offset, long length)
    {
        // Only simulated disks lose power.
    }
}
