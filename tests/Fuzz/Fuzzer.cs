using System.Diagnostics;

namespace Fuzz;

/// <summary>
/// Feeds a target with inputs. Each depends on the seed and its own number only, so a failure comes again whatever ran
/// before it.
/// </summary>
internal sealed class Fuzzer(FuzzTarget target, int seed)
{
    private const int MaxLength = 16 << 10;

    // Far above what any input needs, far below what hurts.
    private const long AllocationPerInput = 64 << 20;
    private const long AllocationPerByte = 32 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Mutator _mutator = new(target.Seeds, target.Tokens, MaxLength);
    private byte[] _current = [];
    private long _currentSince;

    /// <summary>Inputs that were tried.</summary>
    public long Tried { get; private set; }

    /// <summary>Tries so many inputs, or so long.</summary>
    /// <returns>The first failure, or null.</returns>
    public FuzzFailure? Run(long count, TimeSpan time)
    {
        FuzzFailure? failure = null;
        var clock = Stopwatch.StartNew();
        return Watched(() =>
        {
            for (; Tried < count && clock.Elapsed < time && failure is null; Tried++)
            {
                failure = Try(Input(Tried)) is { } found ? Shrink(found) : null;
            }
        }) ?? failure;
    }

    /// <summary>Tries one input.</summary>
    public FuzzFailure? Replay(byte[] input)
    {
        FuzzFailure? failure = null;
        return Watched(() => failure = Try(input)) ?? failure;
    }

    private byte[] Input(long number)
    {
        var random = new Random(unchecked((seed * 1_000_003) + (int)number));
        return random.Next(10) switch
        {
            < 3 => target.Generate(random),
            < 5 => _mutator.Mutate(target.Generate(random), random),
            5 => _mutator.Tokens(random),
            _ => _mutator.Mutate(_mutator.Seed(random), random),
        };
    }

    private FuzzFailure? Try(byte[] input)
    {
        Volatile.Write(ref _current, input);
        Volatile.Write(ref _currentSince, Stopwatch.GetTimestamp());
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Check(input, new Random(Hash(input)));
        }
        catch (BrokenInvariantException e)
        {
            return new(input, e.Message, e.Message.Split('\n')[0]);
        }
        catch (Exception e)
        {
            return new(input, e.ToString(), e.GetType().Name + " at " + e.StackTrace?.Split('\n')[0]);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated > AllocationPerInput + (AllocationPerByte * input.Length)
            ? new(input, $"{allocated} bytes allocated for {input.Length} bytes of input", "memory")
            : null;
    }

    // Leaves out what the failure does not need, the largest pieces first.
    private FuzzFailure Shrink(FuzzFailure failure)
    {
        var attempts = 0;
        for (var size = Math.Max(1, failure.Input.Length / 2); size > 0;)
        {
            var isShorter = false;
            for (var at = 0; at < failure.Input.Length && attempts < 20_000; attempts++)
            {
                byte[] shorter = [.. failure.Input.AsSpan(0, at), .. failure.Input.AsSpan(Math.Min(at + size, failure.Input.Length))];
                if (Try(shorter) is { } still && still.Kind == failure.Kind)
                {
                    failure = still;
                    isShorter = true;
                }
                else
                {
                    at += size;
                }
            }

            size = size == 1 && isShorter ? 1 : size / 2;
        }

        return failure;
    }

    // A thread of its own: one that hangs can be told from one that works.
    private FuzzFailure? Watched(Action work)
    {
        Exception? failure = null;
        Volatile.Write(ref _currentSince, Stopwatch.GetTimestamp());
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = e; // of the fuzzer, not of what it tests
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        while (!thread.Join(TimeSpan.FromMilliseconds(100)))
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref _currentSince)) > Patience)
            {
                return new(Volatile.Read(ref _current), $"no end within {Patience.TotalSeconds} s", "hang");
            }
        }

        return failure is null ? null : throw new InvalidOperationException("the fuzzer failed", failure);
    }

    private static int Hash(byte[] input) => unchecked((int)input.Aggregate(2166136261, (hash, b) => (hash ^ b) * 16777619));
}
