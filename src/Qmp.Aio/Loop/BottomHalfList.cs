using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Qmp.Aio;

/// <summary>
/// The list through which other threads reach a loop: anybody pushes without a lock, the loop takes all at once.
/// A push list comes off newest first, so what is taken is turned round: bottom halves run in the order of pushing.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BottomHalfList
{
    // The head is written by all threads: it has its cache-line pair to itself.
    private Padding _before;
    private BottomHalfNode? _head;
    private Padding _after;

    /// <summary><b>Any</b>. A racing answer: true may be stale, false means that something was pushed.</summary>
    public readonly bool IsEmpty => Volatile.Read(in _head) is null;

    /// <summary><b>Any</b>. A full fence: what the caller reads afterwards is read after the node was published.</summary>
    public void Push(BottomHalfNode node)
    {
        var head = Volatile.Read(ref _head);
        while (true)
        {
            node.Next = head;
            var seen = Interlocked.CompareExchange(ref _head, node, head);
            if (ReferenceEquals(seen, head))
            {
                return;
            }

            head = seen;
        }
    }

    /// <summary><b>Loop</b>. Takes everything, oldest first, linked by <see cref="BottomHalfNode.Next"/>.</summary>
    public BottomHalfNode? TakeAll()
    {
        if (Volatile.Read(ref _head) is null)
        {
            return null;
        }

        var node = Interlocked.Exchange(ref _head, null);
        BottomHalfNode? oldest = null;
        while (node is not null)
        {
            var next = node.Next;
            node.Next = oldest;
            oldest = node;
            node = next;
        }

        return oldest;
    }

    [InlineArray(120)]
    private struct Padding
    {
        private byte _first;
    }
}
