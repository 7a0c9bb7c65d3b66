using Qmp.Aio;
using Qmp.Daemon.CommandLine;
using Qmp.Daemon.Process;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server;

namespace Qmp.Daemon;

/// <summary>
/// The daemon's life on the main loop: obey the options in order, serve until asked to stop, and put everything away.
/// </summary>
/// <param name="main">The main loop, which is running.</param>
/// <param name="engine">The I/O engine of iothreads.</param>
/// <param name="daemonize">Whether to let go of the terminal once everything is ready.</param>
/// <param name="log">Takes lines for the operator.</param>
/// <param name="warn">Takes a place on the command line and what is wrong there.</param>
internal sealed class StorageDaemon(
    AioContext main, AioEngineKind engine, bool daemonize, Action<string> log, Action<string, string> warn)
{
    private readonly QmpServer _server = new(new ServerOptions { Main = main, Log = log, Engine = engine, IsDaemonized = daemonize });
    private readonly List<IDisposable> _atExit = [];

    /// <summary>Runs until the end. <b>Main</b>.</summary>
    /// <param name="setup">The default setup, if that is what the words came from.</param>
    /// <param name="words">The command line.</param>
    /// <returns>The exit status.</returns>
    /// <exception cref="CommandLineException">An option cannot be obeyed; everything is put away again.</exception>
    public async Task<int> RunAsync(DefaultSetup? setup, IReadOnlyList<string> words)
    {
        using var signals = new StopSignals(_server.RequestStop, Hurry);
        try
        {
            if (setup is not null)
            {
                Claim(setup);
            }

            string? pidFile = null;
            foreach (var option in OptionScanner.Scan(words))
            {
                if (await ObeyAsync(option, path => pidFile = path) is { } exitText)
                {
                    Console.Out.Write(exitText);
                    return 0;
                }
            }

            if (pidFile is not null)
            {
                _atExit.Add(CreatePidFile(pidFile));
            }

            using var host = DaemonHost.Create(_server);
            await host.StartAsync();
            if (daemonize)
            {
                Daemonizer.Detach();
            }
            else if (setup is not null)
            {
                Console.Out.WriteLine(setup.Greeting());
            }

            await _server.StopRequested;

            // Monitors go last: their clients hear of the end of everything else.
            await _server.StopAsync();
            await host.StopAsync();
            return 0;
        }
        finally
        {
            await _server.StopAsync();
            await _server.CloseMonitorsAsync();
            RunAtExit();
        }
    }

    // The folder first, then what is in it: a second daemon must not touch the disk or the sockets.
    private void Claim(DefaultSetup setup)
    {
        try
        {
            _atExit.Add(PidFile.Create(setup.PidFile));
        }
        catch (IOException)
        {
            throw new IOException(setup.InUseText());
        }

        setup.CreateImage();
    }

    /// <summary>Does what one option says; a text ends the program with it.</summary>
    private async ValueTask<string?> ObeyAsync(Option option, Action<string> setPidFile)
    {
        try
        {
            switch (option.Kind)
            {
                case OptionKind.Blockdev:
                    return await ExecuteAsync("blockdev-add", option, "driver", null);
                case OptionKind.Export:
                    return await ExecuteAsync("block-export-add", option, "type", null);
                case OptionKind.Object:
                    return await ExecuteAsync("object-add", option, "qom-type", ObjectHelp.For);
                case OptionKind.Chardev:
                    return await AddChardevAsync(option);
                case OptionKind.Monitor:
                    return AddMonitor(option);
                case OptionKind.NbdServer:
                    throw new QmpException("An NBD server is not available yet");
                case OptionKind.PidFile:
                    setPidFile(option.Argument);
                    return null;
                default:
                    return null; // seen on the first walk
            }
        }
        catch (QmpException e)
        {
            var hint = e.Description == "Parameter 'id' expects an identifier" ? Identifiers.Rule : e.Hint;
            throw new CommandLineException(option.Location, e.Description, hint);
        }
        catch (OptionException e)
        {
            throw new CommandLineException(option.Location, e.Message, e.Hint);
        }
    }

    // These options are commands in another dress.
    private async ValueTask<string?> ExecuteAsync(string command, Option option, string impliedKey, Func<string, string>? help)
    {
        var arguments = OptionArgument.Parse(option.Argument, impliedKey, out var helpWanted);
        if (helpWanted)
        {
            return help is null ? throw NoHelp() : help(option.Argument);
        }

        await _server.ExecuteAsync(command, arguments);
        return null;
    }

    private async ValueTask<string?> AddChardevAsync(Option option)
    {
        var devices = ChardevOptions.Parse(option.Argument, text => warn(option.Location, text), out var helpWanted);
        foreach (var (id, backend) in devices)
        {
            if (await _server.AddChardevAsync(id, backend) is { } terminal)
            {
                Console.Out.WriteLine($"char device redirected to {terminal} (label {id})");
            }
        }

        return helpWanted ? ChardevOptions.Help : null;
    }

    private string? AddMonitor(Option option)
    {
        var arguments = OptionArgument.Parse(option.Argument, "chardev", out var helpWanted);
        if (helpWanted)
        {
            throw NoHelp();
        }

        var reader = new Protocol.Qapi.QapiReader(arguments);
        _server.AddMonitor(MonitorOptions.Read(ref reader));
        return null;
    }

    private static OptionException NoHelp() => new("Help is not available for this option");

    private static PidFile CreatePidFile(string path)
    {
        try
        {
            return PidFile.Create(path);
        }
        catch (IOException e)
        {
            throw new CommandLineException(null, "cannot create PID file: " + e.Message);
        }
    }

    // A second signal: no more waiting for what is in flight. The images are as after a loss of power.
    private void Hurry()
    {
        try
        {
            log("stopping in haste");
            QmpServer.RemoveSockets();
            RunAtExit();
        }
        finally
        {
            Environment.Exit(1);
        }
    }

    private void RunAtExit()
    {
        lock (_atExit)
        {
            foreach (var item in _atExit)
            {
                item.Dispose();
            }

            _atExit.Clear();
        }
    }
}
