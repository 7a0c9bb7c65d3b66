using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Virtio.Memory;

/// <summary>
/// Keeps the daemon alive when shared memory vanishes under it: a front end may truncate the file behind a mapping,
/// and the next access by this CPU is then a SIGBUS, which would end the process and with it every other disk.
/// </summary>
/// <remarks>
/// <para>
/// A signal handler cannot be managed code: the interrupted thread is itself in the middle of managed code. So the
/// handler is a few dozen bytes of machine code (listed below) that need no runtime. It looks the faulting address up
/// in a table of guarded ranges; on a hit it puts private zero pages over the whole range, counts the fault, and
/// returns, upon which the interrupted instruction runs again and succeeds. What is not ours goes on to the handler
/// that was installed before (the runtime's). The owner of the mapping notices the mark and ends the connection.
/// </para>
/// <para>
/// Accesses by the kernel (the data of every request) never raise the signal: they fail with EFAULT.
/// Residual: this exists for x86-64 only. On other processors a front end that truncates its unsealed memory can
/// still end the process, as it can with other back ends.
/// </para>
/// <para>Any thread may register and unregister ranges; a lock serializes them, the handler reads without it.</para>
/// </remarks>
internal static unsafe class GuestFaultGuard
{
    /// <summary>Ranges that can be guarded at once, in the whole process. Beyond it, mappings are refused.</summary>
    public const int MaxRanges = 4096;

    private const int HeaderBytes = 64;
    private const int EntryBytes = 32;
    private const int SigBus = 7;
    private const int SaSigInfo = 4;
    private const int SaOnStack = 0x08000000;
    private const int SaRestart = 0x10000000;

    private static readonly Lock Gate = new();

    // Header: [0] faults so far, [8] previous handler, [16] entries in use (high-water mark).
    // Entry: [0] start, [8] end (both 0: free), [16] faults.
    private static byte* s_table;
    private static bool s_armed;

    /// <summary>Number of faults caught since the start of the process: one load, cheap enough for every batch.</summary>
    public static ulong FaultCount => s_table == null ? 0 : Volatile.Read(ref *(ulong*)s_table);

    /// <summary>True when vanishing memory is survived on this machine.</summary>
    public static bool IsSupported => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Guards a mapping. Any thread.</summary>
    /// <returns>A handle for <see cref="Unregister"/> and <see cref="HasVanished"/>; -1 when the table is full.</returns>
    public static int Register(byte* start, nuint length)
    {
        lock (Gate)
        {
            Arm();
            for (int i = 0; i < MaxRanges; i++)
            {
                ulong* entry = Entry(i);
                if (entry[0] == 0 && entry[1] == 0)
                {
                    entry[2] = 0;
                    // The end is written last: until then the range is empty and the handler passes over it.
                    Volatile.Write(ref entry[0], (ulong)start);
                    Volatile.Write(ref entry[1], (ulong)start + length);
                    ulong* used = (ulong*)(s_table + 16);
                    if (*used < (ulong)(i + 1))
                    {
                        Volatile.Write(ref *used, (ulong)(i + 1));
                    }
                    return i;
                }
            }
            return -1;
        }
    }

    /// <summary>Ends the guard of a mapping that is about to be unmapped. Any thread.</summary>
    public static void Unregister(int handle)
    {
        lock (Gate)
        {
            ulong* entry = Entry(handle);
            Volatile.Write(ref entry[1], 0);
            Volatile.Write(ref entry[0], 0);
        }
    }

    /// <summary>True when memory of this range has gone and was replaced by private zero pages. Any thread.</summary>
    public static bool HasVanished(int handle) => Volatile.Read(ref Entry(handle)[2]) != 0;

    private static ulong* Entry(int index) => (ulong*)(s_table + HeaderBytes + index * EntryBytes);

