using System.Threading.Channels;

namespace Qmp.Tool.Cli;

/// <summary>Keys of the terminal as they are pressed, Ctrl-C among them. One reader at a time.</summary>
internal sealed class KeyReader
{
    private const int Capacity = 4096;

    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateBounded<ConsoleKeyInfo>(Capacity);
    private readonly Queue<ConsoleKeyInfo> _early = [];

    private KeyReader()
    {
    }

    /// <summary>Takes the keyboard until the program ends.</summary>
    public static KeyReader Start()
    {
        var reader = new KeyReader();
        Console.TreatControlCAsInput = true;
        new Thread(() =>
        {
            try
            {
                while (true)
                {
                    reader._keys.Writer.WriteAsync(Console.ReadKey(intercept: true)).AsTask().GetAwaiter().GetResult();
                }
            }
            catch (Exception e) when (e is InvalidOperationException or IOException)
            {
                reader._keys.Writer.TryComplete(); // the terminal is gone
            }
        })
        { IsBackground = true, Name = "keys" }.Start();
        return reader;
    }

    /// <summary>The next key; Ctrl-D when there will be none any more.</summary>
    public async ValueTask<ConsoleKeyInfo> ReadAsync(CancellationToken cancellation)
    {
        if (_early.TryDequeue(out var early))
        {
            return early;
        }

        try
        {
            return await _keys.Reader.ReadAsync(cancellation);
        }
        catch (ChannelClosedException)
        {
            return new('\u0004', ConsoleKey.D, shift: false, alt: false, control: true);
        }
    }

    /// <summary>Waits for Ctrl-C; other keys are for the next who reads.</summary>
    public async Task WaitForInterruptAsync(CancellationToken cancellation)
    {
        while (await _keys.Reader.ReadAsync(cancellation) is var key)
        {
            if (key.Key == ConsoleKey.C && key.Modifiers == ConsoleModifiers.Control)
            {
                return;
            }

            if (_early.Count < Capacity)
            {
                _early.Enqueue(key);
            }
        }
    }
}
