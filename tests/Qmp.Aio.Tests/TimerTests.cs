namespace Qmp.Aio.Tests;

[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
[TestFixture(AioEngineKind.Simulated)]
public sealed class TimerTests(AioEngineKind kind) : LoopTestBase(kind)
{
    private const long Millisecond = 1_000_000;

    [Test]
    public void Fire_once_each_in_the_order_of_their_deadlines()
    {
        List<int> order = [];
        var now = Loop.NowNs;
        int[] delays = [5, 1, 4, 2, 3, 1];
        for (var i = 0; i < delays.Length; i++)
        {
            var number = i;
            Loop.NewTimer(() => order.Add(number)).Arm(now + (delays[i] * Millisecond));
        }

        TurnUntil(() => order.Count == delays.Length, "all timers fired");
        Assert.That(order, Is.EqualTo(new[] { 1, 5, 3, 4, 2, 0 }));
        Assert.That(Loop.NowNs, Is.GreaterThanOrEqualTo(now + (5 * Millisecond)));
    }

    [Test]
    public void Never_fire_early_and_wake_a_sleeping_loop()
    {
        var firedAt = 0L;
        var deadline = Loop.NowNs + (20 * Millisecond);
        using var timer = Loop.NewTimer(() => firedAt = Loop.NowNs);
        timer.Arm(deadline);
        TurnUntil(() => firedAt != 0, "it fired");

        Assert.That(firedAt, Is.GreaterThanOrEqualTo(deadline));
        Assert.That(timer.IsArmed, Is.False);
    }

    [Test]
    public void Do_not_fire_when_cancelled_and_fire_at_the_last_deadline_that_was_set()
    {
        var fired = 0;
        using var cancelled = Loop.NewTimer(() => fired += 100);
        using var moved = Loop.NewTimer(() => fired++);
        var now = Loop.NowNs;
        cancelled.Arm(now);
        cancelled.Cancel();
        moved.Arm(now + (3_600_000 * Millisecond));
        moved.Arm(now);
        TurnUntil(() => fired > 0, "the moved timer fired");
        Loop.RunOnce(mayBlock: false);
        Assert.That(fired, Is.EqualTo(1));
    }

    [Test]
    public void One_that_arms_itself_in_the_past_does_not_keep_the_turn()
    {
        var fired = 0;
        AioTimer? timer = null;
        timer = Loop.NewTimer(() =>
        {
            fired++;
            timer!.Arm(0);
        });
        timer.Arm(0);
        Loop.RunOnce(mayBlock: false);
        Assert.That(fired, Is.EqualTo(1));
        Loop.RunOnce(mayBlock: false);
        Assert.That(fired, Is.EqualTo(2));
        timer.Cancel();
    }

    [Test]
    public void A_heap_of_random_timers_fires_in_order_after_random_cancels()
    {
        Random random = new(7);
        TimerHeap heap = new();
        List<AioTimer> armed = [];
        List<(long Deadline, int Number)> fired = [];
        for (var i = 0; i < 2000; i++)
        {
            var number = i;
            AioTimer? timer = null;
            timer = Loop.NewTimer(() => fired.Add((timer!.DeadlineNs, number)));
            heap.Arm(timer, random.Next(100));
            armed.Add(timer);
            if (random.Next(3) == 0)
            {
                var victim = armed[random.Next(armed.Count)];
                heap.Remove(victim);
                armed.Remove(victim);
            }
        }

        heap.RunDue(1000);
        Assert.That(heap.Count, Is.Zero);
        Assert.That(fired, Has.Count.EqualTo(armed.Count));
        Assert.That(fired, Is.Ordered.By("Item1").Then.By("Item2"));
    }
}
