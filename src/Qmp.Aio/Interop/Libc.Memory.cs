using System.Runtime.InteropServices;

namespace Qmp.Aio;

public static unsafe partial class Libc
{
#pragma warning disable CS1591 // Names of the system's own constants, documented in its manual pages.
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;
    public const int MAP_PRIVATE = 2;
    public const int MAP_ANONYMOUS = 0x20;
    public const int MAP_NORESERVE = 0x4000;
    public const int MAP_POPULATE = 0x8000;
    public const uint MFD_CLOEXEC = 1;
    public const uint MFD_ALLOW_SEALING = 2;
    public const int F_SEAL_SHRINK = 2;
    public const int F_SEAL_GROW = 4;
    public const int MADV_DONTDUMP = 16;
    public const int MADV_HUGEPAGE = 14;
#pragma warning restore CS1591

    private const int M_ARENA_MAX = -8;

    /// <summary>Maps memory: the address, or null with the negative error number in <paramref name="error"/>.</summary>
    public static void* Mmap(nuint length, int protection, int flags, int fd, long offset, out int error)
    {
        var address = mmap(null, length, protection, flags, fd, offset);
        if (address == (void*)-1)
        {
            error = -Marshal.GetLastPInvokeError();
            return null;
        }

        error = 0;
        return address;
    }

    /// <summary>Removes a mapping.</summary>
    public static int Munmap(void* address, nuint length) => Result(munmap(address, length));

    /// <summary>Advice about a mapping.</summary>
    public static int Madvise(void* address, nuint length, int advice) => Result(madvise(address, length, advice));

    /// <summary>Makes an anonymous file in memory.</summary>
    public static int MemfdCreate(string name, uint flags = MFD_CLOEXEC) => Result(memfd_create(name, flags));

    /// <summary>
    /// One heap of the C library for all threads. By default glibc makes one for each, 128 MiB of addresses that are mapped
    /// and cut to size when the thread starts; who has many threads that allocate next to nothing starts sooner without.
    /// To be called first: a thread that has a heap of its own keeps it.
    /// </summary>
    public static void ShareHeap()
    {
        try
        {
            _ = mallopt(M_ARENA_MAX, 1);
        }
        catch (EntryPointNotFoundException)
        {
            // musl: it has no other way.
        }
    }

    [LibraryImport(Library)]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport(Library, SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
