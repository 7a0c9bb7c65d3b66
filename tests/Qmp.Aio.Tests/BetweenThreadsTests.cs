namespace Qmp.Aio.Tests;

public sealed class BetweenThreadsTests(AioEngineKind kind) : LoopTestBase(kind)
{
    [Test]
    public void From_many_threads_each_runs_once_and_in_its_threads_order()
    {
        const int threads = 4;
        const int perThread = 20_000;
        var next = new int[threads];
        var outOfOrder = 0;
        var left = threads * perThread;
        using IoThread target = new("target", Kind);
        using ManualResetEventSlim done = new();
        var producers = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            for (var i = 0; i < perThread; i++)
            {
                target.Context.Schedule(
                    state =>
                    {
                        var (who, number) = ((int, int))state!;
                        outOfOrder += next[who]++ == number ? 0 : 1;
                        if (--left == 0)
                        {
                            done.Set();
                        }
                    },
                    (thread, i));
            }
        })).ToList();
        producers.ForEach(thread => thread.Start());
        Assert.That(done.Wait(Patience), Is.True, "a bottom half was lost");
        producers.ForEach(thread => thread.Join());
        Assert.That(outOfOrder, Is.Zero);
    }

    [Test]
    public void Steady_traffic_between_two_loops_allocates_nothing()
    {
        using IoThread a = new("a", Kind);
        using IoThread b = new("b", Kind);
        PingPong game = new(a.Context, b.Context);
        game.Play(5_000);
        Assert.That(game.Done.Wait(Patience), Is.True);
        game.Play(5_000);
        Assert.That(game.Done.Wait(Patience), Is.True);
        Assert.That(game.AllocatedBytes, Is.Zero);
    }

    private sealed class PingPong(AioContext a, AioContext b)
    {
        private static readonly Action<object?> OnA = static game => ((PingPong)game!).AtA();
        private static readonly Action<object?> OnB = static game => ((PingPong)game!).AtB();

        private int _left;
        private long _startA;
        private long _startB;
        private long _allocatedB;

        public ManualResetEventSlim Done { get; } = new();

        public long AllocatedBytes { get; private set; }

        public void Play(int rounds)
        {
            Done.Reset();
            _left = rounds;
            _startB = -1;
            a.Schedule(_ => _startA = GC.GetAllocatedBytesForCurrentThread());
            a.Schedule(OnA, this);
        }

        private void AtA()
        {
            if (_left-- > 0)
            {
                b.Schedule(OnB, this);
                return;
            }

            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _startA + _allocatedB;
            Done.Set();
        }

        private void AtB()
        {
            var now = GC.GetAllocatedBytesForCurrentThread();
            if (_startB < 0)
            {
                _startB = now;
            }

            _allocatedB = now - _startB;
            a.Schedule(OnA, this);
        }
    }
}
