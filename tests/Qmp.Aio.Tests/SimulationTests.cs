using System.Runtime.InteropServices;

namespace Qmp.Aio.Tests;

public sealed unsafe partial class SimulationTests
{
    private const int Sector = SimulatedDisk.SectorSize;

    private byte* _buffer;
    private Iovec* _segments;

    [SetUp]
    public void Allocate()
    {
        _buffer = (byte*)NativeMemory.AllocZeroed(64 * Sector);
        _segments = (Iovec*)NativeMemory.AllocZeroed(64, (nuint)sizeof(Iovec));
        for (var i = 0; i < 64; i++)
        {
            _segments[i] = new Iovec(_buffer + (i * Sector), Sector);
        }
    }

    [TearDown]
    public void Free()
    {
        NativeMemory.Free(_buffer);
        NativeMemory.Free(_segments);
    }

    [Test]
    public void The_same_seed_gives_the_same_run_and_another_a_different_one()
    {
        var first = Trace(11);
        Assert.That(Trace(11), Is.EqualTo(first));
        Assert.That(Trace(12), Is.Not.EqualTo(first));
    }

    [Test]
    public void What_was_written_is_read_back_and_the_scatter_list_is_honoured()
    {
        using Simulation simulation = new(1);
        var loop = simulation.NewContext("loop");
        var disk = simulation.NewDisk(64 * Sector);
        new Span<byte>(_buffer, 2 * Sector).Fill(7);
        NotedRequest request = new();
        loop.Engine.Write(request, disk.Fd, _segments, 2, Sector);
        Assert.That(request.IsDone, Is.False);
        simulation.RunToEnd();
        loop.Engine.Read(request, disk.Fd, _segments + 8, 3, Sector);
        simulation.RunToEnd();
        Assert.That(request.Results, Is.EqualTo(new[] { 2 * Sector, 3 * Sector }));
        Assert.That(new ReadOnlySpan<byte>(_buffer + (8 * Sector), 2 * Sector).IndexOfAnyExcept((byte)7), Is.EqualTo(-1));
        Assert.That(new ReadOnlySpan<byte>(_buffer + (10 * Sector), Sector).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        Assert.That(simulation.NowNs, Is.GreaterThan(0));
    }

    [Test]
    public void A_flush_makes_durable_and_power_loss_keeps_any_of_the_rest()
    {
        HashSet<string> outcomes = [];
        for (var seed = 0ul; seed < 100; seed++)
        {
            using Simulation simulation = new(seed);
            var loop = simulation.NewContext("loop");
            var disk = simulation.NewDisk(4 * Sector);
            Write(simulation, loop, disk, 0, 1, 0);
            NotedRequest flush = new();
            loop.Engine.Fsync(flush, disk.Fd, dataOnly: true);
            simulation.RunToEnd();
            Assert.That(disk.VolatileSectors, Is.Zero);
            Write(simulation, loop, disk, 0, 2, 0);
            Write(simulation, loop, disk, 1, 3, 0);
            Write(simulation, loop, disk, 2, 4, Libc.RWF_DSYNC);
            Assert.That(disk.Content[0], Is.EqualTo(2), "a read does not see the cache");
            disk.LosePower();
            outcomes.Add($"{disk.Content[0]} {disk.Content[Sector]} {disk.Content[2 * Sector]}");
        }

        Assert.That(outcomes, Is.EquivalentTo(new[] { "1 0 4", "2 0 4", "1 3 4", "2 3 4" }));
    }

    [Test]
    public void A_flush_promises_only_what_had_completed_before_it()
    {
        var lost = 0;
        for (var seed = 0ul; seed < 200; seed++)
        {
            using Simulation simulation = new(seed);
            var loop = simulation.NewContext("loop");
            var disk = simulation.NewDisk(Sector);
            _buffer[0] = 9;
            NotedRequest write = new();
            NotedRequest flush = new();
            loop.Engine.Write(write, disk.Fd, _segments, 1, 0);
            loop.Engine.Fsync(flush, disk.Fd, dataOnly: true);
            simulation.RunToEnd();
            Assert.That(write.IsDone && flush.IsDone);
            disk.LosePower();
            lost += disk.Content[0] == 9 ? 0 : 1;
        }

        Assert.That(lost, Is.InRange(20, 180));
    }

    [Test]
    public void A_write_in_flight_at_power_loss_is_torn_and_never_completes()
    {
        HashSet<string> outcomes = [];
        for (var seed = 0ul; seed < 200; seed++)
        {
            using Simulation simulation = new(seed);
            var loop = simulation.NewContext("loop");
            var disk = simulation.NewDisk(2 * Sector);
            new Span<byte>(_buffer, 2 * Sector).Fill(5);
            NotedRequest write = new();
            loop.Engine.Write(write, disk.Fd, _segments, 2, 0);
            disk.LosePower();
            simulation.RunToEnd();
            Assert.That(write.IsDone, Is.False);
            outcomes.Add($"{disk.Content[0]} {disk.Content[Sector]}");
        }

        Assert.That(outcomes, Is.EquivalentTo(new[] { "0 0", "0 5", "5 0", "5 5" }));
    }

    [Test]
    public void Faults_happen_and_stop()
    {
        using Simulation simulation = new(3);
        simulation.Faults.ErrorRate = 0.2;
        simulation.Faults.ShortRate = 0.2;
        var loop = simulation.NewContext("loop");
        var disk = simulation.NewDisk(64 * Sector);
        NotedRequest request = new();
        for (var i = 0; i < 200; i++)
        {
            loop.Engine.Read(request, disk.Fd, _segments, 8, 0);
            simulation.RunToEnd();
        }

        Assert.That(request.Results.Count(result => result == -Errno.EIO), Is.InRange(10, 100));
        Assert.That(request.Results.Count(result => result is > 0 and < 8 * Sector), Is.InRange(10, 100));
        Assert.That(request.Results.Where(result => result > 0), Has.All.Matches<int>(result => result % Sector == 0));
        simulation.Faults.Stop();
        request.Results.Clear();
        for (var i = 0; i < 200; i++)
        {
            loop.Engine.Read(request, disk.Fd, _segments, 8, 0);
            simulation.RunToEnd();
        }

        Assert.That(request.Results, Is.All.EqualTo(8 * Sector));
    }

    [Test]
    public void A_punched_range_is_zero_and_a_grown_disk_too()
    {
        using Simulation simulation = new(4);
        var loop = simulation.NewContext("loop");
        var disk = simulation.NewDisk(4 * Sector);
        Write(simulation, loop, disk, 1, 6, 0);
        Write(simulation, loop, disk, 2, 6, 0);
        NotedRequest request = new();
        loop.Engine.Fallocate(
            request, disk.Fd, Libc.FALLOC_FL_PUNCH_HOLE | Libc.FALLOC_FL_KEEP_SIZE, Sector, Sector);
        loop.Engine.Fallocate(request, disk.Fd, 0, 0, 8 * Sector);
        simulation.RunToEnd();
        Assert.That(request.Results, Is.EqualTo(new[] { 0, 0 }));
        Assert.That(disk.Length, Is.EqualTo(8 * Sector));
        Assert.That(disk.Content[Sector], Is.Zero);
        Assert.That(disk.Content[2 * Sector], Is.EqualTo(6));
        loop.Engine.Read(request, 1_000_000, _segments, 1, 0);
        simulation.RunToEnd();
        Assert.That(request.Results[^1], Is.EqualTo(-Errno.EBADF));
    }

    [Test]
    public void Events_and_sockets_of_the_process_are_seen()
    {
        using Simulation simulation = new(6);
        var loop = simulation.NewContext("loop");
        using AioEventFd kick = new();
        var kicks = 0;
        using var watch = loop.WatchEvent(kick, () => kicks++);
        kick.Signal();
        Assert.That(simulation.RunUntil(() => kicks == 1), Is.True);
        Assert.That(simulation.RunToEnd(), Is.True);
        Assert.That(kicks, Is.EqualTo(1));
    }

    private void Write(Simulation simulation, AioContext loop, SimulatedDisk disk, int sector, byte value, int flags)
    {
        new Span<byte>(_buffer, Sector).Fill(value);
        NotedRequest request = new();
        loop.Engine.Write(request, disk.Fd, _segments, 1, sector * Sector, flags);
        simulation.RunToEnd();
        Assert.That(request.Results, Is.EqualTo(new[] { Sector }));
    }
}
