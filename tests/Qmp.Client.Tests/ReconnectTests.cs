using System.Collections.Concurrent;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>A daemon that dies and comes back.</summary>
[TestFixture]
public sealed class ReconnectTests
{
    private static readonly QmpClientOptions Options = new()
    {
        CallTimeout = TimeSpan.FromSeconds(60),
        Reconnect = new QmpReconnectPolicy { FirstDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(50) },
    };

    [Test]
    public async Task CallsWaitForTheDaemonThatComesBackAndSubscriptionsLiveOn()
    {
        using var folder = new WorkFolder();
        var first = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        await using var client = await QmpClient.ConnectAsync(folder.File("qmp.sock"), Options);
        var changes = new ConcurrentQueue<QmpConnectionChange>();
        var lost = new TaskCompletionSource();
        client.ConnectionChanged += change =>
        {
            changes.Enqueue(change);
            if (change.State == QmpConnectionState.Reconnecting)
            {
                lost.TrySetResult();
            }
        };
        using var events = client.Subscribe();
        await first.KillAsync();
        await first.DisposeAsync();
        await lost.Task;
        var waiting = client.QueryVersionAsync();
        Assert.That(waiting.IsCompleted, Is.False);

        await using var second = await Daemon.StartWithMonitorAsync(DaemonProgram.Qmpd, folder.Path);
        Assert.That((await waiting).Package, Does.StartWith("qmpd-"));
        Assert.That(client.State, Is.EqualTo(QmpConnectionState.Connected));
        Assert.That(changes.First().Reason, Is.InstanceOf<QmpConnectionException>());
        Assert.That(changes.Last().State, Is.EqualTo(QmpConnectionState.Connected));
        Assert.That(events.TryNext(out _), Is.False);
        await client.DisposeAsync();
        Assert.That(await events.ToListAsync(), Is.Empty);
    }

    [Test]
    public async Task GivesUpAfterTheLastAttempt()
    {
        using var folder = new WorkFolder();
        var changes = new ConcurrentQueue<QmpConnectionState>();
        var client = QmpClient.Start(
            folder.File("nobody.sock"),
            Options with { Reconnect = Options.Reconnect! with { MaxAttempts = 3, RetryFirstConnection = true } });
        client.ConnectionChanged += change => changes.Enqueue(change.State);
        var failed = (await Assert.ThrowsAsync<QmpConnectionException>(() => client.Ready))!;
        Assert.That(failed.Message, Does.Contain("nobody.sock"));
        await Assert.ThrowsAsync<QmpConnectionException>(() => client.QueryVersionAsync());
        await client.DisposeAsync();
        Assert.That(client.State, Is.EqualTo(QmpConnectionState.Closed));
    }

    [Test]
    public async Task TheFirstConnectionFailsAtOnceWithoutAPolicyForIt()
    {
        using var folder = new WorkFolder();
        var failed = (await Assert.ThrowsAsync<QmpConnectionException>(() => QmpClient.ConnectAsync(folder.File("nobody.sock"), Options)))!;
        Assert.That(failed.Message, Does.Contain("nobody.sock"));
    }

    [TestCase(1, 100)]
    [TestCase(2, 200)]
    [TestCase(5, 1600)]
    [TestCase(8, 10_000)]
    [TestCase(int.MaxValue, 10_000)]
    public void DelaysGrowToTheirLimit(int attempt, int milliseconds) =>
        Assert.That(new QmpReconnectPolicy().DelayBefore(attempt), Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    [Test]
    public void WhatIsOpenAlreadyCannotBeConnectedToAgain() =>
        Assert.Throws<ArgumentException>(() => QmpClient.Start(QmpEndpoint.Stream(Stream.Null), Options));
}
