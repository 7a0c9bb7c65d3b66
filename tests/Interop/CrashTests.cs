using System.Diagnostics;
using System.Runtime.InteropServices;
using Qmp.Testing;

namespace Interop;

/// <summary>
/// The daemon is killed under load and started again with the same command line: every write that was acknowledged is
/// in the image, and none is torn.
/// </summary>
[TestFixture]
public sealed class CrashTests
{
    private const long DiskSize = 64 << 20;
    private const int BlockSize = 4096;
    private const int Rounds = 3;

    [TestCase("io_uring", 1)]
    [TestCase("io_uring", 32)]
    [TestCase("threads", 32)]
    public async Task AcknowledgedWritesSurviveAKilledDaemon(string aio, int depth)
    {
        using var folder = new WorkFolder();
        using (FileStream image = File.Create(folder.File("disk.img")))
        {
            image.SetLength(DiskSize);
        }

        string load = await LoadGenerator.DiskAsync();
        string socket = folder.File("disk.sock");
        string state = folder.File("state");
        string[] common = ["--socket", socket, "--bs", $"{BlockSize}"];
        for (int round = 0; round < Rounds; round++)
        {
            Task<ShellResult> running;
            await using (Daemon daemon = await StartAsync(folder, aio))
            {
                File.Delete(state);
                running = Shell.RunProgramAsync(load,
                    [.. common, "--rw", "mixed", "--read-pct", "30", "--flush-pct", "1", "--depth", $"{depth}",
                        "--seconds", "100", "--seed", $"{round + 1}", "--state", state],
                    folder.Path);
                await WaitForAcknowledgedWritesAsync(state, 200 * depth, running);
                await daemon.KillAsync();
            }

            ShellResult load1 = await running;
            Assert.That(load1.ExitStatus, Is.EqualTo(3), load1.Output);
            await using Daemon next = await StartAsync(folder, aio);
            ShellResult check = await Shell.RunProgramAsync(load, [.. common, "--check-state", state, "--keep-acked"], folder.Path);
            Assert.That(check.ExitStatus, Is.Zero, check.Output + next.Log);
        }
    }

    private static async Task<Daemon> StartAsync(WorkFolder folder, string aio)
    {
        string socket = folder.File("disk.sock");
        Daemon daemon = Daemon.Start(DaemonProgram.Qmpd, folder.Path,
            "--object", "iothread,id=loop0",
            "--blockdev", $"driver=file,node-name=disk,filename=disk.img,aio={aio}",
            "--export", $"type=vhost-user-blk,id=disk0,node-name=disk,writable=on,iothread=loop0,addr.type=unix,addr.path={socket}");
        try
        {
            await daemon.WaitForSocketAsync("disk.sock");
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    // The state file: 32 bytes of header, a generation per block that was issued, then one per block that was
    // acknowledged.
    private static async Task WaitForAcknowledgedWritesAsync(string state, long wanted, Task<ShellResult> running)
    {
        const int Blocks = (int)(DiskSize / BlockSize);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (running.IsCompleted)
            {
                Assert.Fail("the load ended by itself: " + (await running).Output);
            }

            if (File.Exists(state) && new FileInfo(state).Length == 32 + (12L * Blocks))
            {
                ReadOnlySpan<uint> acknowledged =
                    MemoryMarshal.Cast<byte, uint>(File.ReadAllBytes(state).AsSpan(32 + (4 * Blocks), 4 * Blocks));
                long sum = 0;
                foreach (uint generation in acknowledged)
                {
                    sum += generation;
                }

                if (sum >= wanted)
                {
                    return;
                }
            }

            Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(90)), "the load makes no progress");
            await Task.Delay(5);
        }
    }
}
