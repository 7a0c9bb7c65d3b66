using Qmp.Protocol.Schema;

namespace Qmp.Daemon.CommandLine;

/// <summary><c>--chardev</c>: its flat options become what the schema calls a backend.</summary>
internal static class ChardevOptions
{
    // All keys that QEMU knows, so that a known one on the wrong backend is ignored as there.
    private static readonly Dictionary<string, OptionList.ValueType> Types = new()
    {
        ["abstract"] = OptionList.ValueType.Bool,
        ["append"] = OptionList.ValueType.Bool,
        ["backend"] = OptionList.ValueType.String,
        ["chardev"] = OptionList.ValueType.String,
        ["cols"] = OptionList.ValueType.Number,
        ["delay"] = OptionList.ValueType.Bool,
        ["fd"] = OptionList.ValueType.String,
        ["height"] = OptionList.ValueType.Number,
        ["host"] = OptionList.ValueType.String,
        ["input-path"] = OptionList.ValueType.String,
        ["ipv4"] = OptionList.ValueType.Bool,
        ["ipv6"] = OptionList.ValueType.Bool,
        ["localaddr"] = OptionList.ValueType.String,
        ["localport"] = OptionList.ValueType.String,
        ["logappend"] = OptionList.ValueType.Bool,
        ["logfile"] = OptionList.ValueType.String,
        ["logtimestamp"] = OptionList.ValueType.Bool,
        ["mux"] = OptionList.ValueType.Bool,
        ["name"] = OptionList.ValueType.String,
        ["nodelay"] = OptionList.ValueType.Bool,
        ["path"] = OptionList.ValueType.String,
        ["port"] = OptionList.ValueType.String,
        ["reconnect"] = OptionList.ValueType.Number,
        ["reconnect-ms"] = OptionList.ValueType.Number,
        ["rows"] = OptionList.ValueType.Number,
        ["server"] = OptionList.ValueType.Bool,
        ["signal"] = OptionList.ValueType.Bool,
        ["size"] = OptionList.ValueType.Size,
        ["telnet"] = OptionList.ValueType.Bool,
        ["tight"] = OptionList.ValueType.Bool,
        ["tls-authz"] = OptionList.ValueType.String,
        ["tls-creds"] = OptionList.ValueType.String,
        ["tn3270"] = OptionList.ValueType.Bool,
        ["to"] = OptionList.ValueType.Number,
        ["wait"] = OptionList.ValueType.Bool,
        ["websocket"] = OptionList.ValueType.Bool,
        ["width"] = OptionList.ValueType.Number,
    };

    /// <summary>What <c>--chardev help</c> prints.</summary>
    public const string Help =
        "Available chardev backend types: \n  pty\n  file\n  memory\n  stdio\n  socket\n  ringbuf\n  null\n  pipe\n  mux\n";

    /// <summary>Reads the argument.</summary>
    /// <param name="argument">The argument.</param>
    /// <param name="warn">Where deprecated forms are named.</param>
    /// <param name="helpWanted">Whether the user asks for help; then there is no result.</param>
    /// <returns>The devices to make, by name: one, or with <c>mux=on</c> two.</returns>
    /// <exception cref="OptionException">It is malformed.</exception>
    public static IReadOnlyList<(string Id, ChardevBackend Backend)> Parse(string argument, Action<string> warn, out bool helpWanted)
    {
        var options = OptionList.Parse(argument, "backend", Types, warn);
        helpWanted = options.HelpWanted;
        if (helpWanted)
        {
            return [];
        }

        var id = options.Id ?? throw new OptionException("chardev: no id specified");
        var kind = options.String("backend") ?? throw new OptionException($"chardev: \"{id}\" missing backend");
        var backend = Backend(kind, options);
        SetLog(backend, options);
        if (options.Bool("mux") != true)
        {
            return [(id, backend)];
        }

        // What is shared gets a name of its own.
        var shared = id + "-base";
        return
        [
            (shared, backend),
            (id, new ChardevBackend { Type = ChardevBackendKind.Mux, Mux = new() { Data = new ChardevMux { Chardev = shared } } }),
        ];
    }

