using System.CommandLine;
using Qmp.Client;
using Qmp.Tool.Calls;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Shell;

/// <summary><c>qmp shell</c>: commands typed by a person, or lines of a pipe.</summary>
internal static class InteractiveCommand
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var server = new ServerOptions();
        var command = new Command("shell", "Type commands with completion, history and help, and see events as they come. "
            + "Without a terminal: read commands line by line, print replies and events as lines of JSON");
        server.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            // A command may take as long as it likes: Ctrl-C ends the wait.
            await using var client = await server.ConnectAsync(parsed, ConnectPatience, cancellation, callPatience: Timeout.InfiniteTimeSpan);
            using var events = client.Subscribe(null, new QmpSubscriptionOptions { Overflow = QmpOverflow.DropOldest });
            var types = await ServerTypes.AskAsync(client, cancellation);
            return Console.IsInputRedirected || Console.IsOutputRedirected
                ? await PipeAsync(client, events, types, cancellation)
                : await TerminalAsync(client, events, types, cancellation);
        });
        return command;
    }

    private static async Task<int> PipeAsync(QmpClient client, QmpEventSubscription events, ServerTypes? types, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var session = new ShellSession(client, types, Terminal.Line, Terminal.Complain, json: true);
        var listening = ListenAsync(events, received => Terminal.Line(CallText.Event(received, json: true)), end);
        var status = ExitCode.Ok;
        try
        {
            while (!session.IsOver && await Console.In.ReadLineAsync(end.Token) is { } line)
            {
                var result = await session.RunAsync(line, width: 100, end.Token);
                status = status == ExitCode.Ok ? result : status;
            }

            if (session.InTransaction)
            {
                throw new ToolException(ExitCode.Usage, "the input ends within a transaction");
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ToolException(ExitCode.Connection, "the server has closed the connection");
        }

        await end.CancelAsync();
        await listening;
        return status;
    }

    private static async Task<int> TerminalAsync(QmpClient client, QmpEventSubscription events, ServerTypes? types, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var history = new ShellHistory(ShellHistory.DefaultPath());
        var keys = KeyReader.Start();
        var editor = new LineEditor(keys, history);
        var session = new ShellSession(client, types, editor.Print, text => editor.Print(Terminal.Red(Terminal.Clean(text, keepLines: true))), json: false);
        var completion = new ShellCompletion(types);
        editor.Print($"Connected to {Terminal.Clean(client.Greeting.Package is { Length: > 0 } package ? package : $"QEMU {client.Greeting.Version}")}. 'help' explains, Tab completes, Ctrl-D ends.");
        var listening = ListenAsync(events, received => editor.Print(CallText.Event(received, json: false)), end);
        try
        {
            while (!session.IsOver)
            {
                var line = await editor.ReadAsync(session.InTransaction ? "...> " : "qmp> ", text => completion.Complete(text, session.InTransaction), end.Token);
                if (line is null)
                {
                    break;
                }

                if (line == LineEditor.Interrupted)
                {
                    session.DropTransaction();
                    continue;
                }

                history.Add(line);
                await RunAsync(session, line, keys, editor, end.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            editor.Print("");
            throw new ToolException(ExitCode.Connection, "the server has closed the connection");
        }

        await end.CancelAsync();
        await listening;
        return ExitCode.Ok;
    }

    /// <summary>Runs a line until its end, or until Ctrl-C: then the server goes on with it alone.</summary>
    private static async Task RunAsync(ShellSession session, string line, KeyReader keys, LineEditor editor, CancellationToken end)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(end);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(end);
        var running = session.RunAsync(line, Console.WindowWidth, stop.Token);
        var interrupted = keys.WaitForInterruptAsync(done.Token);
        if (await Task.WhenAny(running, interrupted) == interrupted && interrupted.IsCompletedSuccessfully)
        {
            editor.Print("^C: the server may still be busy with it");
            await stop.CancelAsync();
        }

        await done.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            // As the user wished.
        }

        try
        {
            await interrupted;
        }
        catch (Exception e) when (e is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // Nobody pressed it.
        }
    }

    /// <summary>Shows events until the connection ends, which ends everything.</summary>
    private static async Task ListenAsync(QmpEventSubscription events, Action<QmpReceivedEvent> show, CancellationTokenSource end)
    {
        try
        {
            await foreach (var received in events.WithCancellation(end.Token))
            {
                show(received);
            }
        }
        catch (Exception e) when (e is QmpConnectionException or OperationCanceledException)
        {
            // Either way it is over.
        }

        if (!end.IsCancellationRequested)
        {
            await end.CancelAsync();
        }
    }
}
