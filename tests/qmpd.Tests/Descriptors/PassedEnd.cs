using System.Net.Sockets;
using Qmp.Aio;

namespace Qmp.Daemon.Tests.Descriptors;

/// <summary>One of two connected sockets, to be passed on; the other one tells when nobody has it any more.</summary>
internal sealed class PassedEnd : IDisposable
{
    private readonly Socket _other;
    private int _fd;

    public PassedEnd()
    {
        Assert.That(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM, out _fd, out var other), Is.Zero);
        _other = new Socket(new SafeSocketHandle(other, ownsHandle: true));
    }

    /// <summary>What to pass.</summary>
    public int Fd => _fd;

    /// <summary>The other end, for those who speak.</summary>
    public Socket Other => _other;

    /// <summary>Waits until whoever got it has closed it.</summary>
    public async Task ClosedAsync()
    {
        CloseOwn();
        Assert.That(await _other.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(60)), Is.Zero);
    }

    /// <summary>Whether somebody has it, besides the test.</summary>
    public bool IsHeld()
    {
        CloseOwn();
        return !_other.Poll(0, SelectMode.SelectRead);
    }

    public void Dispose()
    {
        CloseOwn();
        _other.Dispose();
    }

    private void CloseOwn()
    {
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }
}
