using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Qmp.Aio;
using Qmp.Virtio.Blk;
using Qmp.Virtio.Memory;
using Qmp.Virtio.Queues;
using static Qmp.Virtio.VhostUser.VhostUserProtocol;

namespace Qmp.Virtio.VhostUser;

// The messages, in the order of the specification. Payloads are read from a copy that the front end cannot change.
internal sealed partial class VhostUserSession
{
    private ValueTask<Outcome> HandleAsync()
    {
        VhostUserRequest request = _channel.Header.Request;
        if (CheckShape(request) is { } wrong)
        {
            return new(Outcome.Fatal(wrong));
        }
        switch (request)
        {
            case VhostUserRequest.GetFeatures:
                return Answer(_device.Features);
            case VhostUserRequest.SetFeatures:
                return new(SetFeatures(Read<ulong>()));
            case VhostUserRequest.GetProtocolFeatures:
                return Answer(Features);
            case VhostUserRequest.SetProtocolFeatures:
                return new(SetProtocolFeatures(Read<ulong>()));
            case VhostUserRequest.SetOwner:
                return new(Outcome.Done);
            case VhostUserRequest.ResetOwner:
                // Deprecated; the specification recommends to stop the rings or to do nothing.
                return new(Outcome.Done);
            case VhostUserRequest.GetQueueNum:
                return Answer((ulong)_rings.Length);
            case VhostUserRequest.SetMemTable:
                return SetMemTableAsync();
            case VhostUserRequest.GetMaxMemSlots:
                return Answer(GuestMemory.MaxRegions);
            case VhostUserRequest.AddMemReg:
                return new(AddMemReg());
            case VhostUserRequest.RemMemReg:
                return RemMemRegAsync();
            case VhostUserRequest.SetVringNum:
                return new(SetVringNum());
            case VhostUserRequest.SetVringAddr:
                return SetVringAddrAsync();
            case VhostUserRequest.SetVringBase:
                return new(SetVringBase());
            case VhostUserRequest.GetVringBase:
                return GetVringBaseAsync();
            case VhostUserRequest.SetVringKick:
                return SetVringKickAsync();
            case VhostUserRequest.SetVringCall:
                return new(SetVringCall());
            case VhostUserRequest.SetVringErr:
                return new(SetVringErr());
            case VhostUserRequest.SetVringEnable:
                return SetVringEnableAsync();
            case VhostUserRequest.GetConfig:
                return new(GetConfig());
            case VhostUserRequest.SetConfig:
                return new(SetConfig());
            case VhostUserRequest.SetBackendReqFd:
                return new(SetBackendReqFd());
            case VhostUserRequest.GetInflightFd:
                return new(GetInflightFd());
            case VhostUserRequest.SetInflightFd:
                return new(SetInflightFd());
            case VhostUserRequest.ResetDevice:
                return ResetDeviceAsync();
            case VhostUserRequest.SetStatus:
                return SetStatusAsync(Read<ulong>());
            case VhostUserRequest.GetStatus:
                return Answer(_status);
            default:
                return new(Outcome.Fatal("unknown or not negotiated"));
        }
    }

    // Size of the payload and number of descriptors, for every message; null when they are right.
    private string? CheckShape(VhostUserRequest request)
    {
        int bytes = _channel.Payload.Length;
        (int least, int most) = request switch
        {
            VhostUserRequest.SetFeatures or VhostUserRequest.SetProtocolFeatures or VhostUserRequest.SetStatus or
            VhostUserRequest.SetVringKick or VhostUserRequest.SetVringCall or VhostUserRequest.SetVringErr => (8, 8),
            VhostUserRequest.SetVringNum or VhostUserRequest.SetVringBase or VhostUserRequest.GetVringBase or
            VhostUserRequest.SetVringEnable => (8, 8),
            VhostUserRequest.SetVringAddr => (40, 40),
            VhostUserRequest.SetMemTable => (8, 8 + MaxTableRegions * 32),
            VhostUserRequest.AddMemReg or VhostUserRequest.RemMemReg => (40, 40),
            VhostUserRequest.GetConfig or VhostUserRequest.SetConfig => (ConfigHeaderBytes, ConfigHeaderBytes + MaxConfig),
            VhostUserRequest.GetInflightFd or VhostUserRequest.SetInflightFd => (InflightDescription.MinBytes, 24),
            _ => (0, 0),
        };
        if (bytes < least || bytes > most)
        {
            return $"its payload has {bytes} bytes";
        }

        (least, most) = request switch
        {
            VhostUserRequest.SetMemTable => (1, MaxTableRegions),
            VhostUserRequest.AddMemReg or VhostUserRequest.SetBackendReqFd or VhostUserRequest.SetInflightFd => (1, 1),
            VhostUserRequest.SetVringKick or VhostUserRequest.SetVringCall or VhostUserRequest.SetVringErr =>
                (Read<ulong>() & VringNoFd) != 0 ? (0, 0) : (1, 1),
            // Some front ends send one; the specification allows to accept and ignore it.
            VhostUserRequest.RemMemReg => (0, 1),
            _ => (0, 0),
        };
        int descriptors = _channel.DescriptorCount;
        if (descriptors < least || descriptors > most)
        {
            return $"it carries {descriptors} file descriptors";
        }
        return null;
    }

