namespace Qmp.Aio.Tests;

public sealed class PollingTests(AioEngineKind kind) : LoopTestBase(kind)
{
    [Test]
    public void The_spin_grows_while_it_is_too_short_and_goes_when_it_is_useless()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        List<long> seen = [];
        foreach (var waited in new long[] { 10_000, 10_000, 10_000, 10_000, 20_000, 20_000, 1_000_000, 10_000 })
        {
            poller.Adjust(waited);
            seen.Add(poller.CurrentNs);
        }

        Assert.That(seen, Is.EqualTo(new long[] { 4000, 8000, 16000, 16000, 32000, 32000, 0, 4000 }));
    }

    [Test]
    public void Grow_and_shrink_are_factors_and_the_limit_holds()
    {
        BusyPoller poller = new() { MaxNs = 100_000, Grow = 10, Shrink = 4 };
        List<long> seen = [];
        foreach (var waited in new long[] { 90_000, 90_000, 90_000, 200_000, 200_000 })
        {
            poller.Adjust(waited);
            seen.Add(poller.CurrentNs);
        }

        Assert.That(seen, Is.EqualTo(new long[] { 4000, 40_000, 100_000, 25_000, 6250 }));
        poller.MaxNs = 0;
        poller.Adjust(1);
        Assert.That(poller.CurrentNs, Is.Zero);
    }

    [Test]
    public void Spins_that_catch_nothing_make_longer_and_longer_pauses()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        poller.Adjust(10_000);
        List<int> pauses = [];
        for (var round = 0; round < 9; round++)
        {
            // More than half of a window of 32.
            for (var miss = 0; miss < 17; miss++)
            {
                Assert.That(poller.NextSpinNs(), Is.EqualTo(4000));
                poller.NoteSpin(caught: false, 4000);
            }

            var pause = 0;
            while (poller.NextSpinNs() == BusyPoller.Paused)
            {
                pause++;
            }

            pauses.Add(pause);
        }

        Assert.That(pauses, Is.EqualTo(new[] { 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096 }));
        for (var spin = 0; spin < 32; spin++)
        {
            poller.NoteSpin(caught: spin % 2 == 0, 4000);
        }

        Assert.That(poller.NextSpinNs(), Is.EqualTo(4000), "half of them caught work: no pause");
    }

    [Test]
    public void Waits_that_are_all_too_long_are_not_timed_for_ever()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        for (var wait = 0; wait < 17; wait++)
        {
            Assert.That(poller.NextSpinNs(), Is.Zero, "it may become worth its while");
            poller.Adjust(40_000);
        }

        Assert.That(poller.NextSpinNs(), Is.EqualTo(BusyPoller.Paused));
    }

    [TestCase(32768, 16_000, false)]
    [TestCase(32768, 17_000, true)]
    [TestCase(1_000_000, 400_000, false, Description = "whoever permits long spins wants them")]
    public void Spins_that_cost_more_than_they_spare_pause(long max, long spent, bool pauses)
    {
        BusyPoller poller = new() { MaxNs = max };
        for (var spin = 0; spin < 32; spin++)
        {
            poller.NoteSpin(caught: true, spent);
        }

        Assert.That(poller.NextSpinNs() == BusyPoller.Paused, Is.EqualTo(pauses));
    }

    [Test]
    public void A_signal_through_the_loop_arrives_before_it_sleeps()
    {
        using AioEventFd call = new();
        var signals = 0;
        using var watch = Loop.WatchEvent(call, () => signals++);
        Loop.Schedule(_ => Loop.Signal(call));
        TurnUntil(() => signals == 1, "the signal");
        Loop.Schedule(_ => Loop.Signal(call));
        TurnUntil(() => signals == 2, "the second signal");
    }

    [Test]
    public void A_handler_is_found_by_looking_and_told_before_the_loop_sleeps()
    {
        using AioEventFd kick = new();
        Handler handler = new();
        Loop.PollMaxNs = 2_000_000_000;
        using var watch = Loop.WatchEvent(kick, handler);

        // A first wait teaches the loop to spin.
        kick.Signal();
        TurnUntil(() => handler.Signals == 1, "the first event");
        using var timer = Loop.NewTimer(() => handler.Work = 1);
        timer.Arm(Loop.NowNs + 1_000_000);
        TurnUntil(() => handler.Done == 1, "work without an event was found by looking");
        Assert.That(handler.Signals, Is.EqualTo(1));

        Loop.PollMaxNs = 0;
        kick.Signal();
        TurnUntil(() => handler.Signals == 2, "the second event");
        Assert.That(handler.IsPolled, Is.False, "the loop slept while the other side was told not to signal");
        Assert.That(handler.Begins, Is.EqualTo(handler.Ends));
    }

    [Test]
    public void Work_that_comes_as_the_spin_ends_is_not_lost()
    {
        using AioEventFd kick = new();
        Handler handler = new() { WorkAtPollEnd = true };
        Loop.PollMaxNs = 100_000;
        using var watch = Loop.WatchEvent(kick, handler);
        for (var i = 0; i < 50; i++)
        {
            kick.Signal();
            var expected = handler.Signals + 1;
            TurnUntil(() => handler.Signals >= expected, "the event");
        }

        TurnUntil(() => !handler.IsPolled, "the loop stopped looking");
        Assert.That(handler.Work, Is.Zero);
        Assert.That(handler.Done, Is.EqualTo(handler.Ends));
    }

    [Test]
    public void A_handler_that_leaves_while_polled_is_told()
    {
        using AioEventFd kick = new();
        Handler handler = new();
        Loop.PollMaxNs = 2_000_000_000;
        var watch = Loop.WatchEvent(kick, handler);
        kick.Signal();
        TurnUntil(() => handler.Signals == 1, "the event");
        using var timer = Loop.NewTimer(watch.Dispose);
        timer.Arm(Loop.NowNs + 1_000_000);
        TurnUntil(() => !timer.IsArmed, "the watch was disposed");
        Assert.That(handler.IsPolled, Is.False);
        kick.Signal();
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(handler.Signals, Is.EqualTo(1));
    }

    private sealed class Handler : IAioEventHandler
    {
        public int Signals { get; private set; }

        public int Begins { get; private set; }

        public int Ends { get; private set; }

        public int Work { get; set; }

        public int Done { get; private set; }

        public bool IsPolled { get; private set; }

        public bool WorkAtPollEnd { get; init; }

        public void OnSignalled() => Signals++;

        public bool Poll()
        {
            var found = Work > 0;
            Done += Work;
            Work = 0;
            return found;
        }

        public void PollBegin()
        {
            Assert.That(IsPolled, Is.False);
            IsPolled = true;
            Begins++;
        }

        public void PollEnd()
        {
            Assert.That(IsPolled, Is.True);
            IsPolled = false;
            Ends++;
            Work += WorkAtPollEnd ? 1 : 0;
        }
    }
}
