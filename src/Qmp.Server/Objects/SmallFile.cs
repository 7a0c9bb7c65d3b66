using System.Security.Cryptography;
using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>Files that objects read as a whole: secrets, keys, certificates, access lists.</summary>
internal static unsafe class SmallFile
{
    /// <summary>Most bytes of such a file.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>Reads a file on a worker. <b>Loop</b>.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="QmpException">It cannot be read, or is longer than <see cref="BytesMax"/>.</exception>
    public static ValueTask<byte[]> ReadAsync(string path) => AioContext.Current!.RunOnWorkerAsync(() => Read(path));

    /// <summary>Reads a file; blocks.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static byte[] Read(string path)
    {
        var fd = Libc.Open(path, Libc.O_RDONLY);
        if (fd < 0)
        {
            throw new QmpException($"Failed to open file \u201C{path}\u201D: {Errno.Describe(fd)}");
        }

        var bytes = new byte[BytesMax + 1];
        var length = 0;
        try
        {
            while (length < bytes.Length)
            {
                long count;
                fixed (byte* rest = &bytes[length])
                {
                    count = Libc.Read(fd, rest, (nuint)(bytes.Length - length));
                }

                if (count == 0)
                {
                    return bytes[..length];
                }

                if (count < 0 && count != -Errno.EINTR)
                {
                    throw new QmpException($"Error reading file \u201C{path}\u201D: {Errno.Describe((int)count)}");
                }

                length += (int)Math.Max(0, count);
            }

            throw new QmpException($"File \u201C{path}\u201D is longer than {BytesMax} bytes");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            _ = Libc.Close(fd);
        }
    }
}