    private static void Arm()
    {
        if (s_armed)
        {
            return;
        }
        s_table = (byte*)NativeMemory.AlignedAlloc(HeaderBytes + MaxRanges * EntryBytes, 64);
        NativeMemory.Clear(s_table, HeaderBytes + MaxRanges * EntryBytes);
        s_armed = true;
        if (!IsSupported)
        {
            return;
        }

        // SysV: edi = signal, rsi = siginfo, rdx = context. Clobbers only what a C function may.
        ReadOnlySpan<byte> code =
        [
            0x48, 0x8B, 0x46, 0x10,                         //     mov   rax, [rsi+16]      ; si_addr
            0x49, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0,             //     mov   r8, table
            0x49, 0x8B, 0x48, 0x10,                         //     mov   rcx, [r8+16]       ; entries in use
            0x4D, 0x8D, 0x48, 0x40,                         //     lea   r9, [r8+64]        ; first entry
            0x48, 0x85, 0xC9,                               // L1: test  rcx, rcx
            0x74, 0x14,                                     //     jz    chain
            0x49, 0x3B, 0x01,                               //     cmp   rax, [r9]
            0x72, 0x06,                                     //     jb    next
            0x49, 0x3B, 0x41, 0x08,                         //     cmp   rax, [r9+8]
            0x72, 0x0D,                                     //     jb    hit
            0x49, 0x83, 0xC1, 0x20,                         // next: add r9, 32
            0x48, 0xFF, 0xC9,                               //     dec   rcx
            0xEB, 0xE7,                                     //     jmp   L1
            0x41, 0xFF, 0x60, 0x08,                         // chain: jmp [r8+8]
            0x49, 0xFF, 0x00,                               // hit: inc  qword [r8]         ; faults of all
            0x49, 0xFF, 0x41, 0x10,                         //     inc   qword [r9+16]      ; faults of this range
            0x57, 0x56, 0x52, 0x41, 0x50,                   //     push  rdi, rsi, rdx, r8  ; for the chain
            0x49, 0x8B, 0x39,                               //     mov   rdi, [r9]          ; start
            0x49, 0x8B, 0x71, 0x08,                         //     mov   rsi, [r9+8]
            0x48, 0x29, 0xFE,                               //     sub   rsi, rdi           ; length
            0xBA, 0x03, 0x00, 0x00, 0x00,                   //     mov   edx, PROT_READ|PROT_WRITE
            0x41, 0xBA, 0x32, 0x40, 0x00, 0x00,             //     mov   r10d, MAP_PRIVATE|FIXED|ANONYMOUS|NORESERVE
            0x49, 0xC7, 0xC0, 0xFF, 0xFF, 0xFF, 0xFF,       //     mov   r8, -1
            0x4D, 0x31, 0xC9,                               //     xor   r9, r9
            0xB8, 0x09, 0x00, 0x00, 0x00,                   //     mov   eax, SYS_mmap
            0x0F, 0x05,                                     //     syscall
            0x41, 0x58, 0x5A, 0x5E, 0x5F,                   //     pop   r8, rdx, rsi, rdi
            0x48, 0x3D, 0x00, 0xF0, 0xFF, 0xFF,             //     cmp   rax, -4096
            0x77, 0xBD,                                     //     ja    chain              ; mmap failed
            0xC3,                                           //     ret
        ];

        const nuint PageBytes = 4096;
        byte* page = (byte*)Libc.Mmap(PageBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0, out _);
        if (page == null)
        {
            return;
        }
        code.CopyTo(new Span<byte>(page, code.Length));
        *(ulong*)(page + 6) = (ulong)s_table;
        if (VirtioLibc.mprotect(page, PageBytes, Libc.PROT_READ | VirtioLibc.ProtExec) != 0)
        {
            return;
        }

        // struct sigaction of glibc and musl on x86-64: handler, 128-byte mask, flags, restorer (filled in by libc).
        byte* previous = stackalloc byte[SigActionBytes];
        byte* action = stackalloc byte[SigActionBytes];
        new Span<byte>(previous, SigActionBytes).Clear();
        new Span<byte>(action, SigActionBytes).Clear();
        if (VirtioLibc.sigaction(SigBus, null, previous) != 0)
        {
            return;
        }
        // Installed only if the previous handler is a function of three arguments, which the runtime's is;
        // "default" and "ignore" are numbers that cannot be jumped to.
        ulong handler = *(ulong*)previous;
        int flags = *(int*)(previous + 136);
        if (handler <= 1 || (flags & SaSigInfo) == 0)
        {
            return;
        }
        *(ulong*)(s_table + 8) = handler;
        *(ulong*)action = (ulong)page;
        *(int*)(action + 136) = SaSigInfo | SaOnStack | SaRestart;
        _ = VirtioLibc.sigaction(SigBus, action, null);
    }

    private const int SigActionBytes = 152;
}
