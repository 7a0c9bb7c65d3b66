using System.Buffers;
using System.Numerics;
using Qmp.Protocol;

namespace Qmp.Server.Chardevs;

/// <summary>The character device <c>ringbuf</c>: keeps the last bytes that it was sent, for <c>ringbuf-read</c>. <b>Main</b>.</summary>
internal sealed class RingbufChardev : Chardev
{
    private const long DefaultBytes = 64 << 10;

    // A bound that QEMU lacks: all of it has to fit into one reply.
    private const long MaxBytes = 64 << 20;

    private readonly string _kind;
    private readonly byte[] _bytes;
    private ulong _produced;
    private ulong _consumed;

    /// <summary>Makes the device.</summary>
    /// <param name="kind">Its name: <c>ringbuf</c>, or the older <c>memory</c>.</param>
    /// <param name="size">Bytes that it keeps, a power of two up to 64 MiB; null for 64 KiB.</param>
    /// <param name="log">The file that gets a copy of what is sent.</param>
    /// <exception cref="QmpException">The size is no such number.</exception>
    public RingbufChardev(string kind, long? size, ChardevLog? log)
        : base(kind, log)
    {
        _kind = kind;
        var bytes = size ?? DefaultBytes;
        if (!BitOperations.IsPow2(bytes))
        {
            throw new QmpException("size of ringbuf chardev must be power of two");
        }

        if (bytes > MaxBytes)
        {
            throw new QmpException($"size of ringbuf chardev must not be greater than {MaxBytes}");
        }

        _bytes = new byte[bytes];
    }

    /// <inheritdoc/>
    public override string Description => _kind;

    /// <summary>Puts bytes in; the oldest make room.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            _bytes[_produced++ & ((ulong)_bytes.Length - 1)] = b;
        }

        if (_produced - _consumed > (ulong)_bytes.Length)
        {
            _consumed = _produced - (ulong)_bytes.Length;
        }
    }

    /// <summary>Takes the oldest bytes out.</summary>
    /// <param name="max">How many at most.</param>
    public byte[] Read(long max)
    {
        var bytes = new byte[Math.Min((ulong)max, _produced - _consumed)];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = _bytes[_consumed++ & ((ulong)_bytes.Length - 1)];
        }

        return bytes;
    }

    /// <inheritdoc/>
    protected override void OnAttached() => Deliver(new LocalConnection(Keep));

    private ValueTask Keep(ReadOnlySequence<byte> sequence)
    {
        foreach (var segment in sequence)
        {
            Write(segment.Span);
        }

        return default;
    }
}
