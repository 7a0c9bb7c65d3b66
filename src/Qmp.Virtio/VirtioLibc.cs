using System.Runtime.InteropServices;

namespace Qmp.Virtio;

/// <summary>System calls that only this library needs: shared memory, descriptor passing, signals.</summary>
/// <remarks>Everything is blittable. Functions return -1 and set errno as in C; wrappers turn that into -errno.</remarks>
internal static unsafe partial class VirtioLibc
{
    public const int ProtRead = 1;
    public const int ProtWrite = 2;
    public const int ProtExec = 4;
    public const int MapShared = 1;
    public const int MapPrivate = 2;
    public const int MapAnonymous = 0x20;
    public const int MapNoReserve = 0x4000;
    public const int MadvDontDump = 16;
    public const int MsgDontWait = 0x40;
    public const int MsgNoSignal = 0x4000;
    public const int MsgCmsgCloexec = 0x40000000;
    public const int MsgCtrunc = 8;
    public const int SolSocket = 1;
    public const int ScmRights = 1;
    public const int SockNonBlock = 0x800;
    public const int SockCloexec = 0x80000;
    public const int MfdCloexec = 1;
    public const int MfdAllowSealing = 2;
    public const int FAddSeals = 1033;
    public const int FGetFl = 3;
    public const int FSetFl = 4;
    public const int ONonBlock = 0x800;
    public const int SealSeal = 1;
    public const int SealShrink = 2;
    public const int SealGrow = 4;
    public const int FileTypeMask = 0xF000;
    public const int FileTypeRegular = 0x8000;

    public static readonly byte* MapFailed = (byte*)-1;

    [LibraryImport("libc", SetLastError = true)]
    public static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc")]
    public static partial int munmap(void* address, nuint length);

    [LibraryImport("libc")]
    public static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc")]
    public static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport("libc")]
    public static partial int sigaction(int signal, void* action, void* previous);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int memfd_create(byte* name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    [LibraryImport("libc")]
    public static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc")]
    public static partial int close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int accept4(int fd, void* address, void* addressLength, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstat(int fd, FileStatus* status);

    /// <summary>errno of the last failed call, negative.</summary>
    public static int LastError => -Marshal.GetLastPInvokeError();

    /// <summary><c>struct msghdr</c>, 64-bit.</summary>
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct iovec</c>.</summary>
    public struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>The head of a control message; data follows at the next multiple of 8.</summary>
    public struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

    /// <summary><c>struct stat</c> where 64-bit Linux architectures agree: read through the accessors only.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    public struct FileStatus
    {
        private readonly ulong _device;
        private readonly ulong _inode;
        private readonly uint _word4;
        private readonly uint _word5;
        private readonly uint _word6;
        private readonly uint _word7;
        private readonly ulong _word8;
        private readonly ulong _word10;
        private readonly long _size;
        private readonly long _blockSize;

        /// <summary>File type and permission bits.</summary>
        // x86-64 has st_nlink (8 bytes) before st_mode; arm64 and riscv64 have st_mode first.
        public readonly uint Mode => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? _word6 : _word4;

        /// <summary>File size in bytes.</summary>
        public readonly long Size => _size;

        /// <summary>Preferred block size; the page size for memory files, also huge ones.</summary>
        public readonly long BlockSize => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? _blockSize : (int)_blockSize;
    }
}
