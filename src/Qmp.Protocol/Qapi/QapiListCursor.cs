namespace Qmp.Protocol.Qapi;

/// <summary>A position in a list that a <see cref="QapiReader"/> walks.</summary>
public struct QapiListCursor
{
    internal QapiListCursor(int next, int end, int count)
    {
        Next = next;
        End = end;
        Count = count;
    }

    /// <summary>Number of elements in the list.</summary>
    public int Count { get; }

    internal int Next { get; set; }

    internal int End { get; }
}
