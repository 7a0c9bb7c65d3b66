namespace Qmp.Aio.Tests;

public sealed unsafe class WatchTests(AioEngineKind kind) : LoopTestBase(kind)
{
    private int _a;
    private int _b;

    [SetUp]
    public void MakePair() => Assert.That(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK, out _a, out _b), Is.Zero);

    [TearDown]
    public void ClosePair()
    {
        _ = Libc.Close(_a);
        _ = Libc.Close(_b);
    }

    [Test]
    public void Reports_readiness_again_while_it_lasts()
    {
        var reports = 0;
        using var watch = Loop.Watch(_a, AioEvents.In, events =>
        {
            Assert.That(events, Is.EqualTo(AioEvents.In));
            reports++;
        });
        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        Assert.That(reports, Is.Zero);
        Send(_b);
        TurnUntil(() => reports == 3, "the same byte was reported three times");
        Receive(_a);
        var before = reports;
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        // One report may have been on its way.
        Assert.That(reports, Is.LessThanOrEqualTo(before + 1));
    }

    [Test]
    public void Changes_what_it_waits_for()
    {
        List<AioEvents> seen = [];
        AioWatch? watch = null;
        watch = Loop.Watch(_a, AioEvents.In, events =>
        {
            seen.Add(events);
            watch!.Update(AioEvents.None);
        });
        watch.Update(AioEvents.Out);
        TurnUntil(() => seen.Count == 1, "writable");
        Assert.That(seen[0], Is.EqualTo(AioEvents.Out));
        watch.Update(AioEvents.In);
        Send(_b);
        TurnUntil(() => seen.Count == 2, "readable");
        Assert.That(seen[1], Is.EqualTo(AioEvents.In));
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(seen, Has.Count.EqualTo(2), "reported while paused");
        watch.Dispose();
    }

    [Test]
    public void Tells_that_the_peer_closed()
    {
        var seen = AioEvents.None;
        using var watch = Loop.Watch(_a, AioEvents.In | AioEvents.ReadHangUp, events => seen |= events);
        _ = Libc.Shutdown(_b, Libc.SHUT_RDWR);
        TurnUntil(() => (seen & AioEvents.HangUp) != 0, "hang-up");
        Assert.That(seen, Is.EqualTo(AioEvents.In | AioEvents.HangUp | AioEvents.ReadHangUp));
    }

    [Test]
    public void Is_silent_after_Dispose_even_if_already_ready()
    {
        var late = 0;
        var second = 0;
        AioWatch? first = null;
        AioWatch? other = null;
        first = Loop.Watch(_a, AioEvents.In, _ =>
        {
            late++;
            other!.Dispose();
            first!.Dispose();
        });
        other = Loop.Watch(_b, AioEvents.In, _ =>
        {
            second++;
            other!.Dispose();
            first!.Dispose();
        });
        Send(_a);
        Send(_b);
        TurnUntil(() => late + second > 0, "one was ready");
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(late + second, Is.EqualTo(1));
    }

    [Test]
    public void A_descriptor_number_may_be_used_again_at_once()
    {
        for (var round = 0; round < 200; round++)
        {
            Assert.That(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK, out var near, out var far), Is.Zero);
            var reports = 0;
            var wrong = Loop.Watch(near, AioEvents.In, _ => Assert.Fail("a closed watch reported"));
            wrong.Dispose();
            _ = Libc.Close(near);
            _ = Libc.Close(far);
            Assert.That(Libc.SocketPair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK, out near, out far), Is.Zero);
            using (Loop.Watch(near, AioEvents.In, _ => reports++))
            {
                Send(far);
                TurnUntil(() => reports > 0, "the new socket was ready");
            }

            _ = Libc.Close(near);
            _ = Libc.Close(far);
        }
    }

    [Test]
    public void Two_watches_of_one_descriptor_are_apart()
    {
        var readable = 0;
        var writable = 0;
        using var read = Loop.Watch(_a, AioEvents.In, _ => readable++);
        using (Loop.Watch(_a, AioEvents.Out, _ => writable++))
        {
            TurnUntil(() => writable > 0, "writable");
            Assert.That(readable, Is.Zero);
        }

        Send(_b);
        TurnUntil(() => readable > 0, "readable");
    }

    [Test]
    public void What_is_not_a_descriptor_is_reported_once()
    {
        List<AioEvents> seen = [];
        using var watch = Loop.Watch(1_000_000, AioEvents.In, seen.Add);
        TurnUntil(() => seen.Count > 0, "the bad descriptor was reported");
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(seen, Is.EqualTo(new[] { AioEvents.Invalid | AioEvents.Error }));
    }

    [Test]
    public void An_eventfd_reports_each_signal_that_comes_after_the_last_report()
    {
        using AioEventFd kick = new();
        var reports = 0;
        using var watch = Loop.WatchEvent(kick, () => reports++);
        for (var round = 1; round <= 1000; round++)
        {
            kick.Signal();
            var expected = round;
            TurnUntil(() => reports >= expected, "the signal was reported");
        }

        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        Assert.That(reports, Is.EqualTo(1000), "reported without a signal");
    }

    [Test]
    public void An_eventfd_signalled_before_it_was_watched_or_while_paused_is_reported()
    {
        using AioEventFd kick = new();
        kick.Signal();
        var reports = 0;
        using var watch = Loop.WatchEvent(kick, () => reports++);
        TurnUntil(() => reports == 1, "the early signal was reported");
        watch.Update(AioEvents.None);
        Loop.RunOnce(mayBlock: false);
        Loop.RunOnce(mayBlock: false);
        var before = reports;
        kick.Signal();
        for (var i = 0; i < 5; i++)
        {
            Loop.RunOnce(mayBlock: false);
        }

        Assert.That(reports, Is.EqualTo(before), "reported while paused");
        watch.Update(AioEvents.In);
        TurnUntil(() => reports > before, "the signal of the pause was reported");
    }

    [Test]
    public void An_event_that_is_full_does_not_block_who_signals()
    {
        using AioEventFd full = new(Libc.EventFd());
        var most = ulong.MaxValue - 1;
        Assert.That(Libc.Write(full.Fd, &most, sizeof(ulong)), Is.EqualTo(sizeof(ulong)));
        full.Signal();
        Assert.That(full.Drain(), Is.True);
        Assert.That(full.Drain(), Is.False);
    }

    private static void Send(int fd)
    {
        byte one = 1;
        Assert.That(Libc.Send(fd, &one, 1, 0), Is.EqualTo(1));
    }

    private static void Receive(int fd)
    {
        byte one;
        Assert.That(Libc.Receive(fd, &one, 1, 0), Is.EqualTo(1));
    }
}
