namespace Qmp.Aio.Tests;

/// <summary>
/// The wake-up protocol under every interleaving of its steps, with the real list and the real flag: two publishers
/// push one bottom half each while the loop goes to sleep. See the steps in <see cref="WakeUp"/>.
/// </summary>
public sealed class WakeUpTests
{
    private const int Publishers = 2;

    // Steps of a publisher: P1 push, P3/P4 claim, P4 signal (if claimed).
    // Steps of the loop: L1 prepare, L2 look, L3 sleep (only passes once signalled), L4 awake, L5 take.
    private const int LoopSteps = 5;
    private const int PublisherSteps = 3;

    [Test]
    public void No_interleaving_loses_a_wake_up()
    {
        Explorer explorer = new();
        explorer.Explore([]);
        Assert.That(explorer.Complete, Is.GreaterThan(500), "the exploration itself is broken");
        Assert.That(explorer.Slept, Is.GreaterThan(0), "no interleaving slept: nothing was tested");
        Assert.That(explorer.Stuck, Is.Empty);
    }

    [Test]
    public void Without_the_second_look_some_interleaving_is_lost()
    {
        // The test of the test.
        Explorer explorer = new() { SkipSecondLook = true };
        explorer.Explore([]);
        Assert.That(explorer.Stuck, Is.Not.Empty);
    }

    private sealed class Explorer
    {
        public bool SkipSecondLook { get; init; }

        public int Complete { get; private set; }

        public int Slept { get; private set; }

        public List<string> Stuck { get; } = [];

        /// <summary>Tries every continuation of <paramref name="schedule"/>; who runs a step: 0 the loop, else a publisher.</summary>
        public void Explore(List<int> schedule)
        {
            World world = new(SkipSecondLook);
            foreach (var who in schedule)
            {
                world.Step(who);
            }

            var moved = false;
            for (var who = 0; who <= Publishers; who++)
            {
                if (world.CanStep(who))
                {
                    moved = true;
                    Explore([.. schedule, who]);
                }
            }

            if (!moved)
            {
                Complete++;
                Slept += world.Slept ? 1 : 0;
                if (world.Taken != Publishers)
                {
                    Stuck.Add(string.Join(' ', schedule));
                }
            }
        }
    }

    private sealed class World(bool skipSecondLook)
    {
        private readonly int[] _next = new int[Publishers + 1];
        private readonly bool[] _claimed = new bool[Publishers + 1];
        private BottomHalfList _list;
        private WakeUp _wakeUp;
        private bool _signalled;
        private bool _sleeps;

        public bool Slept { get; private set; }

        public int Taken { get; private set; }

        public bool CanStep(int who)
        {
            if (who > 0)
            {
                return _next[who] < PublisherSteps;
            }

            // The loop turns until it has taken everything; asleep it moves only when signalled.
            return Taken < Publishers && (_next[0] != 2 || !_sleeps || _signalled);
        }

        public void Step(int who)
        {
            var step = _next[who]++;
            if (who > 0)
            {
                switch (step)
                {
                    case 0:
                        _list.Push(OneShotBottomHalf.Rent(static _ => { }, null));
                        break;
                    case 1:
                        _claimed[who] = _wakeUp.ClaimWake();
                        break;
                    default:
                        _signalled |= _claimed[who];
                        break;
                }

                return;
            }

            switch (step)
            {
                case 0:
                    _wakeUp.PrepareToSleep();
                    break;
                case 1:
                    _sleeps = skipSecondLook || _list.IsEmpty;
                    break;
                case 2:
                    Slept |= _sleeps;
                    _signalled = false;
                    break;
                case 3:
                    _wakeUp.Awake();
                    break;
                default:
                    for (var node = _list.TakeAll(); node is not null; node = node.Next)
                    {
                        Taken++;
                    }

                    _next[0] = 0;
                    break;
            }

            Assert.That(_next[0], Is.LessThan(LoopSteps));
        }
    }
}
