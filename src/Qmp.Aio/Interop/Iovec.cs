using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>One segment of a scatter list, laid out as the kernel's <c>struct iovec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Iovec
{
    /// <summary>First byte. The memory must stay where it is until the request completes.</summary>
    public byte* Base;

    /// <summary>Length in bytes.</summary>
    public nuint Length;

    /// <summary>Makes a segment.</summary>
    public Iovec(byte* @base, nuint length)
    {
        Base = @base;
        Length = length;
    }
}
