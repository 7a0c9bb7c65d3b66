using System.Runtime.CompilerServices;
using Qmp.Aio;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>How requests reach a driver; stated at open, see <see cref="BlockDriver.Path"/>.</summary>
public enum BlockDriverPath
{
    /// <summary><see cref="BlockDriver.Submit"/> starts an operation of the engine, or completes.</summary>
    Leaf,

    /// <summary>All bytes are in one child at a fixed distance (<see cref="BlockDriver.LinearOffset"/>): costs nothing.</summary>
    Linear,

    /// <summary><see cref="BlockDriver.TryMap"/> is asked first; what it cannot answer goes to <see cref="BlockDriver.Submit"/>.</summary>
    Mapped,
}

/// <summary>Extent facts, as <see cref="BlockDriver.GetStatusAsync"/> reports them.</summary>
[Flags]
public enum BlockStatusFlags
{
    /// <summary>Nothing known.</summary>
    None = 0,

    /// <summary>There is data in this layer.</summary>
    Data = 1,

    /// <summary>It reads as zeroes.</summary>
    Zero = 2,

    /// <summary><see cref="BlockStatus.MapOffset"/> says where in <see cref="BlockStatus.MapNode"/>.</summary>
    OffsetValid = 4,

    /// <summary>This layer decides the content, no backing file does.</summary>
    Allocated = 8,
}

/// <summary>What is known about the first <paramref name="Length"/> bytes of a range.</summary>
/// <param name="Length">Bytes with the same answer, or a negative error number.</param>
/// <param name="Flags">The answer.</param>
/// <param name="MapNode">Where the bytes are.</param>
/// <param name="MapOffset">At which offset there.</param>
public readonly record struct BlockStatus(long Length, BlockStatusFlags Flags, BlockNode? MapNode, long MapOffset);

/// <summary>
/// One kind of block node: a subclass is the code, an instance belongs to one <see cref="BlockNode"/>. The README of
/// this project tells the life of a driver; <c>Drivers/NullDriver.cs</c> is the one to copy. I/O members run on the
/// node's home loop and answer with negative error numbers; control members run on the main loop, with the node
/// drained, and throw <see cref="Protocol.QmpException"/>.
/// </summary>
public abstract class BlockDriver
{
    /// <summary>The name on the wire, such as <c>null-co</c>.</summary>
    public abstract string FormatName { get; }

    /// <summary>The node that this instance serves.</summary>
    public BlockNode Node { get; internal set; } = null!;

    /// <summary>Whether it shows its child's content unchanged.</summary>
    public virtual bool IsFilter => false;

    /// <summary>Whether it interprets its child's content.</summary>
    public virtual bool IsFormat => false;

    /// <summary>How requests reach it.</summary>
    protected internal virtual BlockDriverPath Path => BlockDriverPath.Leaf;

    /// <summary>With <see cref="BlockDriverPath.Linear"/>: byte 0 of the node is this byte of the primary child.</summary>
    protected internal virtual long LinearOffset => 0;

    /// <summary>What requests it takes; the block layer pads, copies and splits the others.</summary>
    public virtual BlockLimits Limits => BlockLimits.Any;

    /// <summary>Whether <c>block_resize</c> works.</summary>
    public virtual bool CanResize => false;

    /// <summary>Whether bitmaps can be stored in the image.</summary>
    public virtual bool CanStoreBitmaps => false;

    /// <summary>What became of discards so far, for drivers that count them. <b>Any</b>.</summary>
    public virtual BlockDiscardCounts? DiscardCounts => null;

    /// <summary>The plain name that opens the same image, or null if only options can say it.</summary>
    protected internal virtual string? ExactFileName => null;

    /// <summary>
    /// <b>Main</b>. Opens what the options name. Children are opened through the context and are closed by the caller
    /// if this throws; whatever else was acquired is the driver's to release.
    /// </summary>
    protected internal abstract ValueTask OpenAsync(BlockOpenContext context);

