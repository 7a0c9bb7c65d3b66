using Qmp.Aio;
using Qmp.Testing.VhostUser;
using Qmp.Virtio.Memory;

namespace Qmp.Virtio.Tests;

internal sealed unsafe class GuestMemoryTests
{
    private const ulong A = 0x1000_0000;

    [Test]
    public void Regions_are_found_by_both_addresses()
    {
        using var ram = new GuestRam(1 << 16);
        using var memory = new GuestMemory();
        Assert.That(memory.Add(A + 0x8000, 0x4000, 0x7000_0000, 0x8000, ram.Fd), Is.Zero);
        Assert.That(memory.Add(A, 0x4000, 0x6000_0000, 0, ram.Fd), Is.Zero);
        ram.Base[0x8123] = 77;

        Assert.That(memory.Translate(A + 0x8123, 1, out byte* host), Is.EqualTo(1u));
        Assert.That(*host, Is.EqualTo(77));
        Assert.That(*memory.TranslateUser(0x7000_0123, 1), Is.EqualTo(77));
        Assert.That(memory.Translate(A + 0x4000, 1, out _), Is.Zero, "the gap");
        Assert.That(memory.Translate(A + 0x3FF0, 0x20, out _), Is.EqualTo(0x10u), "up to the end");
        Assert.That(memory.TranslateUser(0x6000_3FF0, 0x20) == null, Is.True, "not across the end");
    }

    [Test]
    public void Bad_regions_are_refused_and_leave_nothing()
    {
        using var ram = new GuestRam(1 << 16);
        using var memory = new GuestMemory();
        Assert.That(memory.Add(A, 0x4000, 0, 0, ram.Fd), Is.Zero);
        Assert.Multiple(() =>
        {
            Assert.That(memory.Add(A + 0x3000, 0x4000, 0, 0, ram.Fd), Is.EqualTo(-Errno.EINVAL), "overlap");
            Assert.That(memory.Add(A + 0x8000, 0, 0, 0, ram.Fd), Is.EqualTo(-Errno.EINVAL), "empty");
            Assert.That(memory.Add(ulong.MaxValue - 10, 0x1000, 0, 0, ram.Fd), Is.EqualTo(-Errno.EINVAL), "wraps");
            Assert.That(memory.Add(A + 0x8000, 0x4000, 0, 0xE000, ram.Fd), Is.EqualTo(-Errno.EINVAL), "beyond the file");
            Assert.That(memory.Add(A + 0x8000, 0x4000, 0, ulong.MaxValue - 0x1000, ram.Fd), Is.EqualTo(-Errno.EINVAL), "offset wraps");
            Assert.That(memory.Add(A + 0x8000, 0x4000, 0, 0, -1), Is.EqualTo(-Errno.EBADF));
            Assert.That(memory.Remove(A, 0x3000, 0), Is.EqualTo(-Errno.EINVAL), "another size");
        });
        Assert.That(memory.Count, Is.EqualTo(1));
        Assert.That(memory.Remove(A, 0x4000, 0), Is.Zero);
        Assert.That(memory.Translate(A, 1, out _), Is.Zero);
    }

    [Test]
    public void The_number_of_regions_is_limited()
    {
        using var ram = new GuestRam(1 << 16);
        using var memory = new GuestMemory();
        for (int i = 0; i < GuestMemory.MaxRegions; i++)
        {
            Assert.That(memory.Add(A + (ulong)i * 0x2000, 0x1000, 0, 0, ram.Fd), Is.Zero);
        }
        Assert.That(memory.Add(A + 0x1000, 0x1000, 0, 0, ram.Fd), Is.EqualTo(-Errno.ENOSPC));
        Assert.That(memory.Translate(A + 300 * 0x2000 + 5, 1, out _), Is.EqualTo(1u));
    }

    [Test]
    public void Memory_that_vanishes_is_survived_and_noticed()
    {
        if (!GuestFaultGuard.IsSupported)
        {
            Assert.Fail("on this processor a truncated mapping still ends the process");
        }
        using var ram = new GuestRam(1 << 16);
        using var memory = new GuestMemory();
        Assert.That(memory.Add(A, 0x4000, 0, 0, ram.Fd), Is.Zero);
        Assert.That(memory.Add(A + 0x4000, 0x4000, 0, 0x4000, ram.Fd), Is.Zero);
        memory.Translate(A + 0x4000, 1, out byte* host);
        *host = 5;
        Assert.That(Libc.Ftruncate(ram.Fd, 0x4000), Is.Zero);
        ulong before = GuestFaultGuard.FaultCount;

        Assert.That(Volatile.Read(ref *host), Is.Zero);

        Assert.That(GuestFaultGuard.FaultCount, Is.EqualTo(before + 1));
        Assert.That(memory.HasVanished, Is.True);
        *host = 6;
        Assert.That(*host, Is.EqualTo(6), "what is there now is harmless");
    }
}