    private T Read<T>(int offset = 0)
        where T : unmanaged => MemoryMarshal.Read<T>(_channel.Payload[offset..]);

    private ValueTask<Outcome> Answer(ulong value) => new(Outcome.Answered(_channel.Reply(value)));

    private VhostUserRing? Ring(ulong index) => index < (ulong)_rings.Length ? _rings[index] : null;

    private Outcome NoRing() => Outcome.Fatal($"there is no virtqueue {Read<uint>()}");

    private bool Negotiated(ulong protocolFeature) => (_protocolFeatures & protocolFeature) != 0;

    // ---- Features and status ----

    private Outcome SetFeatures(ulong features)
    {
        if ((features & ~_device.Features) != 0)
        {
            return Outcome.Refused($"features 0x{features & ~_device.Features:x} were not offered");
        }
        const ulong RingFeatures =
            VirtioBlkConstants.FeatureRingPacked | VirtioBlkConstants.FeatureEventIndex | VirtioBlkConstants.FeatureIndirectDesc;
        if (((features ^ _features) & RingFeatures) != 0 && AnyStarted())
        {
            return Outcome.Refused("ring features cannot change while a ring is started");
        }
        _features = features;
        _device.FeaturesNegotiated(features);
        if ((features & VirtioBlkConstants.FeatureProtocol) == 0)
        {
            // Without the message to enable rings they start enabled.
            foreach (VhostUserRing ring in _rings)
            {
                ring.Enabled = true;
                RunIfWanted(ring);
            }
        }
        return Outcome.Done;
    }

    private Outcome SetProtocolFeatures(ulong features)
    {
        if ((features & ~Features) != 0)
        {
            return Outcome.Fatal($"protocol features 0x{features & ~Features:x} were not offered");
        }
        _protocolFeatures = features;
        return Outcome.Done;
    }

    private ValueTask<Outcome> SetStatusAsync(ulong status)
    {
        if (status > byte.MaxValue)
        {
            return new(Outcome.Refused($"0x{status:x} is no device status"));
        }
        _status = (byte)status;
        return status == 0 ? ResetDeviceAsync() : new(Outcome.Done);
    }

    private async ValueTask<Outcome> ResetDeviceAsync()
    {
        foreach (VhostUserRing ring in _rings)
        {
            await StopAsync(ring);
            ring.Enabled = false;
            ring.Base = 0;
        }
        _status = 0;
        _device.ResetWriteCache();
        return Outcome.Done;
    }

    // ---- Memory ----

    private async ValueTask<Outcome> SetMemTableAsync()
    {
        MemoryTableHead head = Read<MemoryTableHead>();
        if (head.Count != _channel.DescriptorCount || _channel.Payload.Length != Unsafe.SizeOf<MemoryTableHead>() + head.Count * Unsafe.SizeOf<MemoryRegion>())
        {
            return Outcome.Fatal($"{head.Count} regions, {_channel.DescriptorCount} file descriptors and {_channel.Payload.Length} bytes do not fit together");
        }
        await PauseAllAsync();
        _memory.Clear();
        for (int i = 0; i < head.Count; i++)
        {
            MemoryRegion region = Read<MemoryRegion>(Unsafe.SizeOf<MemoryTableHead>() + i * Unsafe.SizeOf<MemoryRegion>());
            int fd = _channel.TakeDescriptor(i);
            int result = _memory.Add(region.GuestAddress, region.Size, region.UserAddress, region.FileOffset, fd);
            _ = Libc.Close(fd);
            if (result != 0)
            {
                return Outcome.Refused(Describe(region, result));
            }
        }
        ReattachAll();
        return Outcome.Done;
    }

