using System.Text.Json.Nodes;
using Qmp.Client.Schema;
using Qmp.Testing;

namespace Qmp.Client.Tests;

/// <summary>Jobs of the real storage daemon, awaited to their ends.</summary>
[TestFixture]
public sealed class JobTests
{
    private static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync(DaemonProgram.Peer ?? throw new InvalidOperationException("qemu-storage-daemon is not installed"));
        foreach (var name in new[] { "source", "target" })
        {
            var path = Path.Combine(server.Folder, name + ".img");
            await using (var file = File.Create(path))
            {
                file.SetLength(8 << 20);
            }

            await server.Client.ExecuteAsync(
                "blockdev-add", new JsonObject { ["driver"] = "file", ["node-name"] = name, ["filename"] = path });
        }

        return server;
    }

    private static JsonObject Mirror(string id, params (string Name, JsonNode Value)[] more)
    {
        var arguments = new JsonObject { ["job-id"] = id, ["device"] = "source", ["target"] = "target", ["sync"] = "full" };
        foreach (var (name, value) in more)
        {
            arguments[name] = value;
        }

        return arguments;
    }

    [Test]
    public async Task AMirrorIsCompletedWhenItIsReady()
    {
        await using var server = await StartAsync();
        var seen = new List<string>();
        var job = await server.Client.RunJobAsync(
            "job0",
            () => server.Client.BlockdevMirrorAsync("source", "target", MirrorSyncMode.Full, jobId: "job0"),
            new QmpJobOptions { CompleteWhenReady = true, Progress = new Recorder(seen) });
        Assert.That((job.Id, job.Error), Is.EqualTo(("job0", (string?)null)));
        Assert.That(seen, Does.Contain("ready"));
        Assert.That((await server.Client.ExecuteAsync("query-jobs")).GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task AJobThatStaysIsDismissedWithItsError()
    {
        await using var server = await StartAsync();
        var options = new BlockdevCreateOptions
        {
            Driver = BlockdevDriver.Qcow2,
            Qcow2 = new BlockdevCreateOptionsQcow2 { File = new BlockdevRef { Reference = "nothing" }, Size = 1024 },
        };
        var failed = (await Assert.ThrowsAsync<QmpJobException>(
            () => server.Client.RunJobAsync("job1", () => server.Client.BlockdevCreateAsync("job1", options))))!;
        Assert.That(failed.Job.Status, Is.EqualTo("concluded"));
        Assert.That(failed.Message, Does.StartWith("job 'job1': Cannot find device").And.Contains("nothing"));
        Assert.That((await server.Client.ExecuteAsync("query-jobs")).GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task ACancelledJobThatGoesByItselfIsNoSuccess()
    {
        await using var server = await StartAsync();
        await server.Client.ExecuteAsync("blockdev-mirror", Mirror("job2", ("speed", 4096)));
        var waiting = server.Client.WaitForJobAsync("job2");
        using var cancelledEvents = server.Client.Subscribe(QmpEventTypes.BlockJobCancelled);
        await server.Client.BlockJobCancelAsync("job2", force: true);
        Assert.That((await cancelledEvents.NextAsync()).Data.Type, Is.EqualTo(JobType.Mirror));
        var cancelled = (await Assert.ThrowsAsync<QmpJobException>(() => waiting))!;
        Assert.That(cancelled.Job.Error, Is.EqualTo("Operation canceled"));
    }

    [Test]
    public async Task APendingJobIsFinalizedAndLeftThereOnRequest()
    {
        await using var server = await StartAsync();
        var job = await server.Client.RunJobAsync(
            "job3",
            () => server.Client.ExecuteAsync("blockdev-backup", Mirror("job3", ("auto-finalize", false), ("auto-dismiss", false))),
            new QmpJobOptions { FinalizeWhenPending = true, Dismiss = false });
        Assert.That((job.Status, job.Type, job.CurrentProgress), Is.EqualTo(("concluded", "backup", 8L << 20)));
        var jobs = await server.Client.QueryJobsAsync();
        Assert.That(jobs.Select(left => (left.Id, left.Type, left.Status)), Is.EqualTo(new[] { ("job3", JobType.Backup, JobStatus.Concluded) }));
    }

    [Test]
    public async Task AJobThatDoesNotExistIsNotWaitedFor()
    {
        await using var server = await StartAsync();
        var missing = (await Assert.ThrowsAsync<QmpJobException>(() => server.Client.WaitForJobAsync("nothing")))!;
        Assert.That(missing.Message, Is.EqualTo("job 'nothing': there is no such job"));
    }

    private sealed class Recorder(List<string> seen) : IProgress<QmpJob>
    {
        public void Report(QmpJob value) => seen.Add(value.Status);
    }
}
