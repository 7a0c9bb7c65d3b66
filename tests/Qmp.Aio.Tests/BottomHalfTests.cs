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
}
