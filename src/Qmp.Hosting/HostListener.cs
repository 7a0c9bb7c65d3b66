using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qmp.Hosting;

/// <summary>A listening socket. A Unix socket has the mode 0600, replaces what a dead server left, and goes with the server.</summary>
internal sealed partial class HostListener : IDisposable
{
    private const int Backlog = 128;
    private const int OwnerOnly = 0x180; // 0600

    private readonly Socket _socket;
    private readonly string? _path;

    public HostListener(EndPoint address)
    {
        _path = address is UnixDomainSocketEndPoint unix && unix.ToString() is { } path && !path.StartsWith('@') ? Path.GetFullPath(path) : null;
        _socket = address is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (_path is not null)
            {
                // Before the bind, so that nobody can be faster.
                _ = fchmod(_socket.SafeHandle, OwnerOnly);
                RemoveDead(address, _path);
            }

            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public EndPoint Address => _socket.LocalEndPoint!;

    public async Task AcceptAsync(Action<Socket> accepted, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                accepted(await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, or a client that left at once: the next may do better.
                await Task.Delay(10, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    // A socket on which nobody listens. Sockets cannot be opened, other files can.
    private static void RemoveDead(EndPoint address, string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            try
            {
                File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite).Dispose();
            }
            catch (IOException)
            {
                File.Delete(path);
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(SafeHandle descriptor, uint mode);
}
