using System.Runtime.InteropServices;

namespace Qmp.Virtio;

/// <summary>System calls that only the guard of guest memory needs. Blittable; -1 for failure.</summary>
internal static unsafe partial class VirtioLibc
{
    public const int ProtExec = 4;

    [LibraryImport("libc")]
    public static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc")]
    public static partial int sigaction(int signal, void* action, void* previous);
}