    private Outcome AddMemReg()
    {
        if (!Negotiated(FeatureConfigureMemSlots))
        {
            return Outcome.Fatal("not negotiated");
        }
        MemoryRegion region = Read<SingleRegion>().Region;
        int fd = _channel.TakeDescriptor(0);
        int result = _memory.Add(region.GuestAddress, region.Size, region.UserAddress, region.FileOffset, fd);
        _ = Libc.Close(fd);
        return result == 0 ? Outcome.Done : Outcome.Refused(Describe(region, result));
    }

    private async ValueTask<Outcome> RemMemRegAsync()
    {
        if (!Negotiated(FeatureConfigureMemSlots))
        {
            return Outcome.Fatal("not negotiated");
        }
        MemoryRegion region = Read<SingleRegion>().Region;
        if (!_memory.Contains(region.GuestAddress, region.Size, region.UserAddress))
        {
            return Outcome.Refused(Describe(region, -Errno.ENOENT));
        }
        await PauseAllAsync();
        _memory.Remove(region.GuestAddress, region.Size, region.UserAddress);
        ReattachAll();
        return Outcome.Done;
    }

    private static string Describe(MemoryRegion region, int error) =>
        $"memory region 0x{region.GuestAddress:x}+0x{region.Size:x} at file offset 0x{region.FileOffset:x}: {Errno.Describe(error)}";

    private async ValueTask PauseAllAsync()
    {
        foreach (VhostUserRing ring in _rings)
        {
            if (ring.Queue is { } queue)
            {
                queue.Pause();
                await queue.WhenIdleAsync();
            }
        }
    }

    // The rings lie in the memory that has changed: they are looked up again, and break when they are gone.
    private void ReattachAll()
    {
        foreach (VhostUserRing ring in _rings)
        {
            if (ring.Queue is { } queue)
            {
                queue.Reattach(ring.Addresses!.Value);
                RunIfWanted(ring);
            }
        }
    }

    // ---- Rings ----

    private bool AnyStarted() => Array.Exists(_rings, ring => ring.Queue != null);

    private Outcome SetVringNum()
    {
        VringState state = Read<VringState>();
        if (Ring(state.Index) is not { } ring)
        {
            return NoRing();
        }
        if (ring.Queue != null)
        {
            return Outcome.Refused("the virtqueue is started");
        }
        if (state.Number is 0 or > Virtqueue.MaxSize)
        {
            return Outcome.Refused($"a virtqueue cannot have {state.Number} entries");
        }
        ring.Size = (int)state.Number;
        return Outcome.Done;
    }

    private async ValueTask<Outcome> SetVringAddrAsync()
    {
        VringAddress address = Read<VringAddress>();
        if (Ring(address.Index) is not { } ring)
        {
            return NoRing();
        }
        ring.Addresses = new RingAddresses(address.Descriptors, address.Available, address.Used);
        if (ring.Queue is { } queue)
        {
            queue.Pause();
            await queue.WhenIdleAsync();
            queue.Reattach(ring.Addresses.Value);
            RunIfWanted(ring);
        }
        return Outcome.Done;
    }

    private Outcome SetVringBase()
    {
        VringState state = Read<VringState>();
        if (Ring(state.Index) is not { } ring)
        {
            return NoRing();
        }
        if (ring.Queue != null)
        {
            return Outcome.Refused("the virtqueue is started");
        }
        ring.Base = state.Number;
        return Outcome.Done;
    }

    private async ValueTask<Outcome> GetVringBaseAsync()
    {
        VringState state = Read<VringState>();
        if (Ring(state.Index) is not { } ring)
        {
            return NoRing();
        }
        await StopAsync(ring);
        state.Number = ring.Base;
        return Outcome.Answered(_channel.Reply(MemoryMarshal.AsBytes(new ReadOnlySpan<VringState>(in state))));
    }

    // Stops a ring in good order: nothing in flight, and its place in the ring is known.
    private static async ValueTask StopAsync(VhostUserRing ring)
    {
        if (ring.Queue is { } queue)
        {
            queue.Pause();
            await queue.WhenIdleAsync();
            ring.Base = queue.Queue.Base;
            queue.Queue.RetireInflight();
            queue.Dispose();
            ring.Queue = null;
        }
        ring.SetKick(null);
    }

