namespace Qmp.Aio.Tests;

[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
[TestFixture(AioEngineKind.Simulated)]
public sealed class BottomHalfTests(AioEngineKind kind) : LoopTestBase(kind)
{
    [Test]
    public void Run_in_the_order_of_scheduling_and_never_inside_the_caller()
    {
        List<int> order = [];
        for (var i = 0; i < 100; i++)
        {
            Loop.Schedule(state => order.Add((int)state!), i);
        }

        Assert.That(order, Is.Empty);
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 100)));
    }

    [Test]
    public void One_scheduled_by_another_runs_on_the_next_turn()
    {
        List<string> order = [];
        Loop.Schedule(() =>
        {
            order.Add("first");
            Loop.Schedule(() => order.Add("third"));
        });
        Loop.Schedule(() => order.Add("second"));
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Is.EqualTo(new[] { "first", "second" }));
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Is.EqualTo(new[] { "first", "second", "third" }));
    }

    [Test]
    public void A_reusable_one_merges_until_it_runs_and_can_schedule_itself()
    {
        var runs = 0;
        BottomHalf? half = null;
        half = Loop.NewBottomHalf(() =>
        {
            if (++runs < 3)
            {
                half!.Schedule();
                half.Schedule();
            }
        });
        half.Schedule();
        half.Schedule();
        Loop.RunOnce(mayBlock: false);
        Assert.That(runs, Is.EqualTo(1));
        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        Assert.That(runs, Is.EqualTo(3));
    }

    [Test]
    public void A_cancelled_one_does_not_run_but_may_be_scheduled_again()
    {
        var runs = 0;
        var half = Loop.NewBottomHalf(() => runs++);
        half.Schedule();
        half.Cancel();
        Loop.RunOnce(mayBlock: false);
        Assert.That(runs, Is.Zero);
        half.Schedule();
        half.Cancel();
        half.Schedule();
        Loop.RunOnce(mayBlock: false);
        Assert.That(runs, Is.EqualTo(1));
        half.Schedule();
        half.Dispose();
        Loop.RunOnce(mayBlock: false);
        half.Schedule();
        Loop.RunOnce(mayBlock: false);
        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public void An_idle_one_lets_other_work_go_first()
    {
        List<string> order = [];
        var idle = Loop.NewBottomHalf(() => order.Add("idle"));
        idle.ScheduleIdle();
        Loop.Schedule(() =>
        {
            order.Add("one");
            Loop.Schedule(() => order.Add("two"));
        });
        TurnUntil(() => order.Count == 3, "all three ran");
        Assert.That(order, Is.EqualTo(new[] { "one", "two", "idle" }));
    }

    [Test]
    public void An_idle_one_that_is_scheduled_after_all_runs_once()
    {
        var runs = 0;
        var half = Loop.NewBottomHalf(() => runs++);
        half.ScheduleIdle();
        half.Schedule();
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public void An_idle_one_may_be_cancelled_and_goes_on_again_later()
    {
        var runs = 0;
        var half = Loop.NewBottomHalf(() => runs++);
        half.ScheduleIdle();
        Loop.Schedule(half.Cancel);
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(runs, Is.Zero);
        half.ScheduleIdle();
        TurnUntil(() => runs == 1, "the idle one ran");
    }

    [Test]
    public void What_a_callback_throws_leaves_the_turn_and_the_rest_still_runs_in_order()
    {
        List<int> order = [];
        Loop.Schedule(() => order.Add(1));
        Loop.Schedule(() => throw new InvalidDataException("thrown on purpose"));
        Loop.Schedule(() => order.Add(2));
        Assert.That(() => Loop.RunOnce(mayBlock: false), Throws.TypeOf<InvalidDataException>());
        Loop.Schedule(() => order.Add(3));
        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public void From_many_threads_each_runs_once_and_in_its_threads_order()
    {
        RequireThreads();
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
        RequireThreads();
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
