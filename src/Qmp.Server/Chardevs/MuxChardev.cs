using System.Buffers;
using Qmp.Aio;
using Qmp.Protocol;

namespace Qmp.Server.Chardevs;

/// <summary>
/// The character device <c>mux</c>: several users share another device. All of them write; what is typed goes to the
/// one in focus, until Ctrl-A and a letter after it say otherwise. <b>Main</b>.
/// </summary>
internal sealed class MuxChardev : Chardev
{
    private const int MaxPorts = 4;
    private const byte Escape = 1; // Ctrl-A

    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    private static readonly byte[] s_help =
        "\n\rC-a h    this help\n\rC-a x    end the daemon\n\rC-a b    send a break\n\rC-a c    next user\n\rC-a C-a  C-a itself\n\r"u8.ToArray();

    private readonly Chardev _base;
    private readonly IChardevPort _basePort;
    private readonly Action _requestStop;
    private readonly List<MuxPort> _ports = [];
    private ChardevConnection? _connection;
    private MuxPort? _focus;
    private Task _last = Task.CompletedTask;

    // Set when nothing is written any more, completed when the connection is over.
    private TaskCompletionSource? _ended;
    private bool _isAttached;
    private bool _isEscaped;

    /// <summary>Takes a device over.</summary>
    /// <param name="shared">The device.</param>
    /// <param name="requestStop">Asks for the end of the daemon.</param>
    /// <param name="log">The file that gets a copy of what is sent.</param>
    /// <exception cref="QmpException">The device has a user.</exception>
    public MuxChardev(Chardev shared, Action requestStop, ChardevLog? log)
        : base("mux", log)
    {
        _base = shared;
        _basePort = shared.Claim();
        _requestStop = requestStop;
    }

    /// <inheritdoc/>
    public override string Description => "mux";

    /// <inheritdoc/>
    public override bool IsClaimed => _ports.Count > 0;

    /// <inheritdoc/>
    public override bool IsFrontEndOpen => _ports.Exists(p => p.IsAttached);

    /// <inheritdoc/>
    public override IChardevPort Claim()
    {
        if (_ports.Count >= MaxPorts)
        {
            throw new QmpException($"too many uses of multiplexed chardev '{Name}' (maximum is {MaxPorts})");
        }

        var port = new MuxPort(this);
        _ports.Add(port);
        return port;
    }

    /// <inheritdoc/>
    public override void SendBreak() => _base.SendBreak();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _basePort.Unclaim();
        await EndOutputAsync();
        _connection?.Abort();
    }

    /// <inheritdoc/>
    protected override void OnAttached()
    {
        // Users attach to ports.
    }

    /// <summary>A port has a user.</summary>
    public void PortAttached(MuxPort port)
    {
        _focus = port;
        if (_connection is not null && _isAttached)
        {
            port.Open();
        }
        else if (!_isAttached)
        {
            _isAttached = true;
            _basePort.Attach(OnConnected, 1);
        }
    }

    /// <summary>A port has no user any more.</summary>
    public void PortGone(MuxPort port)
    {
        _ports.Remove(port);
        if (_focus == port)
        {
            _focus = _ports.LastOrDefault();
        }

        if (_ports.Count == 0)
        {
            _isAttached = false;
            _basePort.Detach();
            _connection?.Abort();
        }
    }

    /// <summary>Sends what a user writes, after what others wrote; completes when there is room for more.</summary>
    public ValueTask WriteAsync(ReadOnlySequence<byte> sequence) => new(_last = AppendAsync(_last, sequence.ToArray()));

    private void OnConnected(ChardevConnection connection)
    {
        _connection = connection;
        connection.Start(ClosePorts, () =>
        {
            _connection = null;
            ClosePorts();
            _ended?.TrySetResult();
        });
        connection.BeginReading();
        _ = ReadAsync(connection);
        foreach (var port in _ports.Where(p => p.IsAttached).ToArray())
        {
            port.Open();
        }
    }

    private void ClosePorts()
    {
        foreach (var port in _ports.ToArray())
        {
            port.Connection?.EndInput();
        }
    }

    private async Task ReadAsync(ChardevConnection connection)
    {
        while (true)
        {
            var read = await connection.Input.ReadAsync();
            foreach (var b in read.Buffer.ToArray())
            {
                if (_isEscaped)
                {
                    _isEscaped = false;
                    Obey(b);
                }
                else if (b == Escape)
                {
                    _isEscaped = true;
                }
                else
                {
                    _focus?.Connection?.Take(b);
                }
            }

            connection.Input.AdvanceTo(read.Buffer.End);

            // Nobody gets what was typed before all read: a command for one may end the daemon, and others would lose theirs.
            await ReadersAsync();
            foreach (var port in _ports.ToArray())
            {
                if (port.Connection is { } user)
                {
                    await user.FlushInputAsync();
                }
            }

            if (read.IsCompleted)
            {
                break;
            }
        }

        ClosePorts();
    }

    private async Task ReadersAsync()
    {
        foreach (var port in _ports.ToArray())
        {
            if (port.Connection is { } user)
            {
                await user.ReadingBegun;
            }
        }
    }

    private void Obey(byte letter)
    {
        switch (letter)
        {
            case (byte)'h' or (byte)'?':
                _ = WriteAsync(new(s_help)).AsTask();
                break;
            case (byte)'x':
                _ = TerminateAsync();
                break;
            case (byte)'b':
                _base.SendBreak();
                break;
            case (byte)'c':
                _focus = _ports.Count == 0 ? null : _ports[(_ports.IndexOf(_focus!) + 1) % _ports.Count];
                break;
            case Escape:
                _focus?.Connection?.Take(Escape);
                break;
            default:
                break;
        }
    }

    private async Task TerminateAsync()
    {
        await ReadersAsync();
        _ = WriteAsync(new("QEMU: Terminated\n\r"u8.ToArray())).AsTask();
        await EndOutputAsync();
        _requestStop();
    }

    // What was written leaves before the end, if whoever is there takes it in time.
    private async Task EndOutputAsync()
    {
        if (_connection is null)
        {
            return;
        }

        var patience = AioContext.Current!.DelayAsync(s_lastWords).AsTask();
        await Task.WhenAny(_last, patience);
        if (_connection is { } connection)
        {
            if (_ended is null)
            {
                _ended = new TaskCompletionSource();
                await connection.Output.CompleteAsync();
            }

            await Task.WhenAny(_ended.Task, patience);
        }
    }

    private async Task AppendAsync(Task before, byte[] bytes)
    {
        await before;
        if (_connection is { } connection && _ended is null)
        {
            await connection.Output.WriteAsync(bytes);
        }
    }
}
