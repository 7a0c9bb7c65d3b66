using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Qmp.Client;

/// <summary>Where a server is. A text is one too: see <see cref="Parse"/>. Immutable.</summary>
public abstract class QmpEndpoint
{
    private protected QmpEndpoint()
    {
    }

    /// <summary>Whether one can connect to it again: not to what was open already.</summary>
    public virtual bool CanReconnect => true;

    /// <summary>A Unix socket at a path.</summary>
    /// <param name="path">The path; one that begins with a zero byte is a name in the abstract namespace.</param>
    public static QmpEndpoint Unix(string path) => new SocketEndpoint("unix:" + path.Replace('\0', '@'), new UnixDomainSocketEndPoint(path));

    /// <summary>A TCP port.</summary>
    /// <param name="host">Name or address.</param>
    /// <param name="port">The port.</param>
    public static QmpEndpoint Tcp(string host, int port) => new SocketEndpoint(
        $"tcp:{host}:{port}", IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port));

    /// <summary>A port of another machine on this host, or of this host from inside one (<c>AF_VSOCK</c>, vsock(7)).</summary>
    /// <param name="cid">The machine: 2 is the host, 1 this machine itself, where the kernel has that.</param>
    /// <param name="port">The port.</param>
    public static QmpEndpoint Vsock(uint cid, uint port) => new VsockEndpoint(cid, port);

    /// <summary>An open descriptor of this process, a connected socket or a character device; the client closes it.</summary>
    /// <param name="descriptor">Its number.</param>
    public static QmpEndpoint Descriptor(int descriptor) => new DescriptorEndpoint(descriptor);

    /// <summary>An open stream; the client closes it.</summary>
    /// <param name="stream">The stream, for both directions.</param>
    public static QmpEndpoint Stream(Stream stream) => new StreamEndpoint(stream);

    /// <summary>A pair of pipes, for instance of a server in the same process; the client completes them.</summary>
    /// <param name="pipe">What the server writes, and what it reads.</param>
    public static QmpEndpoint Pipe(IDuplexPipe pipe) => new PipeEndpoint(pipe);

    /// <summary>
    /// Reads a text: <c>unix:PATH</c> or anything with a slash is a path, <c>abstract:NAME</c> a name in the abstract
    /// namespace, <c>tcp:HOST:PORT</c> a port (an IPv6 address stands in brackets), <c>vsock:CID:PORT</c> a port of another
    /// machine on this host, <c>fd:NUMBER</c> an open descriptor.
    /// Any other text is a path.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <returns>What it means.</returns>
    /// <exception cref="FormatException">It means nothing.</exception>
    public static QmpEndpoint Parse(string text)
    {
        if (text.Length == 0)
        {
            throw new FormatException("an empty text is no endpoint");
        }

        if (text.StartsWith("tcp:", StringComparison.Ordinal))
        {
            var colon = text.LastIndexOf(':');
            return colon > 4 && ushort.TryParse(text.AsSpan(colon + 1), out var port) && port > 0
                ? Tcp(text[4..colon].Trim('[', ']'), port)
                : throw new FormatException($"'{text}' is not tcp:HOST:PORT");
        }

        if (text.StartsWith("vsock:", StringComparison.Ordinal))
        {
            var colon = text.LastIndexOf(':');
            return colon > 6 && uint.TryParse(text.AsSpan(6, colon - 6), NumberStyles.None, CultureInfo.InvariantCulture, out var cid)
                && uint.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                    ? Vsock(cid, port)
                    : throw new FormatException($"'{text}' is not vsock:CID:PORT");
        }

        if (text.StartsWith("fd:", StringComparison.Ordinal))
        {
            return int.TryParse(text.AsSpan(3), out var descriptor) && descriptor >= 0
                ? Descriptor(descriptor)
                : throw new FormatException($"'{text}' is not fd:NUMBER");
        }

        if (text.StartsWith("abstract:", StringComparison.Ordinal))
        {
            return Unix("\0" + text[9..]);
        }

        return Unix(text.StartsWith("unix:", StringComparison.Ordinal) ? text[5..] : text);
    }

    /// <summary>Reads a text as <see cref="Parse"/> does.</summary>
    /// <param name="text">The text.</param>
    public static implicit operator QmpEndpoint(string text) => Parse(text);

    /// <summary>Opens the way there.</summary>
    internal abstract ValueTask<ClientTransport> OpenAsync(CancellationToken cancellationToken);
}
