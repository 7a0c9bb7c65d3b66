using System.Numerics;
using Qmp.Protocol;

namespace Qmp.Block;

/// <summary>
/// Which parts of a node were written since it was made or cleared. The bits belong to the node's home loop: writes set
/// them there, commands read and change them while the node is drained. Flags and counts may be read on any thread.
/// </summary>
public sealed class DirtyBitmap
{
    /// <summary>Smallest granularity in bytes.</summary>
    public const int GranularityMin = 512;

    /// <summary>Granularity in bytes unless asked for otherwise.</summary>
    public const int GranularityDefault = 65536;

    /// <summary>Longest name in bytes.</summary>
    public const int NameMax = 1023;

    /// <summary>Words of one bitmap: 1 GiB of memory, 512 TiB at the default granularity.</summary>
    private const long WordsMax = 1L << 27;

    private readonly int _shift;
    private ulong[] _words;
    private long _dirtyCount;

    internal DirtyBitmap(BlockNode node, string name, long granularity, long length)
    {
        Node = node;
        Name = name;
        Granularity = granularity;
        _shift = BitOperations.Log2((ulong)granularity);
        LengthBytes = length;
        _words = new ulong[WordsFor(length)];
    }

    /// <summary>The node whose writes it records.</summary>
    public BlockNode Node { get; }

    /// <summary>Its name, unique on its node.</summary>
    public string Name { get; }

    /// <summary>Bytes per bit; a power of two.</summary>
    public long Granularity { get; }

    /// <summary>Bytes covered: the length of the node.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>Whether writes are recorded. <b>Main</b> to change, drained.</summary>
    public bool Enabled { get; internal set; } = true;

    /// <summary>Whether an operation (an export, a job) has it to itself. <b>Main</b>.</summary>
    public bool Busy { get; set; }

    /// <summary>Whether it is to be stored in the image. <b>Main</b>.</summary>
    public bool Persistent { get; internal set; }

    /// <summary>Whether what it says cannot be relied on: it was not stored properly. <b>Main</b>.</summary>
    public bool Inconsistent { get; internal set; }

    /// <summary>Whether the image that it is stored in cannot be written. <b>Main</b>.</summary>
    public bool ReadOnly { get; internal set; }

    /// <summary>Dirty bytes, in whole units of <see cref="Granularity"/>. <b>Any</b>.</summary>
    public long DirtyBytes => Volatile.Read(ref _dirtyCount) << _shift;

    /// <summary>Whether the unit that holds this byte is dirty. <b>Loop</b>, or drained.</summary>
    public bool IsDirty(long offset)
    {
        var bit = offset >> _shift;
        return (_words[bit >> 6] & (1UL << (int)(bit & 63))) != 0;
    }

    /// <summary>
    /// The first dirty range at or after <paramref name="offset"/>, at most <paramref name="maxLength"/> bytes long.
    /// <b>Loop</b>, or drained. False: there is none.
    /// </summary>
    public bool NextDirty(long offset, long maxLength, out long start, out long length)
    {
        var bits = BitsFor(LengthBytes);
        var bit = FindNext(offset >> _shift, bits, dirty: true);
        if (bit >= bits)
        {
            start = length = 0;
            return false;
        }

        start = Math.Max(bit << _shift, offset);
        maxLength = Math.Min(maxLength, LengthBytes - start);
        var last = Math.Min(bits, ((start + maxLength - 1) >> _shift) + 1);
        var end = FindNext(bit, last, dirty: false) << _shift;
        length = Math.Min(end - start, maxLength);
        return true;
    }

    /// <summary>Marks a range. <b>Loop</b>, or drained.</summary>
    public void Set(long offset, long length) => Change(offset, length, value: true);

    /// <summary>Unmarks a range that consists of whole units. <b>Loop</b>, or drained.</summary>
    public void Reset(long offset, long length) => Change(offset, length, value: false);

    /// <summary>A write ended. <b>Loop</b>.</summary>
    internal void OnWrite(long offset, long length)
    {
        if (Enabled)
        {
            Set(offset, length);
        }
    }

    /// <summary>Unmarks everything and returns what was marked, for <see cref="Restore"/>. Drained.</summary>
    internal ulong[] Clear()
    {
        var before = _words;
        _words = new ulong[before.Length];
        Volatile.Write(ref _dirtyCount, 0);
        return before;
    }

