using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Sockets;

namespace Qmp.Server.Chardevs;

/// <summary>
/// The character device <c>pty</c>: a pseudo terminal. A connection begins when a program opens the other side, which
/// the kernel does not tell, so that it is looked for once a second, and ends when the last one closes it. <b>Main</b>.
/// </summary>
internal sealed class PtyChardev : Chardev
{
    private const long LookIntervalNs = 1_000_000_000;

    private readonly AioContext _main;
    private readonly int _input;
    private readonly int _output;
    private readonly OwnedPath? _link;
    private readonly AioTimer _timer;
    private ChardevConnection? _connection;
    private bool _isDisposed;

    private PtyChardev(AioContext main, int fd, string terminal, OwnedPath? link, ChardevLog? log)
        : base("pty", log)
    {
        _main = main;
        _input = fd;
        _output = Libc.Duplicate(fd);
        _link = link;
        Terminal = terminal;
        _timer = main.NewTimer(Look);
        _ = Libc.SetNonBlocking(fd, true);
    }

    /// <summary>Path of the other side.</summary>
    public string Terminal { get; }

    /// <inheritdoc/>
    public override string Description => "pty:" + Terminal;

    /// <summary>Makes the device.</summary>
    /// <exception cref="QmpException">There is no terminal to be had, or the link to it cannot be made.</exception>
    public static async ValueTask<PtyChardev> OpenAsync(AioContext main, ChardevPty options, ChardevLog? log)
    {
        var fd = Libc.OpenPseudoTerminal(out var terminal);
        if (fd < 0)
        {
            throw new QmpException($"Failed to create PTY: {Errno.Describe(fd)}");
        }

        OwnedPath? link = null;
        if (options.Path is { } path)
        {
            var result = await main.RunOnWorkerAsync(() => Libc.Symlink(terminal, path));
            if (result < 0)
            {
                _ = Libc.Close(fd);
                throw new QmpException($"Failed to create PTY symlink: {Errno.Describe(result)}");
            }

            link = OwnedPath.OfLink(path);
        }

        return new PtyChardev(main, fd, terminal, link, log);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (!_isDisposed)
        {
            _isDisposed = true;
            _timer.Dispose();
            _link?.Dispose();
            if (_connection is null)
            {
                Close();
            }
            else
            {
                _connection.Abort();
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnAttached() => Look();

    /// <inheritdoc/>
    protected override void OnDetached() => _timer.Cancel();

    private void Look()
    {
        if (_connection is not null || !IsFrontEndOpen)
        {
            return;
        }

        if ((Libc.PollNow(_input, AioEvents.In) & AioEvents.HangUp) != 0)
        {
            _timer.Arm(_main.NowNs + LookIntervalNs);
            return;
        }

        _connection = new StreamConnection(_main, _input, _output, endsWithInput: true) { Released = Released };
        Deliver(_connection);
    }

    private void Released()
    {
        _connection = null;
        if (_isDisposed)
        {
            Close();
        }
        else if (IsFrontEndOpen)
        {
            _timer.Arm(_main.NowNs + LookIntervalNs);
        }
    }

    private void Close()
    {
        _ = Libc.Close(_input);
        _ = Libc.Close(_output);
    }
}
