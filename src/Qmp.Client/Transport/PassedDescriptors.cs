using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qmp.Client;

/// <summary>Passes open descriptors over a Unix socket (<c>SCM_RIGHTS</c>, cmsg(3)).</summary>
internal static partial class PassedDescriptors
{
    /// <summary>How many go along with one message.</summary>
    public const int MaxCount = 16;

    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int NoSignal = 0x4000;
    private const int HeaderSize = 16;
    private const int TryAgain = 11;
    private const int Interrupted = 4;

    /// <summary>Sends one byte with descriptors. Waits on a worker where the socket is full.</summary>
    /// <exception cref="SocketException">It cannot be sent.</exception>
    public static async ValueTask SendAsync(Socket socket, byte first, IReadOnlyList<SafeHandle> descriptors)
    {
        int error;
        while ((error = TrySend(socket, first, descriptors)) is TryAgain or Interrupted)
        {
            await Task.Run(() => socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectWrite)).ConfigureAwait(false);
        }

        if (error != 0)
        {
            throw new IOException($"descriptors cannot be passed: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    // Zero, or errno.
    private static unsafe int TrySend(Socket socket, byte first, IReadOnlyList<SafeHandle> descriptors)
    {
        var size = HeaderSize + (descriptors.Count * sizeof(int));
        var control = stackalloc byte[HeaderSize + (MaxCount * sizeof(int))];
        *(nuint*)control = (nuint)size;
        *(int*)(control + 8) = SolSocket;
        *(int*)(control + 12) = ScmRights;
        var held = 0;
        try
        {
            for (; held < descriptors.Count; held++)
            {
                var added = false;
                descriptors[held].DangerousAddRef(ref added);
                *(int*)(control + HeaderSize + (held * sizeof(int))) = (int)descriptors[held].DangerousGetHandle();
            }

            var vector = new IoVector { Base = &first, Length = 1 };
            var message = new MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)((size + 7) & ~7),
            };
            return sendmsg(socket.SafeHandle, &message, NoSignal) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        finally
        {
            while (held > 0)
            {
                descriptors[--held].DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint sendmsg(SafeHandle socket, MessageHeader* message, int flags);

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
