using System.Text;
using System.Text.Json;
using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Commands;

namespace Qmp.Server.Tests.Commands;

/// <summary>
/// A server without sockets: commands go in as text and come out as the text that a client would read. Its main loop
/// runs on a thread of its own.
/// </summary>
internal sealed class TestServer : IQmpEventSink, IAsyncDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IoThread _thread = new("main", AioEngineKind.Threads);
    private readonly List<string> _events = [];
    private readonly SemaphoreSlim _newEvent = new(0);
    private readonly QmpCommandTable _commands;
    private long _lastConnection;

    internal TestServer()
    {
        Context = new ServerContext(new ServerOptions { Main = _thread.Context, Events = this, Engine = AioEngineKind.Threads });
        NoMonitor monitor = new();
        _commands = new QmpCommandTable(
            new BlockCoreCommands(Context),
            new BlockExportCommands(Context),
            new CharCommands(Context.Chardevs),
            monitor,
            monitor,
            new QomCommands(Context, () => throw new InvalidOperationException("There are no monitors here.")),
            new MiscCommands(Context),
            new DataplaneCommands(Context),
            new TransactionCommands(Context));
    }

    internal ServerContext Context { get; }

    internal AioContext Main => Context.Main;

    internal BlockGraph Graph => Context.Graph;

    internal TestClient Connect() => new(this, ++_lastConnection);

    public void Emit(QmpEvent qmpEvent)
    {
        QapiWriter writer = new();
        qmpEvent.Data!.Write(writer);
        lock (_events)
        {
            _events.Add($"{qmpEvent.Name} {Encoding.UTF8.GetString(writer.WrittenSpan)}");
        }

        _newEvent.Release();
    }

    /// <summary>The next event, <c>NAME {data}</c>, in the order in which they were sent.</summary>
    internal async Task<string> NextEventAsync()
    {
        Assert.That(await _newEvent.WaitAsync(Patience), Is.True, "an event in time");
        lock (_events)
        {
            string first = _events[0];
            _events.RemoveAt(0);
            return first;
        }
    }

    internal bool HasEvents
    {
        get
        {
            lock (_events)
            {
                return _events.Count != 0;
            }
        }
    }

    /// <summary>Runs on the main loop.</summary>
    internal Task<T> OnMainAsync<T>(Func<ValueTask<T>> function)
    {
        return Run().WaitAsync(Patience);

        async Task<T> Run()
        {
            await Main.Enter();
            return await function();
        }
    }

    internal Task OnMainAsync(Func<ValueTask> function) => OnMainAsync(async () =>
    {
        await function();
        return true;
    });

    internal async Task<string> ExecuteAsync(string name, string arguments, QmpCommandContext context)
    {
        Assert.That(_commands.TryGet(Encoding.UTF8.GetBytes(name), out QmpCommand? command), Is.True, name);
        QapiDocument document = Document(arguments);
        return await OnMainAsync(async () =>
        {
            try
            {
                IQapiWritable? result = await command!.InvokeAsync(document, context);
                if (result is null)
                {
                    return "{}";
                }

                QapiWriter writer = new();
                result.Write(writer);
                return Encoding.UTF8.GetString(writer.WrittenSpan);
            }
            catch (QmpException e)
            {
                return $"{e.ErrorClass}: {e.Description}";
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await OnMainAsync(async () =>
        {
            await Context.Drains.ShutdownAsync();
            await Graph.CloseAllAsync();
            await Context.Objects.ClearAsync();
        });
        _thread.Dispose();
    }

    private static QapiDocument Document(string json)
    {
        QapiDocument document = new();
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(json));
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    document.BeginObject();
                    break;
                case JsonTokenType.StartArray:
                    document.BeginList();
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    document.End();
                    break;
                case JsonTokenType.PropertyName:
                    document.Name(Encoding.UTF8.GetBytes(reader.GetString()!));
                    break;
                case JsonTokenType.String:
                    document.String(reader.GetString()!);
                    break;
                case JsonTokenType.Number:
                    document.Number(reader.ValueSpan);
                    break;
                case JsonTokenType.True or JsonTokenType.False:
                    document.Bool(reader.GetBoolean());
                    break;
                default:
                    document.Null();
                    break;
            }
        }

        return document;
    }

    /// <summary>The modules that need a monitor are not under test here.</summary>
    private sealed class NoMonitor : IControlCommands, IIntrospectCommands
    {
        public ValueTask QmpCapabilitiesAsync(QmpCapabilitiesArguments arguments, QmpCommandContext context) => throw new NotSupportedException();

        public ValueTask<VersionInfo> QueryVersionAsync(QmpCommandContext context) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<CommandInfo>> QueryCommandsAsync(QmpCommandContext context) => throw new NotSupportedException();

        public ValueTask QuitAsync(QmpCommandContext context) => throw new NotSupportedException();

        public ValueTask<IQapiWritable?> QueryQmpSchemaAsync(QapiDocument arguments, QmpCommandContext context) =>
            throw new NotSupportedException();
    }
}

/// <summary>One client of a <see cref="TestServer"/>.</summary>
internal sealed class TestClient : IQmpConnection
{
    private readonly TestServer _server;
    private readonly QmpCommandContext _context;
    private readonly CancellationTokenSource _closed = new();

    internal TestClient(TestServer server, long id)
    {
        _server = server;
        Id = id;
        _context = new QmpCommandContext(this, server);
    }

    public long Id { get; }

    public CancellationToken Closed => _closed.Token;

    /// <summary>Runs a command; what would stand under <c>return</c>, or <c>Class: text</c> of the error.</summary>
    internal Task<string> SayAsync(string command, string arguments = "{}") => _server.ExecuteAsync(command, arguments, _context);

    /// <summary>As <see cref="SayAsync"/>, for a command that must succeed without returning anything.</summary>
    internal async Task DoAsync(string command, string arguments) =>
        Assert.That(await SayAsync(command, arguments), Is.EqualTo("{}"), $"{command} {arguments}");

    internal Task CloseAsync() => _server.OnMainAsync(() =>
    {
        _closed.Cancel();
        return ValueTask.CompletedTask;
    });
}
