using System.Runtime.InteropServices;
using Qmp.Aio;

namespace Qmp.Testing.VhostUser;

/// <summary>A message that came back.</summary>
/// <param name="Request">Number of the request.</param>
/// <param name="Flags">Flags.</param>
/// <param name="Payload">Payload.</param>
/// <param name="Descriptors">Descriptors that came with it; the receiver closes them.</param>
public sealed record FrontEndReply(uint Request, uint Flags, byte[] Payload, int[] Descriptors)
{
    public ulong Number => MemoryMarshal.Read<ulong>(Payload);
}

/// <summary>
/// The front end's side of vhost-user, for tests: sends what a test wants, right or wrong. Blocks the calling thread,
/// with a limit on every wait.
/// </summary>
public sealed unsafe partial class FrontEnd : IDisposable
{
    public const ulong FeatureReadOnly = 1UL << 5;
    public const ulong FeatureFlush = 1UL << 9;
    public const ulong FeatureConfigWce = 1UL << 11;
    public const ulong FeatureIndirect = 1UL << 28;
    public const ulong FeatureEventIndex = 1UL << 29;
    public const ulong FeatureProtocol = 1UL << 30;
    public const ulong FeatureVersion1 = 1UL << 32;
    public const ulong FeaturePacked = 1UL << 34;
    public const ulong ProtocolReplyAck = 1UL << 3;

    private const int TimeoutMs = 10_000;

    public FrontEnd(int fd) => Fd = fd;

    public int Fd { get; private set; }

    public ulong OfferedFeatures { get; private set; }

    public ulong Features { get; private set; }

    public ulong OfferedProtocolFeatures { get; private set; }

    public ulong ProtocolFeatures { get; private set; }

    /// <summary>Connects to a back end's socket.</summary>
    public static FrontEnd Connect(string path)
    {
        int fd = GuestRam.Check(Libc.Socket(Libc.AF_UNIX, Libc.SOCK_STREAM));
        int result = Libc.Connect(fd, Libc.UnixAddress(path));
        if (result != 0)
        {
            _ = Libc.Close(fd);
            throw new IOException($"{path}: {Errno.Describe(result)}");
        }
        return new FrontEnd(fd);
    }

    /// <summary>Sends a message.</summary>
    public void Send(uint request, ReadOnlySpan<byte> payload = default, ReadOnlySpan<int> descriptors = default, uint flags = 1, uint? size = null)
    {
        byte[] message = new byte[12 + payload.Length];
        MemoryMarshal.Write(message, request);
        MemoryMarshal.Write(message.AsSpan(4), flags);
        MemoryMarshal.Write(message.AsSpan(8), size ?? (uint)payload.Length);
        payload.CopyTo(message.AsSpan(12));
        SendRaw(message, descriptors);
    }

    /// <summary>Sends any bytes.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors = default)
    {
        long sent = Libc.SendWithDescriptors(Fd, bytes, descriptors);
        if (sent != bytes.Length)
        {
            throw new IOException($"The back end took {sent} of {bytes.Length} bytes.");
        }
    }

    /// <summary>Receives a message; null when the back end has closed the connection.</summary>
    public FrontEndReply? Receive()
    {
        byte[]? head = ReceiveBytes(Fd, 12, out int[] descriptors);
        if (head == null)
        {
            return null;
        }
        int size = MemoryMarshal.Read<int>(head.AsSpan(8));
        byte[] payload = size == 0 ? [] : ReceiveBytes(Fd, size, out _) ?? throw new IOException("The back end closed in the middle of a message.");
        return new FrontEndReply(MemoryMarshal.Read<uint>(head), MemoryMarshal.Read<uint>(head.AsSpan(4)), payload, descriptors);
    }

    /// <summary>Sends a request that has a reply, and returns it.</summary>
    public FrontEndReply Ask(uint request, ReadOnlySpan<byte> payload = default, ReadOnlySpan<int> descriptors = default)
    {
        Send(request, payload, descriptors);
        FrontEndReply reply = Receive() ?? throw new IOException($"The back end closed the connection at message {request}.");
        if (reply.Request != request || reply.Flags != 5)
        {
            throw new IOException($"Message {request} was answered by {reply.Request} with the flags {reply.Flags}.");
        }
        return reply;
    }

    /// <summary>Sends a request without reply of its own; returns the acknowledgement (0 is good), or -1 if none was negotiated.</summary>
    public long Set(uint request, ReadOnlySpan<byte> payload = default, ReadOnlySpan<int> descriptors = default)
    {
        if ((ProtocolFeatures & ProtocolReplyAck) == 0)
        {
            Send(request, payload, descriptors);
            return -1;
        }
        Send(request, payload, descriptors, flags: 1 | 8);
        FrontEndReply reply = Receive() ?? throw new IOException($"The back end closed the connection at message {request}.");
        return (long)reply.Number;
    }

    /// <summary>As <see cref="Set"/>, where only success is acceptable.</summary>
    public void MustSet(uint request, ReadOnlySpan<byte> payload = default, ReadOnlySpan<int> descriptors = default)
    {
        long code = Set(request, payload, descriptors);
        if (code > 0)
        {
            throw new IOException($"Message {request} was refused with {code}.");
        }
    }