    private async ValueTask<Outcome> SetVringKickAsync()
    {
        ulong value = Read<ulong>();
        if (Ring(value & VringIndexMask) is not { } ring)
        {
            return NoRing();
        }
        if ((value & VringNoFd) != 0)
        {
            return Outcome.Refused("a virtqueue without a kick descriptor is not supported");
        }
        var kick = new AioEventFd(_channel.TakeDescriptor(0));
        if (ring.Queue is { } running)
        {
            // A new event for a ring that runs: pending kicks of the old one are covered by looking at the ring.
            running.Pause();
            await running.WhenIdleAsync();
            ring.SetKick(kick);
            running.SetKick(kick);
            RunIfWanted(ring);
            return Outcome.Done;
        }
        ring.SetKick(kick);
        return StartRing(ring);
    }

    private Outcome StartRing(VhostUserRing ring)
    {
        bool packed = (_features & VirtioBlkConstants.FeatureRingPacked) != 0;
        if (ring.Size == 0 || ring.Addresses is not { } addresses)
        {
            return Outcome.Refused("the virtqueue has no size or no addresses");
        }
        if (!packed && (ring.Size & (ring.Size - 1)) != 0)
        {
            return Outcome.Refused($"a split virtqueue cannot have {ring.Size} entries");
        }

        var setup = new VirtqueueSetup(
            ring.Size,
            _memory,
            packed,
            (_features & VirtioBlkConstants.FeatureEventIndex) != 0,
            (_features & VirtioBlkConstants.FeatureIndirectDesc) != 0);
        Virtqueue queue = Virtqueue.Create(setup);
        if (!queue.TryAttach(addresses))
        {
            queue.Dispose();
            return Outcome.Refused("the rings are not aligned or not in guest memory");
        }
        queue.SetBase(ring.Base);
        int resubmit = 0;
        if (_inflight != null && !TryRecover(ring, queue, out resubmit))
        {
            queue.Dispose();
            return Outcome.Refused("the in-flight region does not fit the virtqueue");
        }

        ring.Queue = new VirtioBlkQueue(_device, queue, _context, ring.Kick!, OnBroken);
        ring.Queue.SetCall(ring.Call);
        if (resubmit != 0)
        {
            _log($"virtqueue {ring.Index}: {resubmit} requests were in flight and are done again");
            ring.Queue.Resubmit();
        }
        RunIfWanted(ring);
        return Outcome.Done;
    }

    private Outcome SetVringCall()
    {
        ulong value = Read<ulong>();
        if (Ring(value & VringIndexMask) is not { } ring)
        {
            return NoRing();
        }
        ring.SetCall((value & VringNoFd) != 0 ? null : new AioEventFd(_channel.TakeDescriptor(0)));
        return Outcome.Done;
    }

    private Outcome SetVringErr()
    {
        ulong value = Read<ulong>();
        if (Ring(value & VringIndexMask) is not { } ring)
        {
            return NoRing();
        }
        ring.SetError((value & VringNoFd) != 0 ? null : new AioEventFd(_channel.TakeDescriptor(0)));
        return Outcome.Done;
    }

    private async ValueTask<Outcome> SetVringEnableAsync()
    {
        VringState state = Read<VringState>();
        if (Ring(state.Index) is not { } ring)
        {
            return NoRing();
        }
        if (state.Number > 1)
        {
            return Outcome.Refused($"{state.Number} is neither on nor off");
        }
        ring.Enabled = state.Number != 0;
        if (ring.Enabled)
        {
            RunIfWanted(ring);
        }
        else if (ring.Queue is { } queue)
        {
            queue.Pause();
            await queue.WhenIdleAsync();
        }
        return Outcome.Done;
    }

    // ---- Configuration space ----

    private Outcome GetConfig()
    {
        ConfigHead head = Read<ConfigHead>();
        if (head.Size > MaxConfig || head.Offset > MaxConfig - head.Size || head.Size + ConfigHeaderBytes != _channel.Payload.Length)
        {
            // An empty payload is the protocol's error here.
            return Outcome.Answered(_channel.Reply([]));
        }
        Span<byte> space = stackalloc byte[MaxConfig];
        _device.ReadConfig(space);
        Span<byte> reply = stackalloc byte[ConfigHeaderBytes + MaxConfig];
        MemoryMarshal.Write(reply, head);
        space.Slice((int)head.Offset, (int)head.Size).CopyTo(reply[ConfigHeaderBytes..]);
        return Outcome.Answered(_channel.Reply(reply[..(ConfigHeaderBytes + (int)head.Size)]));
    }

