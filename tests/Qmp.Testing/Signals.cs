using System.Runtime.InteropServices;

namespace Qmp.Testing;

/// <summary>Sends signals to processes that a test has started.</summary>
public static partial class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <returns>False where the process is gone.</returns>
    public static bool Send(int pid, int signal)
    {
        // 0 and below would reach whole groups of processes.
        ArgumentOutOfRangeException.ThrowIfLessThan(pid, 2);
        return SendSignal(pid, signal) == 0;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
