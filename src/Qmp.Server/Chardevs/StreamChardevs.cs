using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Server.Descriptors;

namespace Qmp.Server.Chardevs;

/// <summary>Makes the character devices over files, pipes and standard streams. <b>Main</b>; files are opened by workers.</summary>
internal static class StreamChardevs
{
    private const int NewFileMode = 0x1b6; // 0666, less the umask
    private const int StandardInput = 0;
    private const int StandardOutput = 1;

    /// <summary>The device <c>file</c>: writes to a file, and may read from another.</summary>
    /// <exception cref="QmpException">A file cannot be opened.</exception>
    public static async ValueTask<Chardev> OpenFileAsync(
        AioContext main, DescriptorSets sets, ChardevFile options, ChardevLog? log)
    {
        var (input, output) = await main.RunOnWorkerAsync(() =>
        {
            var flags = Libc.O_WRONLY | Libc.O_CREAT | (options.Append == true ? Libc.O_APPEND : Libc.O_TRUNC);
            var output = Open(options.Out, flags, sets);
            try
            {
                return (options.In is { } path ? Open(path, Libc.O_RDONLY | Libc.O_NONBLOCK, sets) : -1, output);
            }
            catch
            {
                sets.Close(output);
                throw;
            }
        });
        return new StreamChardev("file", main, input, output, endsWithInput: false, Close, log);

        void Close()
        {
            sets.Close(output);
            if (input >= 0)
            {
                sets.Close(input);
            }
        }
    }

    /// <summary>The device <c>pipe</c>: two FIFOs with ".in" and ".out" behind their common path, or one for both ways.</summary>
    /// <exception cref="QmpException">They cannot be opened.</exception>
    public static async ValueTask<Chardev> OpenPipeAsync(
        AioContext main, DescriptorSets sets, ChardevHostdev options, ChardevLog? log)
    {
        // Both ways each, so that they stay open while no other process has them.
        const int Flags = Libc.O_RDWR | Libc.O_NONBLOCK;
        var (input, output) = await main.RunOnWorkerAsync(() =>
        {
            var input = Libc.Open(options.Device + ".in", Flags);
            var output = Libc.Open(options.Device + ".out", Flags);
            if (input >= 0 && output >= 0)
            {
                return (input, output);
            }

            Close(input, output);
            input = Open(options.Device, Flags, sets);
            return (input, Libc.Duplicate(input));
        });
        return new StreamChardev("pipe", main, input, output, endsWithInput: false, CloseBoth, log);

        void CloseBoth()
        {
            sets.Close(input);
            Close(-1, output);
        }
    }

    /// <summary>The device <c>stdio</c>: the standard input and output of the daemon, which stay open.</summary>
    /// <param name="main">The main loop.</param>
    /// <param name="options">What it is.</param>
    /// <param name="log">The file that gets a copy of what is sent.</param>
    /// <param name="used">Told when the streams come into use, and when they are free again.</param>
    public static Chardev OpenStdio(AioContext main, ChardevStdio options, ChardevLog? log, Action<bool> used)
    {
        var changesTerminal = options.Signal == false && Libc.SetTerminalSignals(StandardInput, false) >= 0;
        used(true);
        return new StreamChardev("stdio", main, StandardInput, StandardOutput, endsWithInput: false, Restore, log);

        void Restore()
        {
            if (changesTerminal)
            {
                _ = Libc.SetTerminalSignals(StandardInput, true);
            }

            used(false);
        }
    }

    /// <summary>Closes both, where they are descriptors.</summary>
    public static void Close(int input, int output)
    {
        foreach (var fd in (ReadOnlySpan<int>)[input, output])
        {
            if (fd >= 0)
            {
                _ = Libc.Close(fd);
            }
        }
    }

    private static int Open(string path, int flags, DescriptorSets sets)
    {
        var fd = sets.OpenAny(path, flags, NewFileMode, out _);
        return fd >= 0 ? fd : throw new QmpException($"Could not open '{path}': {Errno.Describe(fd)}");
    }
}
