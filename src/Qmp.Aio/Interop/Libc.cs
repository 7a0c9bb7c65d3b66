using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>
/// System calls used by more than one part. Every method returns the kernel's result, or the negative error number;
/// nothing throws. <b>Any</b>. Those that may wait for a device or a peer do not belong on a loop: run them
/// through <see cref="AioContext.RunOnWorkerAsync{T}(Func{object?, T}, object?)"/>.
/// </summary>
public static partial class Libc
{
    private const string Library = "libc";

    // Errno is read by the marshalling stub right after the call, before the runtime can make calls of its own.
    private static int Result(int result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    private static long Result(long result) => result >= 0 ? result : -Marshal.GetLastPInvokeError();

    // For calls of the I/O path, imported without SetLastError: the error number is looked up only after a failure, which
    // spares a lone request 4 % of its CPU. At once, as the stub of SetLastError does too: the runtime keeps errno on the
    // way back to managed code.
    private static long HotResult(long result) => result >= 0 ? result : -Marshal.GetLastSystemError();

    /// <summary>Runs <paramref name="call"/> again while it is interrupted by a signal.</summary>
    internal static int Retry(Func<int> call)
    {
        int result;
        do
        {
            result = call();
        }
        while (result == -Errno.EINTR);
        return result;
    }
}
