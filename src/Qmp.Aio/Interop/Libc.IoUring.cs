using System.Runtime.InteropServices;

namespace Qmp.Aio;

public static unsafe partial class Libc
{
    // The same on all architectures that have io_uring.
    private const nint IoUringSetupNumber = 425;
    private const nint IoUringEnterNumber = 426;
    private const nint IoUringRegisterNumber = 427;

    internal static int IoUringSetup(uint entries, void* parameters)
        => (int)HotResult((long)syscall(IoUringSetupNumber, (nint)entries, (nint)parameters, 0, 0, 0, 0));

    // May sleep: never suppress the GC transition of this call, or a sleeping loop stops every collection.
    internal static int IoUringEnter(int fd, uint toSubmit, uint minComplete, uint flags, void* argument, nuint argumentSize)
        => (int)HotResult((long)syscall(
            IoUringEnterNumber, fd, (nint)toSubmit, (nint)minComplete, (nint)flags, (nint)argument, (nint)argumentSize));

    internal static int IoUringRegister(int fd, uint opcode, void* argument, uint count)
        => (int)HotResult((long)syscall(IoUringRegisterNumber, fd, (nint)opcode, (nint)argument, (nint)count, 0, 0));

    [LibraryImport(Library)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}
