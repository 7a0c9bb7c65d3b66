namespace Qmp.Schema;

/// <summary>
/// The order in which QEMU prints the members of an object: that of a hash table of 512 buckets. For types of the
/// schema it is known when code is generated; free-form objects are sorted here.
/// </summary>
#if NETSTANDARD2_0
internal // within the generator
#else
public
#endif
static class QapiNameOrder
{
    private const int Buckets = 512;

    /// <summary>The bucket of a name, 0 to 511.</summary>
    /// <param name="name">The name, UTF-8.</param>
    /// <returns>The bucket.</returns>
    public static int Bucket(ReadOnlySpan<byte> name)
    {
        unchecked
        {
            var sum = 0x238F13AFu * (uint)name.Length;
            for (var i = 0; i < name.Length; i++)
            {
                sum += (uint)name[i] << (i * 5 % 24);
            }

            return (int)(((1103515243u * sum) + 12345u) % Buckets);
        }
    }

    /// <summary>Positions in output order: by bucket, and within a bucket the latest first.</summary>
    /// <param name="count">Number of members.</param>
    /// <param name="nameOf">Name of the member at a position.</param>
    /// <returns>The positions.</returns>
    public static int[] Sort(int count, Func<int, byte[]> nameOf)
    {
        var keys = new long[count];
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            keys[i] = ((long)Bucket(nameOf(i)) << 32) | (uint)(int.MaxValue - i);
            order[i] = i;
        }

        Array.Sort(keys, order);
        return order;
    }
}