    /// <summary>Whether the back end closes the connection within the limit.</summary>
    public bool WaitClosed()
    {
        try
        {
            while (Receive() != null)
            {
            }
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Everything before the first ring: features, protocol features, owner.</summary>
    public void Negotiate(ulong features = ulong.MaxValue, ulong protocolFeatures = ulong.MaxValue)
    {
        OfferedFeatures = Ask(1).Number;
        OfferedProtocolFeatures = Ask(15).Number;
        ProtocolFeatures = OfferedProtocolFeatures & protocolFeatures;
        Send(16, Bytes(ProtocolFeatures));
        MustSet(3);
        Features = OfferedFeatures & (features | FeatureProtocol);
        MustSet(2, Bytes(Features));
    }

    /// <summary>Tells the back end of the guest's memory.</summary>
    public void SetMemory(GuestRam ram)
    {
        byte[] payload = new byte[8 + 32 * ram.Regions];
        MemoryMarshal.Write(payload, ram.Regions);
        int[] descriptors = new int[ram.Regions];
        for (int i = 0; i < ram.Regions; i++)
        {
            RegionBytes(ram.Region(i)).CopyTo(payload, 8 + 32 * i);
            descriptors[i] = ram.Fd;
        }
        MustSet(5, payload, descriptors);
    }

    /// <summary>A region as it stands in messages.</summary>
    public static byte[] RegionBytes((ulong Guest, ulong Size, ulong User, ulong Offset) region) =>
        [.. Bytes(region.Guest), .. Bytes(region.Size), .. Bytes(region.User), .. Bytes(region.Offset)];

    /// <summary>Starts a ring.</summary>
    public void StartRing(int index, RingDriver ring, uint? @base = null, bool enable = true)
    {
        MustSet(8, Bytes((uint)index, (uint)ring.Size));
        MustSet(10, Bytes((uint)index, @base ?? ring.FirstBase));
        MustSet(9, RingAddress(index, ring.Addresses));
        MustSet(14, Bytes((ulong)index), [ring.Error.Fd]);
        MustSet(13, Bytes((ulong)index), [ring.Call.Fd]);
        MustSet(12, Bytes((ulong)index), [ring.Kick.Fd]);
        if (enable)
        {
            EnableRing(index, true);
        }
    }

    public void EnableRing(int index, bool enable) => MustSet(18, Bytes((uint)index, enable ? 1u : 0u));

    public static byte[] RingAddress(int index, (ulong Descriptors, ulong Available, ulong Used) addresses) =>
        [.. Bytes((uint)index, 0), .. Bytes(addresses.Descriptors), .. Bytes(addresses.Used), .. Bytes(addresses.Available), .. Bytes(0UL)];

    /// <summary>Stops a ring; returns where it stands.</summary>
    public uint StopRing(int index) => MemoryMarshal.Read<uint>(Ask(11, Bytes((uint)index, 0)).Payload.AsSpan(4));

    /// <summary>Reads the configuration space.</summary>
    public byte[] GetConfig(int offset = 0, int size = 60) =>
        Ask(24, [.. Bytes((uint)offset, (uint)size), .. new byte[4 + size]]).Payload is { Length: > 12 } payload ? payload[12..] : [];

    /// <summary>Disk size in sectors, by the configuration space.</summary>
    public ulong Capacity => MemoryMarshal.Read<ulong>(GetConfig(0, 8));

    /// <summary>Asks for an in-flight region: a descriptor, and the description to give back with it.</summary>
    public (int Fd, byte[] Description) GetInflight(int queues, int queueSize)
    {
        byte[] payload = new byte[24];
        MemoryMarshal.Write(payload.AsSpan(16), (ushort)queues);
        MemoryMarshal.Write(payload.AsSpan(18), (ushort)queueSize);
        FrontEndReply reply = Ask(31, payload);
        return (reply.Descriptors[0], reply.Payload);
    }

    public void SetInflight((int Fd, byte[] Description) region) => MustSet(32, region.Description, [region.Fd]);

    public static byte[] Bytes(ulong value) => BitConverter.GetBytes(value);

    public static byte[] Bytes(uint first, uint second) => [.. BitConverter.GetBytes(first), .. BitConverter.GetBytes(second)];

    /// <summary>Receives exactly this many bytes; null at the end of the stream.</summary>
    public static byte[]? ReceiveBytes(int fd, int count, out int[] descriptors)
    {
        byte[] buffer = new byte[count];
        int done = 0;
        Span<int> passed = stackalloc int[8];
        var all = new List<int>();
        descriptors = [];
        while (done < count)
        {
            if (!PollIn(fd, TimeoutMs))
            {
                throw new TimeoutException("The other side is silent.");
            }
            long result = Libc.ReceiveWithDescriptors(fd, buffer.AsSpan(done), passed, out int number, out _);
            if (result == -Errno.EINTR)
            {
                continue;
            }
            if (result <= 0)
            {
                return done == 0 ? null : throw new IOException("The other side closed in the middle of a message.");
            }
            all.AddRange(passed[..number]);
            done += (int)result;
        }
        descriptors = [.. all];
        return buffer;
    }

    /// <summary>Waits until a descriptor is readable.</summary>
    public static bool PollIn(int fd, int timeoutMs)
    {
        long end = Environment.TickCount64 + timeoutMs;
        while (true)
        {
            var entry = new PollEntry { Fd = fd, Events = 1 };
            int result = poll(&entry, 1, (int)Math.Max(0, end - Environment.TickCount64));
            if (result > 0)
            {
                return true;
            }
            if (result == 0 || Environment.TickCount64 >= end)
            {
                return false;
            }
        }
    }

    public void Dispose()
    {
        if (Fd >= 0)
        {
            _ = Libc.Close(Fd);
            Fd = -1;
        }
    }

    [LibraryImport("libc")]
    private static partial int poll(PollEntry* entries, nuint count, int timeoutMs);

    private struct PollEntry
    {
        public int Fd;
        public short Events;
        public short Happened;
    }
}
