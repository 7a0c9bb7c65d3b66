using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Sockets;

namespace Qmp.Server.Chardevs;

/// <summary>
/// The character device <c>pty</c>: a pseudo terminal. A connection begins when a program opens the other side, which
/// the kernel does not tell, so that it is looked for once a second, and ends when the last one closes it. <b>Main</b>.
/// </summary>
internal sealed class PtyChardev : StreamChardev
{
    private const long LookIntervalNs = 1_000_000_000;

    private readonly AioContext _main;
    private readonly int _fd;
    private readonly OwnedPath? _link;
    private readonly AioTimer _timer;

    private PtyChardev(AioContext main, int fd, int output, string terminal, OwnedPath? link, ChardevLog? log)
        : base("pty", main, fd, output, endsWithInput: true, () => StreamChardevs.Close(fd, output), log)
    {
        _main = main;
        _fd = fd;
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

        return new PtyChardev(main, fd, Libc.Duplicate(fd), terminal, link, log);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        _link?.Dispose();
        await base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void OnAttached() => Look();

    /// <inheritdoc/>
    protected override void OnDetached() => _timer.Cancel();

    /// <inheritdoc/>
    protected override void OnReleased() => _timer.Arm(_main.NowNs + LookIntervalNs);

    private void Look()
    {
        if ((Libc.PollNow(_fd, AioEvents.In) & AioEvents.HangUp) != 0)
        {
            _timer.Arm(_main.NowNs + LookIntervalNs);
        }
        else if (IsFrontEndOpen)
        {
            base.OnAttached();
        }
    }
}