    /// <summary><b>Main</b>. Releases everything. Nothing is in flight. May not fail.</summary>
    protected internal virtual ValueTask CloseAsync() => default;

    /// <summary><b>Main</b>. Length in bytes now; asked after open, resize and reopen.</summary>
    protected internal abstract ValueTask<long> GetLengthAsync();

    /// <summary><b>Main</b>. Bytes that the image takes on its medium, or a negative error number.</summary>
    protected internal virtual async ValueTask<long> GetAllocatedBytesAsync()
    {
        // A copy: the graph may change between the answers.
        var sum = 0L;
        foreach (var child in Node.Children.ToArray())
        {
            if ((child.Role & (BlockChildRole.Data | BlockChildRole.Metadata | BlockChildRole.Filtered)) != 0)
            {
                var bytes = await child.Node.Driver.GetAllocatedBytesAsync();
                if (bytes < 0)
                {
                    return bytes;
                }

                sum += bytes;
            }
        }

        return sum;
    }

    /// <summary><b>Loop</b>. The node lives on this loop from now on.</summary>
    protected internal virtual void AttachContext(AioContext context)
    {
    }

    /// <summary><b>Loop</b>. The node is about to leave its loop; it is drained.</summary>
    protected internal virtual void DetachContext()
    {
    }

    /// <summary><b>Loop</b>. A drained section begins: start no work of your own until <see cref="DrainEnd"/>.</summary>
    protected internal virtual void DrainBegin()
    {
    }

    /// <summary><b>Loop</b>. The last drained section ended.</summary>
    protected internal virtual void DrainEnd()
    {
    }

    /// <summary>
    /// <b>Loop</b>. With <see cref="BlockDriverPath.Mapped"/>: says where the range of a request is, if all of it is in
    /// one child without a gap and nothing must be written first. Quick, no allocation, no I/O.
    /// </summary>
    protected internal virtual bool TryMap(BlockOp op, long offset, long length, out BlockNode child, out long childOffset)
    {
        child = null!;
        childOffset = 0;
        return false;
    }

    /// <summary>
    /// <b>Loop</b>. Starts a request whose offset in this node is <paramref name="offset"/>; it ends with
    /// <see cref="BlockOperation.Complete"/>, now or later. As it stands it calls the asynchronous members below.
    /// </summary>
    protected internal virtual unsafe void Submit(BlockOperation operation, long offset)
    {
        BlockBuffer buffer = new(operation.Segments, operation.SegmentCount);
        operation.CompleteWith(operation.EffectiveOp switch
        {
            BlockOp.Read => ReadAsync(offset, operation.Length, buffer, operation.EffectiveFlags),
            BlockOp.Write => WriteAsync(offset, operation.Length, buffer, operation.EffectiveFlags),
            BlockOp.Flush => FlushAsync(),
            BlockOp.Discard => DiscardAsync(offset, operation.Length),
            _ => WriteZeroesAsync(offset, operation.Length, operation.EffectiveFlags),
        });
    }

    /// <summary><b>Loop</b>. With an engine operation of this driver in flight: its result. Ends or continues the request.</summary>
    protected internal virtual void OnEngineCompleted(BlockOperation operation, int result)
        => operation.Complete(result < 0 ? result : 0);

