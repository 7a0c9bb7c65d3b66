using System.Diagnostics;
using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block.Tests;

/// <summary><c>null-co</c> and <c>null-aio</c>.</summary>
[TestFixture(AioEngineKind.IoUring)]
[TestFixture(AioEngineKind.Threads)]
public sealed class NullDriverTests(AioEngineKind kind) : BlockTestBase(kind)
{
    [TestCase(false, null, true)]
    [TestCase(true, null, false)]
    [TestCase(false, 1000ul, false)]
    public async Task One_completes_at_once_the_others_later(bool isAsynchronous, ulong? latencyNs, bool atOnce)
    {
        await Main.Enter();
        var backend = await UseAsync(await Graph.OpenAsync(NullOptions("n", 1 << 20, isAsynchronous, latencyNs)));
        using ScatterRequest request = new(BlockOp.Write, 0, 1, 4096);
        backend.Submit(request);
        Assert.That(request.CompletionCount, Is.EqualTo(atOnce ? 1 : 0));
        Assert.That(await request.Completion.WaitAsync(Patience), Is.Zero);
        Assert.That(request.CompletionCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Latency_is_kept_for_each_request_and_their_order_too()
    {
        await Main.Enter();
        var backend = await UseAsync(await Graph.OpenAsync(NullOptions("n", 1 << 20, isAsynchronous: true, 20_000_000)));
        List<int> order = [];
        var start = Stopwatch.GetTimestamp();
        ScatterRequest[] requests = [.. Enumerable.Range(0, 10).Select(i => new ScatterRequest(BlockOp.Write, 0, 1, 512) { Then = _ => order.Add(i) })];
        foreach (var request in requests)
        {
            backend.Submit(request);
        }

        await Task.WhenAll(requests.Select(static request => request.Completion)).WaitAsync(Patience);
        Assert.That(Stopwatch.GetElapsedTime(start).TotalMilliseconds, Is.GreaterThanOrEqualTo(20));
        Assert.That(order, Is.EqualTo(Enumerable.Range(0, 10)));
        foreach (var request in requests)
        {
            request.Dispose();
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Zeroes_are_read_if_asked_for(bool readsZeroes)
    {
        await Main.Enter();
        var node = await Graph.OpenAsync(new BlockdevOptions
        {
            Driver = BlockdevDriver.NullCo,
            NodeName = "n",
            NullCo = new BlockdevOptionsNull { ReadZeroes = readsZeroes },
        });
        var backend = await UseAsync(node);
        var sector = new byte[512];
        Array.Fill(sector, (byte)1);
        Assert.That(await backend.ReadAsync(0, sector), Is.Zero);
        Assert.That(sector, Is.All.EqualTo(readsZeroes ? 0 : 1));
        Assert.That((await node.GetStatusAsync(0, 512)).Flags.HasFlag(BlockStatusFlags.Zero), Is.EqualTo(readsZeroes));
    }
}
