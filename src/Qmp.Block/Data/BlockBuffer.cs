using System.Runtime.CompilerServices;
using Qmp.Aio;

namespace Qmp.Block;

/// <summary>A scatter list that can be passed to asynchronous methods. Does not own the memory.</summary>
public readonly unsafe struct BlockBuffer
{
    private readonly Iovec* _segments;

    /// <summary>Wraps a list, which must stay valid until the operation is over.</summary>
    public BlockBuffer(Iovec* segments, int count)
    {
        _segments = segments;
        Count = count;
    }

    /// <summary>The list.</summary>
    public Iovec* Segments => _segments;

    /// <summary>Number of segments.</summary>
    public int Count { get; }

    /// <summary>Copies <paramref name="length"/> bytes at <paramref name="start"/> of the list to <paramref name="destination"/>.</summary>
    public void CopyTo(long start, byte* destination, long length)
    {
        for (var i = 0; i < Count && length > 0; i++)
        {
            var size = (long)_segments[i].Length;
            if (start >= size)
            {
                start -= size;
                continue;
            }

            var part = Math.Min(size - start, length);
            Buffer.MemoryCopy(_segments[i].Base + start, destination, part, part);
            destination += part;
            length -= part;
            start = 0;
        }
    }

    /// <summary>Copies <paramref name="length"/> bytes from <paramref name="source"/> to <paramref name="start"/> of the list.</summary>
    public void CopyFrom(long start, byte* source, long length)
    {
        for (var i = 0; i < Count && length > 0; i++)
        {
            var size = (long)_segments[i].Length;
            if (start >= size)
            {
                start -= size;
                continue;
            }

            var part = Math.Min(size - start, length);
            Buffer.MemoryCopy(source, _segments[i].Base + start, part, part);
            source += part;
            length -= part;
            start = 0;
        }
    }

    /// <summary>Sets <paramref name="length"/> bytes at <paramref name="start"/> of the list to zero.</summary>
    public void Zero(long start, long length)
    {
        for (var i = 0; i < Count && length > 0; i++)
        {
            var size = (long)_segments[i].Length;
            if (start >= size)
            {
                start -= size;
                continue;
            }

            var part = Math.Min(size - start, length);
            NativeBytes.Clear(_segments[i].Base + start, part);
            length -= part;
            start = 0;
        }
    }

    /// <summary>Whether all bytes are zero.</summary>
    public bool IsZero()
    {
        for (var i = 0; i < Count; i++)
        {
            if (!NativeBytes.IsZero(_segments[i].Base, (long)_segments[i].Length))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether every segment starts and ends at a multiple of <paramref name="alignment"/> (a power of two).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAligned(int alignment)
    {
        nuint bits = 0;
        for (var i = 0; i < Count; i++)
        {
            bits |= (nuint)_segments[i].Base | _segments[i].Length;
        }

        return (bits & (nuint)(alignment - 1)) == 0;
    }

    /// <summary>
    /// Writes the list without its first <paramref name="skip"/> bytes to <paramref name="destination"/> (room for
    /// <see cref="Count"/> segments), limited to <paramref name="length"/> bytes; the number of segments.
    /// </summary>
    public int Slice(long skip, long length, Iovec* destination)
    {
        var count = 0;
        for (var i = 0; i < Count && length > 0; i++)
        {
            var size = (long)_segments[i].Length;
            if (skip >= size)
            {
                skip -= size;
                continue;
            }

            var part = Math.Min(size - skip, length);
            destination[count++] = new Iovec(_segments[i].Base + skip, (nuint)part);
            length -= part;
            skip = 0;
        }

        return count;
    }
}
