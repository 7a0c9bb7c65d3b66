using System.Collections.Concurrent;
using Qmp.Aio;
using Qmp.Block;
using Qmp.Protocol.Schema;
using Qmp.Testing;
using Qmp.Testing.VhostUser;

namespace Qmp.Virtio.Tests.VhostUser;

/// <summary>A disk served over vhost-user in this process: a main loop, a loop for the disk, a raw image, a socket.</summary>
internal sealed class TestDisk : IAsyncDisposable
{
    private readonly WorkFolder _folder = new();
    private readonly IoThread _main = new("main");
    private readonly ConcurrentQueue<string> _log = new();
    private readonly BlockingCollection<string> _newLines = [];

    private TestDisk(VhostUserBlkOptions options)
    {
        Export = new VhostUserBlkExport(options, Log);
        Graph = new BlockGraph(_main.Context);
    }

    public IoThread Io { get; } = new("io");

    public BlockGraph Graph { get; }

    public BlockNode Node { get; private set; } = null!;

    public BlockBackend Backend { get; private set; } = null!;

    public VhostUserBlkExport Export { get; }

    public AioContext Main => _main.Context;

    public string Image => _folder.File("disk.img");

    public string Socket => _folder.File("vhost.sock");

    /// <summary>Everything that was logged so far.</summary>
    public string LogText => string.Join('\n', _log);

    public static async Task<TestDisk> CreateAsync(
        long bytes = 8 << 20, int queues = 1, bool writable = true, bool writeThrough = false, uint blockBytes = 512, bool nullDriver = false)
    {
        var disk = new TestDisk(new VhostUserBlkOptions
        {
            Id = "disk0",
            NumQueues = queues,
            Writable = writable,
            WriteThrough = writeThrough,
            LogicalBlockSize = blockBytes,
        });
        using (FileStream file = File.Create(disk.Image))
        {
            file.SetLength(bytes);
        }
        await disk.OnMain(async () =>
        {
            disk.Node = await disk.Graph.OpenAsync(nullDriver
                ? new BlockdevOptions { Driver = BlockdevDriver.NullCo, NodeName = "node0", NullCo = new BlockdevOptionsNull { Size = bytes, ReadZeroes = true } }
                : new BlockdevOptions { Driver = BlockdevDriver.File, NodeName = "node0", File = new BlockdevOptionsFile { Filename = disk.Image } });
            await disk.Graph.MoveToContextAsync(disk.Node, disk.Io.Context);
            BlockPermissions permissions = BlockPermissions.ConsistentRead | (writable ? BlockPermissions.Write : 0);
            disk.Backend = await BlockBackend.CreateAsync(disk.Graph, disk.Node, "disk0", permissions, BlockPermissions.All, disk.Export);
            await disk.Export.StartAsync(disk.Backend, Listen(disk.Socket));
        });
        return disk;
    }

    /// <summary>Runs control code on the main loop.</summary>
    public Task OnMain(Func<ValueTask> action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Main.Schedule(async _ =>
        {
            try
            {
                await action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Runs code on the disk's loop.</summary>
    public Task<T> OnIo<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Backend.Home.Schedule(_ =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public FrontEnd Connect() => FrontEnd.Connect(Socket);

    /// <summary>Waits until a log line contains a text.</summary>
    public void WaitLog(string text)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try
        {
            while (!_newLines.Take(limit.Token).Contains(text, StringComparison.Ordinal))
            {
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{text}' was not logged, but: {LogText}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await OnMain(async () =>
        {
            await Export.StopAsync();
            await Backend.CloseAsync();
            await Graph.DeleteAsync("node0");
        });
        Io.Dispose();
        _main.Dispose();
        _newLines.Dispose();
        _folder.Dispose();
    }

    private static int Listen(string path)
    {
        int fd = Libc.Socket(Libc.AF_UNIX, Libc.SOCK_STREAM);
        Assert.That(Libc.Bind(fd, Libc.UnixAddress(path)), Is.Zero);
        Assert.That(Libc.Listen(fd, 4), Is.Zero);
        return fd;
    }

    private void Log(string line)
    {
        _log.Enqueue(line);
        _newLines.Add(line);
    }
}

/// <summary>A front end with a guest's memory and started rings.</summary>
internal sealed class TestGuest : IDisposable
{
    public TestGuest(TestDisk disk, bool packed = false, bool eventIndex = false, int queues = 1, int size = 64, ulong features = ulong.MaxValue, bool start = true)
    {
        Ram = new GuestRam();
        FrontEnd = disk.Connect();
        FrontEnd.Negotiate(
            features & ~(packed ? 0 : FrontEnd.FeaturePacked) & ~(eventIndex ? 0 : FrontEnd.FeatureEventIndex));
        FrontEnd.SetMemory(Ram);
        Rings = [.. Enumerable.Range(0, queues).Select(_ => RingDriver.Create(Ram, size, packed, eventIndex))];
        Disks = [.. Rings.Select(ring => new BlkDriver(ring))];
        if (start)
        {
            for (int i = 0; i < queues; i++)
            {
                FrontEnd.StartRing(i, Rings[i]);
            }
        }
    }

    public GuestRam Ram { get; }

    public FrontEnd FrontEnd { get; set; }

    public RingDriver[] Rings { get; }

    public BlkDriver[] Disks { get; }

    public BlkDriver Disk => Disks[0];

    public RingDriver Ring => Rings[0];

    public void Dispose()
    {
        FrontEnd.Dispose();
        foreach (RingDriver ring in Rings)
        {
            ring.Dispose();
        }
        Ram.Dispose();
    }
}