    private static ChardevBackend Backend(string kind, OptionList options) => kind switch
    {
        "socket" => new() { Type = ChardevBackendKind.Socket, Socket = new() { Data = Socket(options) } },
        "null" => new() { Type = ChardevBackendKind.Null, Null = new() { Data = new ChardevCommon() } },
        "file" => new()
        {
            Type = ChardevBackendKind.File,
            File = new()
            {
                Data = new ChardevFile
                {
                    Out = options.String("path") ?? throw new OptionException("chardev: file: no filename given"),
                    In = options.String("input-path"),
                    Append = options.Bool("append"),
                },
            },
        },
        "pipe" => new()
        {
            Type = ChardevBackendKind.Pipe,
            Pipe = new() { Data = new ChardevHostdev { Device = options.String("path") ?? throw new OptionException("chardev: pipe: no device path given") } },
        },
        "pty" => new() { Type = ChardevBackendKind.Pty, Pty = new() { Data = new ChardevPty { Path = options.String("path") } } },
        "stdio" => new() { Type = ChardevBackendKind.Stdio, Stdio = new() { Data = new ChardevStdio { Signal = options.Bool("signal") } } },
        "mux" => new()
        {
            Type = ChardevBackendKind.Mux,
            Mux = new() { Data = new ChardevMux { Chardev = options.String("chardev") ?? throw new OptionException("chardev: mux: no chardev given") } },
        },
        "ringbuf" => new() { Type = ChardevBackendKind.Ringbuf, Ringbuf = new() { Data = Ringbuf(options) } },
        "memory" => new() { Type = ChardevBackendKind.Memory, Memory = new() { Data = Ringbuf(options) } },
        _ => throw new OptionException($"'{kind}' is not a valid char driver name"),
    };

    private static void SetLog(ChardevBackend backend, OptionList options)
    {
        var (path, appends, hasTimes) = (options.String("logfile"), options.Bool("logappend"), options.Bool("logtimestamp"));
        switch (backend)
        {
            case { File.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Pipe.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Stdio.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Pty.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Null.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Mux.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Ringbuf.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Memory.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            case { Socket.Data: { } o }:
                (o.Logfile, o.Logappend, o.Logtimestamp) = (path, appends, hasTimes);
                break;
            default:
                break;
        }
    }

    private static ChardevRingbuf Ringbuf(OptionList options) => new() { Size = options.Size("size") is { } size ? (long)size : null };

    private static ChardevSocket Socket(OptionList options)
    {
        var path = options.String("path");
        var host = options.String("host");
        var fd = options.String("fd");
        if ((path is null ? 0 : 1) + (host is null ? 0 : 1) + (fd is null ? 0 : 1) > 1)
        {
            throw new OptionException("None or one of 'path', 'fd' or 'host' option required.");
        }

        if (host is not null && options.String("port") is null)
        {
            throw new OptionException("chardev: socket: no port given");
        }

        if (options.Bool("delay") is not null && options.Bool("nodelay") is not null)
        {
            throw new OptionException("'delay' and 'nodelay' are mutually exclusive");
        }

        if (options.Number("reconnect") is not null && options.Number("reconnect-ms") is not null)
        {
            throw new OptionException("'reconnect' and 'reconnect-ms' are mutually exclusive");
        }

        return new ChardevSocket
        {
            Addr = Address(options, path, host, fd),
            TlsCreds = options.String("tls-creds"),
            TlsAuthz = options.String("tls-authz"),
            Server = options.Bool("server") ?? false, // a client unless asked, unlike in QMP
            Wait = options.Bool("wait"),
            Nodelay = options.Bool("nodelay") ?? (options.Bool("delay") is { } delay ? !delay : null),
            Telnet = options.Bool("telnet"),
            Tn3270 = options.Bool("tn3270"),
            Websocket = options.Bool("websocket"),
            ReconnectMs = (long?)(options.Number("reconnect-ms") ?? (options.Number("reconnect") * 1000)),
        };
    }

    private static SocketAddressLegacy Address(OptionList options, string? path, string? host, string? fd)
    {
        if (path is not null)
        {
            return new SocketAddressLegacy
            {
                Type = SocketAddressType.Unix,
                Unix = new() { Data = new() { Path = path, Abstract = options.Bool("abstract"), Tight = options.Bool("tight") } },
            };
        }

        if (host is not null)
        {
            var inet = new InetSocketAddress
            {
                Host = host,
                Port = options.String("port")!,
                To = (ushort?)options.Number("to"),
                Ipv4 = options.Bool("ipv4"),
                Ipv6 = options.Bool("ipv6"),
            };
            return new SocketAddressLegacy { Type = SocketAddressType.Inet, Inet = new() { Data = inet } };
        }

        return new SocketAddressLegacy { Type = SocketAddressType.Fd, Fd = new() { Data = new() { Str = fd ?? string.Empty } } };
    }
}
