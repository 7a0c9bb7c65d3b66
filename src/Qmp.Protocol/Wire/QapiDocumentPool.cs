using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Wire;

/// <summary>Documents to use again: a connection in steady state makes none. Not thread-safe.</summary>
public sealed class QapiDocumentPool
{
    private const int Kept = 8;

    // Above this many values or bytes of text a document's memory is given back rather than kept.
    private const int LargeCount = 1024;
    private const int LargeText = 1 << 16;

    private readonly Stack<QapiDocument> _free = new(Kept);

    /// <summary>An empty document.</summary>
    /// <returns>A document that nobody else has.</returns>
    public QapiDocument Rent() => _free.TryPop(out var document) ? document : new QapiDocument();

    /// <summary>Takes a document back. Nobody may use it any more.</summary>
    /// <param name="document">The document.</param>
    public void Return(QapiDocument document)
    {
        if (_free.Count < Kept && document.Count <= LargeCount && document.TextCapacity <= LargeText)
        {
            document.Reset();
            _free.Push(document);
        }
    }
}
