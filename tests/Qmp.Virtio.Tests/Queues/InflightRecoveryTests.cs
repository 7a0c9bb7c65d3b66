using Qmp.Testing.VhostUser;
using Qmp.Virtio.Queues;

namespace Qmp.Virtio.Tests.Queues;

/// <summary>
/// The back end is killed between any two stores; the next one finds exactly the requests that the driver still waits
/// for, in their order, and none that it has seen completed.
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed unsafe class InflightRecoveryTests(bool packed)
{
    [TearDown]
    public void Unhook() => CrashPoint.Hook = null;

    [Test]
    public void Killed_at_every_step([Range(1, 12)] int seed)
    {
        int crashAt = 1;
        while (KilledOnce(seed, crashAt))
        {
            crashAt++;
        }
        Assert.That(crashAt, Is.GreaterThan(15), "places that were tried");
    }

    [Test]
    public void Killed_again_and_again()
    {
        var random = new Random(3);
        using var t = new QueueUnderTest(packed, size: 8, inflight: true);
        var story = new Story(t, random);
        int crashes = 0;
        for (int i = 0; i < 300; i++)
        {
            int points = 0;
            int crashAt = random.Next(1, 40);
            CrashPoint.Hook = () =>
            {
                if (++points == crashAt)
                {
                    throw new KilledException();
                }
            };
            try
            {
                for (int step = 0; step < 20; step++)
                {
                    story.Step();
                }
            }
            catch (KilledException)
            {
                crashes++;
                CrashPoint.Hook = null;
                story.RecoverAndCheck();
            }
        }
        CrashPoint.Hook = null;
        Assert.That(crashes, Is.GreaterThan(50));
        story.RecoverAndCheck();
        story.FinishAll();
    }

    [Test]
    public void A_queue_stopped_in_good_order_goes_on_at_its_base()
    {
        using var t = new QueueUnderTest(packed, size: 8, inflight: true);
        for (int i = 0; i < 13; i++)
        {
            t.Add([16], [1]);
            t.Driver.Publish();
            Assert.That(t.ServeOne(), Is.GreaterThanOrEqualTo(0));
            Assert.That(t.Driver.TryTakeUsed(out _, out _), Is.True);
        }
        uint at = t.Queue.Base;
        t.Queue.RetireInflight();
        Assert.That(t.Restart(at), Is.Zero);
        t.Add([16], [1]);
        t.Driver.Publish();
        Assert.That(t.ServeOne(), Is.GreaterThanOrEqualTo(0));
        Assert.That(t.Driver.TryTakeUsed(out _, out _), Is.True);
    }

    // False when the story ended before that many places were passed.
    private bool KilledOnce(int seed, int crashAt)
    {
        var random = new Random(seed);
        using var t = new QueueUnderTest(packed, size: packed ? 7 : 8, inflight: true);
        var story = new Story(t, random);
        int points = 0;
        CrashPoint.Hook = () =>
        {
            if (++points == crashAt)
            {
                throw new KilledException();
            }
        };
        try
        {
            for (int step = 0; step < 60; step++)
            {
                story.Step();
            }
            return false;
        }
        catch (KilledException)
        {
            CrashPoint.Hook = null;
            story.RecoverAndCheck();
            for (int step = 0; step < 40; step++)
            {
                story.Step();
            }
            story.FinishAll();
            return true;
        }
        finally
        {
            CrashPoint.Hook = null;
        }
    }

    private sealed class KilledException : Exception;

    /// <summary>A driver and a device at random work, and what each may expect.</summary>
    private sealed class Story(QueueUnderTest t, Random random)
    {
        // By the length of the first buffer, which is different for every request.
        private readonly Dictionary<int, uint> _tagOfId = [];
        private readonly List<uint> _waiting = [];
        private readonly List<uint> _popOrder = [];
        private readonly List<int> _taken = [];
        private uint _next = 16;

        public void Step()
        {
            switch (random.Next(5))
            {
                case 0:
                case 1:
                    int length = random.Next(1, 4);
                    bool indirect = length > 1 && random.Next(3) == 0;
                    if (t.Driver.Free >= (indirect ? 1 : length))
                    {
                        var buffers = new List<RingBuffer> { new(GuestRam.FirstAddress, _next, false) };
                        for (int i = 1; i < length; i++)
                        {
                            buffers.Add(new(GuestRam.FirstAddress + 4096, 64, true));
                        }
                        _tagOfId[t.Driver.Add(buffers.ToArray(), indirect)] = _next;
                        _waiting.Add(_next++);
                        t.Driver.Publish();
                    }
                    break;
                case 2:
                    int slot = t.Queue.Pop();
                    Assert.That(t.Queue.Broken, Is.Null);
                    if (slot >= 0)
                    {
                        _popOrder.Add(t.Queue.Chain(slot)->OutBytes);
                        _taken.Add(slot);
                    }
                    break;
                case 3:
                    if (_taken.Count != 0)
                    {
                        int at = random.Next(_taken.Count);
                        t.Queue.Push(_taken[at], 1);
                        _taken.RemoveAt(at);
                    }
                    break;
                default:
                    t.Queue.Flush();
                    Collect();
                    break;
            }
        }

        public void RecoverAndCheck()
        {
            Collect();
            _taken.Clear();
            // A front end that lost its back end has no better base than an old one.
            int resubmit = t.Restart(t.Driver.FirstBase);
            var again = new List<uint>();
            int slot;
            while ((slot = t.Queue.PopInflight()) >= 0)
            {
                again.Add(t.Queue.Chain(slot)->OutBytes);
                _taken.Add(slot);
            }
            Assert.That(t.Queue.Broken, Is.Null);
            Assert.That(again, Has.Count.EqualTo(resubmit));
            // A kill inside Pop comes before the story notes the request: at most the last one is new.
            Assert.That(again.Where(_popOrder.Contains), Is.Ordered.Ascending.And.SubsetOf(_waiting));
            while ((slot = t.Queue.Pop()) >= 0)
            {
                again.Add(t.Queue.Chain(slot)->OutBytes);
                _popOrder.Add(t.Queue.Chain(slot)->OutBytes);
                _taken.Add(slot);
            }
            Assert.That(t.Queue.Broken, Is.Null);
            Assert.That(again, Is.EqualTo(_waiting), "exactly what the driver waits for, in its order");
            foreach (uint tag in again)
            {
                if (!_popOrder.Contains(tag))
                {
                    _popOrder.Add(tag);
                }
            }
        }

        public void FinishAll()
        {
            int slot;
            while ((slot = t.Queue.Pop()) >= 0)
            {
                _taken.Add(slot);
            }
            foreach (int taken in _taken.OrderBy(_ => random.Next()))
            {
                t.Queue.Push(taken, 1);
                if (random.Next(2) == 0)
                {
                    t.Queue.Flush();
                    Collect();
                }
            }
            _taken.Clear();
            t.Queue.Flush();
            Collect();
            Assert.That(_waiting, Is.Empty);
        }

        private void Collect()
        {
            while (t.Driver.TryTakeUsed(out int id, out _))
            {
                Assert.That(_waiting.Remove(_tagOfId[id]), Is.True, "completed once only");
            }
        }
    }
}
