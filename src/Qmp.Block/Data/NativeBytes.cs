using System.Numerics;
using System.Runtime.InteropServices;

namespace Qmp.Block;

/// <summary>Loops over native memory, of any length.</summary>
internal static unsafe class NativeBytes
{
    private const int Chunk = 1 << 30;

    public static void Clear(byte* start, long length)
    {
        while (length > 0)
        {
            var part = (int)Math.Min(length, Chunk);
            new Span<byte>(start, part).Clear();
            start += part;
            length -= part;
        }
    }

    public static bool IsZero(byte* start, long length)
    {
        while (length > 0)
        {
            var part = (int)Math.Min(length, Chunk);
            if (new ReadOnlySpan<byte>(start, part).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            start += part;
            length -= part;
        }

        return true;
    }

    /// <summary>Memory aligned for O_DIRECT on any device.</summary>
    public static byte* Allocate(long length) => (byte*)NativeMemory.AlignedAlloc((nuint)length, 4096);

    public static void Free(byte* memory) => NativeMemory.AlignedFree(memory);

    public static bool IsPowerOfTwo(long value) => BitOperations.IsPow2(value);
}