    private Outcome SetConfig()
    {
        ConfigHead head = Read<ConfigHead>();
        if (head.Size + (ulong)ConfigHeaderBytes != (ulong)_channel.Payload.Length)
        {
            return Outcome.Fatal($"{head.Size} bytes of configuration in a payload of {_channel.Payload.Length}");
        }
        int result = _device.WriteConfig(head.Offset, _channel.Payload[ConfigHeaderBytes..]);
        return result == 0 ? Outcome.Done : Outcome.Refused($"configuration at offset {head.Offset} cannot be written");
    }

    private Outcome SetBackendReqFd()
    {
        if (!Negotiated(FeatureBackendReq))
        {
            return Outcome.Fatal("not negotiated");
        }
        if (_backendRequestFd >= 0)
        {
            _ = Libc.Close(_backendRequestFd);
        }
        _backendRequestFd = _channel.TakeDescriptor(0);
        return Outcome.Done;
    }

    // ---- Requests in flight across a crash ----

    // Parts of the region are as large as the larger of the two layouts, so that the ring features need not be known.
    private static ulong InflightPartBytes(int queueSize) => InflightLayout.QueueBytes(queueSize, packed: true);

    private Outcome GetInflightFd()
    {
        InflightDescription wanted = ReadInflight();
        if (wanted.QueueCount == 0 || wanted.QueueCount > _rings.Length || wanted.QueueSize is 0 or > Virtqueue.MaxSize)
        {
            return Outcome.Fatal($"{wanted.QueueCount} queues of {wanted.QueueSize} entries");
        }
        ulong bytes = InflightPartBytes(wanted.QueueSize) * wanted.QueueCount;
        int fd = Libc.MemfdCreate("qmp-inflight", Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        if (fd < 0)
        {
            return Outcome.Fatal($"could not make the in-flight region: {Errno.Describe(fd)}");
        }
        try
        {
            int result = Libc.Ftruncate(fd, (long)bytes);
            if (result < 0)
            {
                return Outcome.Fatal($"could not make the in-flight region: {Errno.Describe(result)}");
            }
            // The front end keeps it for us: nobody can shrink it under a mapping.
            _ = Libc.Fcntl(fd, AddSeals, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | SealSeal);
            wanted.MapSize = bytes;
            wanted.MapOffset = 0;
            return Outcome.Answered(_channel.Reply(MemoryMarshal.AsBytes(new ReadOnlySpan<InflightDescription>(in wanted)), fd));
        }
        finally
        {
            _ = Libc.Close(fd);
        }
    }

    private Outcome SetInflightFd()
    {
        if (!Negotiated(FeatureInflight))
        {
            return Outcome.Fatal("not negotiated");
        }
        InflightDescription given = ReadInflight();
        if (given.QueueCount == 0 || given.QueueCount > _rings.Length || given.QueueSize is 0 or > Virtqueue.MaxSize
            || given.MapSize < InflightPartBytes(given.QueueSize) * given.QueueCount)
        {
            return Outcome.Refused($"an in-flight region of {given.MapSize} bytes for {given.QueueCount} queues of {given.QueueSize}");
        }
        if (AnyStarted())
        {
            return Outcome.Refused("a virtqueue is started");
        }
        int fd = _channel.TakeDescriptor(0);
        int result = SharedMapping.TryMap(fd, given.MapOffset, given.MapSize, out SharedMapping? mapping);
        _ = Libc.Close(fd);
        if (result != 0)
        {
            return Outcome.Refused($"the in-flight region cannot be mapped: {Errno.Describe(result)}");
        }
        _inflight?.Dispose();
        _inflight = mapping;
        _inflightQueues = given.QueueCount;
        _inflightQueueSize = given.QueueSize;
        return Outcome.Done;
    }

    private InflightDescription ReadInflight()
    {
        Span<byte> bytes = stackalloc byte[Unsafe.SizeOf<InflightDescription>()];
        bytes.Clear();
        _channel.Payload.CopyTo(bytes);
        return MemoryMarshal.Read<InflightDescription>(bytes);
    }

    private unsafe bool TryRecover(VhostUserRing ring, Virtqueue queue, out int resubmit)
    {
        resubmit = 0;
        if (ring.Index >= _inflightQueues || ring.Size > _inflightQueueSize)
        {
            return false;
        }
        byte* part = _inflight!.Start + (ulong)ring.Index * InflightPartBytes(_inflightQueueSize);
        return ((nuint)part & 7) == 0 && queue.TryRecover(part, out resubmit);
    }

    private const int AddSeals = 1033;
    private const int SealSeal = 1;
}
