using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Qmp.Server.Objects;

/// <summary>
/// Named values that are listed in the order in which QEMU lists the children of an object. That order is not the one
/// of their making: it follows from a hash table with open addressing, whose size and probing are repeated here, and
/// listings walk it from the end. Clients compare such listings as text. Not thread-safe.
/// </summary>
/// <typeparam name="T">The values.</typeparam>
internal sealed class NameTable<T>
    where T : class
{
    private const int MinBits = 3;

    // For each number of bits the greatest prime below that power of two: the first slot is hash times 11 modulo this.
    private static readonly uint[] Primes =
        [1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287, 1048573];

    private Slot[] _slots = new Slot[1 << MinBits];
    private int _bits = MinBits;
    private int _used;

    private enum State : byte
    {
        Empty,
        Removed,
        Used,
    }

    /// <summary>Number of values.</summary>
    public int Count { get; private set; }

    /// <summary>The values in the order of listings.</summary>
    public IEnumerable<KeyValuePair<string, T>> Listing
    {
        get
        {
            for (var i = _slots.Length - 1; i >= 0; i--)
            {
                if (_slots[i] is { State: State.Used } slot)
                {
                    yield return new(slot.Name!, slot.Value!);
                }
            }
        }
    }

    /// <summary>Adds a value.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the name is taken.</returns>
    public bool TryAdd(string name, T value)
    {
        if (TryGet(name, out _))
        {
            return false;
        }

        var index = FreeSlot(Hash(name));
        var wasEmpty = _slots[index].State == State.Empty;
        _slots[index] = new Slot { State = State.Used, Name = name, Value = value };
        Count++;
        if (wasEmpty)
        {
            _used++;
            ResizeIfNeeded();
        }

        return true;
    }

    /// <summary>Removes a value.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>False when there is none.</returns>
    public bool Remove(string name)
    {
        var index = Find(name);
        if (index < 0)
        {
            return false;
        }

        _slots[index] = new Slot { State = State.Removed };
        Count--;
        ResizeIfNeeded();
        return true;
    }

    /// <summary>Looks a value up.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">The value.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGet(string name, [NotNullWhen(true)] out T? value)
    {
        var index = Find(name);
        value = index < 0 ? null : _slots[index].Value;
        return value is not null;
    }

    private static uint Hash(string name)
    {
        var hash = 5381u;
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            hash = unchecked((hash * 33) + (uint)(sbyte)b);
        }

        return Math.Max(hash, 2); // 0 and 1 mark slots there
    }

    private int First(uint hash) => (int)(unchecked(hash * 11) % Primes[_bits]);

    private int Find(string name)
    {
        var index = First(Hash(name));
        for (var step = 1; _slots[index].State != State.Empty; step++)
        {
            if (_slots[index].Name == name)
            {
                return index;
            }

            index = (index + step) & (_slots.Length - 1);
        }

        return -1;
    }

    // The first removed slot on the way to the empty one, else that one.
    private int FreeSlot(uint hash)
    {
        var index = First(hash);
        var removed = -1;
        for (var step = 1; _slots[index].State != State.Empty; step++)
        {
            if (removed < 0 && _slots[index].State == State.Removed)
            {
                removed = index;
            }

            index = (index + step) & (_slots.Length - 1);
        }

        return removed < 0 ? index : removed;
    }

    private void ResizeIfNeeded()
    {
        var size = _slots.Length;
        if ((size > 1 << MinBits && size > Count * 4) || size <= _used + (_used / 16))
        {
            var old = _slots;
            var wanted = (int)(Count * 1.333);
            _bits = Math.Max(MinBits, 32 - int.LeadingZeroCount(wanted));
            _slots = new Slot[1 << _bits];
            _used = Count;
            foreach (var slot in old)
            {
                if (slot.State == State.Used)
                {
                    _slots[FreeSlot(Hash(slot.Name!))] = slot;
                }
            }
        }
    }

    private struct Slot
    {
        public State State;
        public string? Name;
        public T? Value;
    }
}
