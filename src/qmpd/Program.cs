using Qmp.Aio;
using Qmp.Daemon.CommandLine;
using Qmp.Daemon.Process;

namespace Qmp.Daemon;

/// <summary>From the command line to the running daemon.</summary>
internal static class Program
{
    private const string Name = "qmpd";

    public static int Main(string[] words)
    {
        // With 32 iothreads it greets 5 % sooner.
        Libc.ShareHeap();
        try
        {
            return Run(words);
        }
        catch (CommandLineException e)
        {
            Log(e.Hint is null ? e.Message : e.Message + "\n" + e.Hint);
            return 1;
        }
        catch (IOException e)
        {
            Log(e.Message);
            return 1;
        }
    }

    private static int Run(string[] words)
    {
        var early = EarlyOptions.Scan(words, Warn);
        if (early.ExitText is { } text)
        {
            Console.Out.Write(text);
            return 0;
        }

        if (early.Daemonize)
        {
            if (!Daemonizer.IsChild)
            {
                return Daemonizer.StartAndWait(words);
            }

            Daemonizer.BecomeLeader();
        }

        // Without options it serves a disk of its own.
        var setup = words.All(w => w == "--daemonize") ? DefaultSetup.Create() : null;
        AioContext.UnhandledException = (context, e) => Log($"fault on loop '{context.Name}': {e}");
        using var main = new AioContext("main", AioEngine.Create(Engine(), Log));
        var daemon = new StorageDaemon(main, Engine(), early.Daemonize, Log, Warn);
        var exitCode = 1;
        main.Schedule(async () =>
        {
            try
            {
                exitCode = await daemon.RunAsync(setup, setup?.Options ?? words);
            }
            catch (Exception e)
            {
                Log(e is CommandLineException { Hint: { } hint } ? e.Message + "\n" + hint
                    : e is CommandLineException or IOException ? e.Message
                    : $"fault: {e}");
            }
            finally
            {
                main.Stop();
            }
        });
        main.Run();
        return exitCode;
    }

    private static AioEngineKind Engine() => Environment.GetEnvironmentVariable("QMPD_AIO") switch
    {
        null or "" => AioEngineKind.Auto,
        "io_uring" => AioEngineKind.IoUring,
        "threads" => AioEngineKind.Threads,
        var other => throw new CommandLineException(null, $"QMPD_AIO is '{other}', not io_uring or threads"),
    };

    private static void Warn(string location, string text) => Log(location + ": " + text);

    private static void Log(string line) => Console.Error.WriteLine(Name + ": " + line);
}
