using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qmp.Client;

/// <summary>Sockets of the family <c>AF_VSOCK</c> (vsock(7)), which .NET does not know.</summary>
internal static partial class VsockSocket
{
    private const int Family = 40;
    private const int StreamCloseOnExec = 1 | 0x80000;
    private const int Interrupted = 4;
    private const int Both = 2;

    /// <summary>Connects, and waits for it.</summary>
    /// <exception cref="IOException">There is nobody, or the kernel has no such sockets.</exception>
    public static unsafe SafeFileHandle Connect(uint cid, uint port)
    {
        var socket = new SafeFileHandle(VsockSocket.socket(Family, StreamCloseOnExec, 0), ownsHandle: true);
        var address = new Address { Family = Family, Port = port, Cid = cid };
        while (socket.IsInvalid || connect(socket, &address, (uint)sizeof(Address)) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (socket.IsInvalid || error != Interrupted)
            {
                socket.Dispose();
                throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
        }

        return socket;
    }

    /// <summary>Ends both directions of a connection: who waits for bytes gets the end.</summary>
    public static void Shutdown(SafeFileHandle socket) => _ = shutdown(socket, Both);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int connect(SafeFileHandle socket, Address* address, uint length);

    [LibraryImport("libc")]
    private static partial int shutdown(SafeFileHandle socket, int how);

    // struct sockaddr_vm
    [StructLayout(LayoutKind.Sequential)]
    private struct Address
    {
        public ushort Family;
        public ushort Reserved;
        public uint Port;
        public uint Cid;
        public uint Zero;
    }
}
