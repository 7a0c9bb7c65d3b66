namespace Qmp.Aio.Tests;

public sealed class PollingTests(AioEngineKind kind) : LoopTestBase(kind)
{
    private const int Window = 32;
    private const int TooManyMisses = 17;

    [Test]
    public void Spins_are_tried_at_full_length_and_stay_while_half_of_them_catch()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        for (var spin = 0; spin < 3 * Window; spin++)
        {
            Assert.That(poller.NextSpinNs(isForIo: false), Is.EqualTo(32768));
            poller.NoteSpin(caught: spin % 2 == 0, 8000);
        }
    }

    [Test]
    public void Spins_that_catch_nothing_make_longer_and_longer_pauses()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        List<int> pauses = [];
        for (var round = 0; round < 9; round++)
        {
            Miss(ref poller, isForIo: false);
            pauses.Add(Pause(ref poller, isForIo: false));
        }

        Assert.That(pauses, Is.EqualTo(new[] { 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096 }));
        Catch(ref poller, 1000);
        Miss(ref poller, isForIo: false);
        Assert.That(Pause(ref poller, isForIo: false), Is.EqualTo(64), "they had paid in between");
    }

    [TestCase(32768, 24_000, 0)]
    [TestCase(32768, 25_000, 64)]
    [TestCase(1_000_000, 700_000, 0, Description = "whoever permits long spins wants them")]
    public void Spins_that_cost_more_than_they_spare_pause(long max, long spent, int pause)
    {
        BusyPoller poller = new() { MaxNs = max };
        Catch(ref poller, spent);
        Assert.That(Pause(ref poller, isForIo: false), Is.EqualTo(pause));
    }

    /// <summary>A disk that is slow keeps nobody from looking for its guest; a guest that comes seldom waits for its disk asleep.</summary>
    [Test]
    public void Spins_for_the_disk_are_judged_by_themselves_and_need_those_for_the_guest()
    {
        BusyPoller poller = new() { MaxNs = 32768 };
        Miss(ref poller, isForIo: true);
        Assert.That(poller.NextSpinNs(isForIo: false), Is.EqualTo(32768));
        Assert.That(Pause(ref poller, isForIo: true), Is.EqualTo(64));

        Miss(ref poller, isForIo: false);
        Assert.That(Pause(ref poller, isForIo: true), Is.EqualTo(64), "the pause for the guest");
        Assert.That(poller.NextSpinNs(isForIo: false), Is.EqualTo(32768), "and each sleep counted");
    }

    [Test]
    public void Longer_spins_than_the_first_come_by_waits_that_they_would_have_caught()
    {
        BusyPoller poller = new() { MaxNs = 1_000_000, Grow = 10 };
        List<long> seen = [poller.NextSpinNs(isForIo: false)];
        foreach (var waited in new long[] { 2_000_000, 900_000, 900_000, 900_000 })
        {
            poller.NoteWait(waited);
            seen.Add(poller.NextSpinNs(isForIo: false));
        }

        Assert.That(seen, Is.EqualTo(new long[] { 50_000, 50_000, 500_000, 1_000_000, 1_000_000 }));
        poller.MaxNs = 100_000;
        Assert.That(poller.NextSpinNs(isForIo: false), Is.LessThanOrEqualTo(100_000), "the limit holds at once");
        poller.MaxNs = 0;
        Assert.That(poller.NextSpinNs(isForIo: false), Is.Zero);
    }

    [Test]
    public void Useless_spins_shrink_by_the_divisor_before_they_pause()
    {
        BusyPoller poller = new() { MaxNs = 32768, Shrink = 2 };
        List<long> seen = [];
        for (var spin = poller.NextSpinNs(isForIo: false); spin > 0; spin = poller.NextSpinNs(isForIo: false))
        {
            seen.Add(spin);
            Miss(ref poller, isForIo: false);
        }

        Assert.That(seen, Is.EqualTo(new long[] { 32768, 16384, 8192, 4096 }));
    }

    [Test]
    public void A_loop_without_guests_spins_for_others()
    {
        Loop.PollMaxNs = 2_000_000_000;
        var found = false;
        for (var round = 0; round < 100 && !found; round++)
        {
            var done = false;
            var other = Task.Run(() => Loop.Schedule(_ => (found, done) = (Loop.IsPolling, true)));
            TurnUntil(() => done, "what another thread scheduled");
            other.Wait();
        }

        Assert.That(found, Is.True, "it always slept");
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

    private static void Miss(ref BusyPoller poller, bool isForIo) => Spin(ref poller, isForIo, caught: false, TooManyMisses, 1000);

    private static void Catch(ref BusyPoller poller, long spentNs) => Spin(ref poller, isForIo: false, caught: true, Window, spentNs);

    private static void Spin(ref BusyPoller poller, bool isForIo, bool caught, int spins, long spentNs)
    {
        for (var spin = 0; spin < spins; spin++)
        {
            Assert.That(poller.NextSpinNs(isForIo), Is.Positive);
            poller.NoteSpin(caught, spentNs);
        }
    }

    /// <summary>Sleeps without a spin that follow.</summary>
    private static int Pause(ref BusyPoller poller, bool isForIo)
    {
        var pause = 0;
        while (poller.NextSpinNs(isForIo) == 0)
        {
            pause++;
        }

        return pause;
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