    /// <summary><b>Loop</b>. Reads; 0 or a negative error number. Plain awaits resume on the loop; see the README for faster ones.</summary>
    protected internal virtual ValueTask<int> ReadAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags) => new(-Errno.ENOTSUP);

    /// <summary><b>Loop</b>. Writes; 0 or a negative error number.</summary>
    protected internal virtual ValueTask<int> WriteAsync(long offset, long length, BlockBuffer buffer, BlockFlags flags) => new(-Errno.ENOTSUP);

    /// <summary><b>Loop</b>. Writes zeroes; <c>-ENOTSUP</c> makes the block layer write buffers instead.</summary>
    protected internal virtual ValueTask<int> WriteZeroesAsync(long offset, long length, BlockFlags flags) => new(-Errno.ENOTSUP);

    /// <summary><b>Loop</b>. Discards; advice.</summary>
    protected internal virtual ValueTask<int> DiscardAsync(long offset, long length) => new(0);

    /// <summary><b>Loop</b>. Makes what completed durable.</summary>
    protected internal virtual ValueTask<int> FlushAsync() => new(0);

    /// <summary><b>Loop</b>. What is known of a range that lies within the node.</summary>
    protected internal virtual ValueTask<BlockStatus> GetStatusAsync(long offset, long length)
        => new(new BlockStatus(length, BlockStatusFlags.Data | BlockStatusFlags.Allocated, null, 0));

    /// <summary>
    /// <b>Loop</b>, drained. Changes the length in bytes. Grown parts read as zeroes. Throws on failure, with nothing changed.
    /// </summary>
    protected internal virtual ValueTask ResizeAsync(long length)
        => throw new Protocol.QmpException("Image format driver does not support resize");

    /// <summary>
    /// <b>Main</b>. What this node needs of a child, given what its own users need. The default is that of a filter:
    /// the same.
    /// </summary>
    protected internal virtual void GetChildPermissions(
        string name, BlockChildRole role, ref BlockPermissions permissions, ref BlockPermissions shared)
    {
    }

    /// <summary>
    /// <b>Main</b>. The users of this node need <paramref name="permissions"/> and share <paramref name="shared"/>: take
    /// what is missing of the outside world's locks, keeping the old ones. Throws when refused, having changed nothing.
    /// </summary>
    protected internal virtual ValueTask PreparePermissionsAsync(BlockPermissions permissions, BlockPermissions shared) => default;

    /// <summary><b>Main</b>. Drops the locks that are not needed for these permissions. May not fail.</summary>
    protected internal virtual ValueTask SettlePermissionsAsync(BlockPermissions permissions, BlockPermissions shared) => default;

    /// <summary><b>Main</b>. The children that options name.</summary>
    protected internal virtual IEnumerable<(string Name, BlockdevRef Reference)> GetChildReferences(BlockdevOptions options) => [];

    /// <summary><b>Main</b>. Options of another driver were given to reopen this one: throws if more is wrong than that.</summary>
    protected internal virtual void RefuseOtherDriver(BlockdevOptions options)
    {
    }

    /// <summary>
    /// <b>Main</b>, drained. Prepares other options: checks them, opens what they need, changes nothing yet. The result
    /// is passed to <see cref="CommitReopenAsync"/> or <see cref="AbortReopenAsync"/>.
    /// </summary>
    protected internal virtual ValueTask<object?> PrepareReopenAsync(BlockReopenContext context) => new((object?)null);

    /// <summary><b>Main</b>, drained. Takes what was prepared into use. May not fail.</summary>
    protected internal virtual ValueTask CommitReopenAsync(object? prepared) => default;

    /// <summary><b>Main</b>, drained. Throws away what was prepared.</summary>
    protected internal virtual ValueTask AbortReopenAsync(object? prepared) => default;

    /// <summary>
    /// The options that decide the content, for the name in JSON form: names of the wire with strings, integers,
    /// booleans. Children and the driver's name are added by the caller.
    /// </summary>
    protected internal virtual void AddStrongOptions(IDictionary<string, object> options)
    {
    }

    /// <summary>The options of this kind within the union.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static T Require<T>(T? branch)
        where T : class
        => branch ?? throw new Protocol.QmpException("Parameter 'driver' does not match its options");

    /// <summary>The loop that the node lives on.</summary>
    protected AioContext Home => Node.Home;

    /// <summary>The child called <c>file</c>, or the only one.</summary>
    protected BlockNode PrimaryChild => Node.Children[0].Node;

    /// <summary>The options that the node was opened with.</summary>
    protected BlockdevOptions Options => Node.Options;
}
