using System.Globalization;
using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Descriptors;

/// <summary>The descriptors that the daemon was started with, by number: what the command line speaks of. <b>Any</b>.</summary>
internal sealed class InheritedDescriptors : ISocketDescriptors
{
    private InheritedDescriptors()
    {
    }

    /// <summary>The only one.</summary>
    public static InheritedDescriptors Instance { get; } = new();

    /// <inheritdoc/>
    public int Take(string text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fd))
        {
            throw new QmpException($"Unable to parse FD number {text}");
        }

        CheckSocket(fd, text);
        _ = Libc.Fcntl(fd, Libc.F_SETFD, Libc.FD_CLOEXEC);
        return fd;
    }

    /// <summary>Checks that a descriptor is a socket.</summary>
    /// <exception cref="QmpException">It is not.</exception>
    public static void CheckSocket(int fd, string text)
    {
        if (Libc.Fstat(fd, out var status) < 0 || !status.IsSocket)
        {
            throw new QmpException($"File descriptor '{text}' is not a socket");
        }
    }
}
