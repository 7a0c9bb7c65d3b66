using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Testing;

namespace Qmp.Block.Tests;

/// <summary>A graph on a main loop of its own, for each engine. Tests enter the main loop with <c>await Main.Enter()</c>.</summary>
public abstract class BlockTestBase(AioEngineKind kind)
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<IoThread> _threads = [];

    /// <summary>The main loop; its thread is in the list that is disposed.</summary>
    protected AioContext Main => _threads[0].Context;

    protected BlockGraph Graph { get; private set; } = null!;

    protected WorkFolder Folder { get; private set; } = null!;

    [SetUp]
    public void MakeGraph()
    {
        Graph = new BlockGraph(NewLoop("main"));
        Folder = new WorkFolder();
    }

    [TearDown]
    public async Task CloseGraph()
    {
        await CloseEverythingAsync().WaitAsync(Patience);
        foreach (var thread in _threads)
        {
            thread.Dispose();
        }

        _threads.Clear();
        Folder.Dispose();
    }

    protected AioContext NewLoop(string name)
    {
        try
        {
            IoThread thread = new(name, kind);
            _threads.Add(thread);
            return thread.Context;
        }
        catch (PlatformNotSupportedException e)
        {
            Assert.Fail(e.Message);
            throw;
        }
    }

    protected string MakeFile(string name, long size)
    {
        var path = Folder.File(name);
        using var file = File.Create(path);
        file.SetLength(size);
        return path;
    }

    protected static BlockdevOptions FileOptions(string nodeName, string path) => new()
    {
        Driver = BlockdevDriver.File,
        NodeName = nodeName,
        File = new BlockdevOptionsFile { Filename = path },
    };

    protected static BlockdevOptions NullOptions(string nodeName, long size, bool isAsynchronous = false, ulong? latencyNs = null) => new()
    {
        Driver = isAsynchronous ? BlockdevDriver.NullAio : BlockdevDriver.NullCo,
        NodeName = nodeName,
        NullAio = isAsynchronous ? new BlockdevOptionsNull { Size = size, LatencyNs = latencyNs } : null,
        NullCo = isAsynchronous ? null : new BlockdevOptionsNull { Size = size, LatencyNs = latencyNs },
    };

    protected static BlockdevOptions RawOptions(string nodeName, string file, long? offset = null, long? size = null) => new()
    {
        Driver = BlockdevDriver.Raw,
        NodeName = nodeName,
        Raw = new BlockdevOptionsRaw { File = new BlockdevRef { Reference = file }, Offset = offset, Size = size },
    };

    protected ValueTask<BlockBackend> UseAsync(
        BlockNode node,
        BlockPermissions permissions = BlockPermissions.ConsistentRead | BlockPermissions.Write,
        BlockPermissions shared = BlockPermissions.All,
        IBlockBackendClient? client = null)
        => BlockBackend.CreateAsync(Graph, node, "test", permissions, shared, client);

    /// <summary>The text of the QMP error that this ends with.</summary>
    protected static async Task<string> ErrorOf(Func<ValueTask> action)
    {
        try
        {
            await action();
        }
        catch (QmpException e)
        {
            return e.Description;
        }

        return "(no error)";
    }

    protected static Task<string> ErrorOf<T>(Func<ValueTask<T>> action) => ErrorOf(async () => { _ = await action(); });

    private async Task CloseEverythingAsync()
    {
        await Main.Enter();
        foreach (var section in Graph.Sections.ToArray())
        {
            await section.EndAsync();
        }

        await Graph.CloseAllAsync();
    }
}
