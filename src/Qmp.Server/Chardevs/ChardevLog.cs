using System.Globalization;
using System.Text;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Chardevs;

/// <summary>The file that gets a copy of all that a character device is sent. Written by workers, in order. <b>Main</b>.</summary>
internal sealed class ChardevLog : IDisposable
{
    private readonly AioContext _main;
    private readonly DescriptorSets _sets;
    private readonly int _fd;
    private readonly bool _hasTimes;
    private bool _isAtStartOfLine = true;
    private Task _last = Task.CompletedTask;

    private ChardevLog(AioContext main, DescriptorSets sets, int fd, bool hasTimes)
    {
        _main = main;
        _sets = sets;
        _fd = fd;
        _hasTimes = hasTimes;
    }

    /// <summary>Opens the file; null when there is none to open.</summary>
    /// <param name="main">The main loop.</param>
    /// <param name="sets">Where files of sets of descriptors are found.</param>
    /// <param name="path">Its path; null for none.</param>
    /// <param name="appends">Whether what it holds stays.</param>
    /// <param name="hasTimes">Whether each line begins with the time.</param>
    /// <exception cref="QmpException">It cannot be opened.</exception>
    public static async ValueTask<ChardevLog?> OpenAsync(
        AioContext main, DescriptorSets sets, string? path, bool? appends, bool? hasTimes)
    {
        if (path is null)
        {
            return null;
        }

        var flags = Libc.O_WRONLY | Libc.O_CREAT | (appends == true ? Libc.O_APPEND : Libc.O_TRUNC);
        string? error = null;
        var fd = await main.RunOnWorkerAsync(() => sets.OpenAny(path, flags, 0x1b6, out error)); // 0666
        return fd >= 0
            ? new ChardevLog(main, sets, fd, hasTimes == true)
            : throw new QmpException(error ?? $"Could not create '{path}': {Errno.Describe(fd)}");
    }

    /// <summary>Adds bytes. What cannot be written is lost.</summary>
    /// <param name="bytes">The bytes, which do not change until they are written.</param>
    /// <returns>Completes when all bytes until here are written.</returns>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes) => _last = AppendAsync(_last, _hasTimes ? WithTimes(bytes.Span) : bytes);

    /// <summary>Closes the file after what is under way.</summary>
    public void Dispose() => _last = CloseAsync(_last);

    private async Task AppendAsync(Task before, ReadOnlyMemory<byte> bytes)
    {
        await before;
        await _main.RunOnWorkerAsync(() => WriteAll(bytes.Span));
    }

    private async Task CloseAsync(Task before)
    {
        await before;
        _sets.Close(_fd);
    }

    private long WriteAll(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = Libc.Write(_fd, bytes);
            if (count < 0 && count != -Errno.EINTR)
            {
                return count;
            }

            bytes = bytes[(int)Math.Max(0, count)..];
        }

        return 0;
    }

    private byte[] WithTimes(ReadOnlySpan<byte> bytes)
    {
        using var text = new MemoryStream();
        foreach (var b in bytes)
        {
            if (_isAtStartOfLine)
            {
                text.Write(Encoding.ASCII.GetBytes(
                    DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z '", CultureInfo.InvariantCulture)));
            }

            text.WriteByte(b);
            _isAtStartOfLine = b == '\n';
        }

        return text.ToArray();
    }
}