    /// <summary>A copy of what is marked, for <see cref="Restore"/>. Drained.</summary>
    internal ulong[] Backup() => (ulong[])_words.Clone();

    /// <summary>Puts back what <see cref="Clear"/> or <see cref="Backup"/> gave. Drained since then.</summary>
    internal void Restore(ulong[] words)
    {
        _words = words;
        Recount();
    }

    /// <summary>Marks what <paramref name="source"/> has marked, as far as granularities allow. Drained, both.</summary>
    internal void MergeFrom(DirtyBitmap source)
    {
        if (ReferenceEquals(source, this))
        {
            return;
        }

        if (source._shift == _shift)
        {
            for (var i = 0; i < _words.Length; i++)
            {
                _words[i] |= source._words[i];
            }

            Recount();
            return;
        }

        for (var at = 0L; source.NextDirty(at, long.MaxValue, out var start, out var length); at = start + length)
        {
            Set(start, length);
        }
    }

    /// <summary>Refuses a length for which there is no room. <b>Any</b>.</summary>
    internal void CheckLength(long length) => _ = WordsFor(length);

    /// <summary>
    /// The node has another length. <b>Loop</b>, drained. New parts are clean. A bitmap that cannot cover the new length
    /// (its node grew because of another one) becomes inconsistent.
    /// </summary>
    internal void Truncate(long length)
    {
        if ((BitsFor(length) + 63) >> 6 > WordsMax)
        {
            Inconsistent = true;
            Enabled = false;
            return;
        }

        Array.Resize(ref _words, WordsFor(length));
        LengthBytes = length;
        var bits = BitsFor(length);
        if ((bits & 63) != 0)
        {
            _words[bits >> 6] &= (1UL << (int)(bits & 63)) - 1;
        }

        Recount();
    }

    /// <summary>Refuses what an operation on it must not meet.</summary>
    /// <exception cref="QmpException">It is busy, read-only or inconsistent.</exception>
    internal void Check(bool allowReadOnly = false, bool allowInconsistent = false)
    {
        if (Busy)
        {
            throw new QmpException($"Bitmap '{Name}' is currently in use by another operation and cannot be used");
        }

        if (!allowReadOnly && ReadOnly)
        {
            throw new QmpException($"Bitmap '{Name}' is readonly and cannot be modified");
        }

        if (!allowInconsistent && Inconsistent)
        {
            throw new QmpException($"Bitmap '{Name}' is inconsistent and cannot be used");
        }
    }

    private void Recount()
    {
        var count = 0L;
        foreach (var word in _words)
        {
            count += BitOperations.PopCount(word);
        }

        Volatile.Write(ref _dirtyCount, count);
    }

    private void Change(long offset, long length, bool value)
    {
        if (length <= 0)
        {
            return;
        }

        var first = offset >> _shift;
        var last = (offset + length - 1) >> _shift;
        var delta = 0L;
        for (var word = first >> 6; word <= last >> 6; word++)
        {
            var mask = ulong.MaxValue;
            if (word == first >> 6)
            {
                mask &= ulong.MaxValue << (int)(first & 63);
            }

            if (word == last >> 6)
            {
                mask &= ulong.MaxValue >> (63 - (int)(last & 63));
            }

            var before = _words[word];
            var after = value ? before | mask : before & ~mask;
            _words[word] = after;
            delta += BitOperations.PopCount(after) - BitOperations.PopCount(before);
        }

        Volatile.Write(ref _dirtyCount, _dirtyCount + delta);
    }

    private long FindNext(long bit, long end, bool dirty)
    {
        while (bit < end)
        {
            var word = dirty ? _words[bit >> 6] : ~_words[bit >> 6];
            word &= ulong.MaxValue << (int)(bit & 63);
            if (word != 0)
            {
                return Math.Min(end, (bit & ~63L) + BitOperations.TrailingZeroCount(word));
            }

            bit = (bit & ~63L) + 64;
        }

        return end;
    }

    private long BitsFor(long length) => (length + Granularity - 1) >> _shift;

    private int WordsFor(long length)
    {
        var words = (BitsFor(length) + 63) >> 6;
        return words <= WordsMax ? (int)words : throw new QmpException($"Bitmap '{Name}' would be too large: choose a greater granularity");
    }
}
