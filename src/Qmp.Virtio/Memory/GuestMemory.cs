using System.Runtime.CompilerServices;
using Qmp.Aio;

namespace Qmp.Virtio.Memory;

/// <summary>
/// The guest's memory as the front end described it: regions mapped from passed descriptors, and the one place where
/// an address from the guest or the front end becomes a pointer. Nothing outside a region ever does.
/// </summary>
/// <remarks>Loop: one connection's memory is touched on its disk's loop only.</remarks>
internal sealed unsafe class GuestMemory : IDisposable
{
    /// <summary>Regions of one connection; what is announced by GET_MAX_MEM_SLOTS. One more is refused.</summary>
    public const int MaxRegions = 509;

    // Sorted by guest address, never overlapping.
    private Region[] _regions = [];
    private Region _last;

    /// <summary>Number of regions.</summary>
    public int Count => _regions.Length;

    /// <summary>True when a region was truncated by its owner and its contents are lost to us.</summary>
    public bool HasVanished
    {
        get
        {
            foreach (Region region in _regions)
            {
                if (region.Mapping.HasVanished)
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>Maps one more region.</summary>
    /// <param name="guestAddress">Guest physical address of its first byte.</param>
    /// <param name="size">Length in bytes, not 0.</param>
    /// <param name="userAddress">Address of its first byte in the front end's own address space (rings use it).</param>
    /// <param name="offset">Offset of its first byte in the file.</param>
    /// <param name="fd">The file; stays the caller's.</param>
    /// <returns>0 or -errno: -EINVAL for a range that overlaps, wraps or lies outside the file; -ENOSPC when full.</returns>
    public int Add(ulong guestAddress, ulong size, ulong userAddress, ulong offset, int fd)
    {
        if (size == 0 || guestAddress + size < guestAddress || userAddress + size < userAddress)
        {
            return -Errno.EINVAL;
        }
        if (_regions.Length == MaxRegions)
        {
            return -Errno.ENOSPC;
        }
        int at = 0;
        foreach (Region region in _regions)
        {
            if (guestAddress < region.GuestAddress + region.Size && region.GuestAddress < guestAddress + size)
            {
                return -Errno.EINVAL;
            }
            if (region.GuestAddress < guestAddress)
            {
                at++;
            }
        }

        int result = SharedMapping.TryMap(fd, offset, size, out SharedMapping? mapping);
        if (result != 0)
        {
            return result;
        }
        var regions = new Region[_regions.Length + 1];
        Array.Copy(_regions, regions, at);
        regions[at] = new Region(guestAddress, size, userAddress, mapping!);
        Array.Copy(_regions, at, regions, at + 1, _regions.Length - at);
        _regions = regions;
        return 0;
    }

    /// <summary>True when there is a region with exactly these addresses and this size.</summary>
    public bool Contains(ulong guestAddress, ulong size, ulong userAddress) => Find(guestAddress, size, userAddress) >= 0;

    /// <summary>Unmaps the region with exactly these addresses and this size; nothing may be using it.</summary>
    /// <returns>0, or -EINVAL when there is none.</returns>
    public int Remove(ulong guestAddress, ulong size, ulong userAddress)
    {
        int at = Find(guestAddress, size, userAddress);
        if (at < 0)
        {
            return -Errno.EINVAL;
        }
        Region removed = _regions[at];
        var regions = new Region[_regions.Length - 1];
        Array.Copy(_regions, regions, at);
        Array.Copy(_regions, at + 1, regions, at, regions.Length - at);
        _regions = regions;
        _last = default;
        removed.Mapping.Dispose();
        return 0;
    }

    /// <summary>Unmaps every region, to make room for a new table; nothing may be using them.</summary>
    public void Clear()
    {
        foreach (Region region in _regions)
        {
            region.Mapping.Dispose();
        }
        _regions = [];
        _last = default;
    }

    /// <summary>Translates a guest physical address.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="length">Bytes wanted, not 0.</param>
    /// <param name="host">Where they are.</param>
    /// <returns>
    /// How many of the bytes lie there in one piece: less than <paramref name="length"/> when the range goes on in the
    /// next region (or nowhere), 0 when the address is not the guest's.
    /// </returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Translate(ulong address, uint length, out byte* host)
    {
        ulong inside = address - _last.GuestAddress;
        if (inside < _last.Size && length <= _last.Size - inside)
        {
            host = _last.Host + inside;
            return length;
        }
        return TranslateSlow(address, length, out host);
    }

    /// <summary>Translates a whole range of the front end's addresses, as SET_VRING_ADDR uses them.</summary>
    /// <returns>The pointer, or null when the range is not inside one region.</returns>
    public byte* TranslateUser(ulong address, ulong length)
    {
        foreach (Region region in _regions)
        {
            ulong inside = address - region.UserAddress;
            if (inside < region.Size && length <= region.Size - inside)
            {
                return region.Host + inside;
            }
        }
        return null;
    }

    /// <summary>Unmaps everything; nothing may be using it.</summary>
    public void Dispose() => Clear();

    private uint TranslateSlow(ulong address, uint length, out byte* host)
    {
        int low = 0;
        int high = _regions.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            ref readonly Region region = ref _regions[middle];
            if (address < region.GuestAddress)
            {
                high = middle - 1;
            }
            else if (address - region.GuestAddress >= region.Size)
            {
                low = middle + 1;
            }
            else
            {
                ulong inside = address - region.GuestAddress;
                host = region.Host + inside;
                _last = region;
                return (uint)Math.Min(length, region.Size - inside);
            }
        }
        host = null;
        return 0;
    }

    private int Find(ulong guestAddress, ulong size, ulong userAddress)
    {
        for (int i = 0; i < _regions.Length; i++)
        {
            Region region = _regions[i];
            if (region.GuestAddress == guestAddress && region.Size == size && region.UserAddress == userAddress)
            {
                return i;
            }
        }
        return -1;
    }

    private readonly struct Region(ulong guestAddress, ulong size, ulong userAddress, SharedMapping mapping)
    {
        public readonly ulong GuestAddress = guestAddress;
        public readonly ulong Size = size;
        public readonly ulong UserAddress = userAddress;
        public readonly byte* Host = mapping.Start;
        public readonly SharedMapping Mapping = mapping;
    }
}
