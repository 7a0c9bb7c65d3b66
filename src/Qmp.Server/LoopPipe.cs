using System.IO.Pipelines;

namespace Qmp.Server;

/// <summary>Pipes both of whose ends run on the loop that uses them, inside the call that fills or drains them.</summary>
internal static class LoopPipe
{
    private const int SegmentBytes = 4 << 10;

    /// <summary>Makes one.</summary>
    /// <param name="pause">Bytes above which the writer has to wait, until half of them are consumed.</param>
    public static Pipe New(int pause) => new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: pause,
        resumeWriterThreshold: pause / 2,
        minimumSegmentSize: SegmentBytes,
        useSynchronizationContext: false));
}
