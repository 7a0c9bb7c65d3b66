using Qmp.Aio;
using Qmp.Block;

namespace Simulation;

/// <summary>
/// What an export is to the block layer: takes requests from a guest's ring when kicked and submits them, on the home
/// loop of the node; stops and starts with drained sections; follows the node to other loops; comes and goes.
/// </summary>
internal sealed class Feeder : IBlockBackendClient
{
    private readonly Guest _guest;
    private readonly SimulationRandom _random;
    private readonly bool _submitsWhileDrained;
    private readonly int _batch;
    private AioWatch? _watch;
    private BottomHalf? _more;
    private bool _isStopped;

    public Feeder(World world, Guest guest)
    {
        _guest = guest;
        _random = world.Random.Fork();

        // As a client of NBD does: what it was sent it submits, and the backend holds it.
        _submitsWhileDrained = _random.Chance(0.3);
        _batch = 1 + _random.Next(8);
    }

    public BlockBackend? Backend { get; private set; }

    /// <summary>Between the decision to close and the end of it.</summary>
    public bool IsClosing { get; private set; }

    public bool CanChangeContext => true;

    public void DrainBegin()
    {
        SimulationFailure.Unless(!_isStopped, $"{_guest.Name}: stopped twice");
        _isStopped = true;
        if (!_submitsWhileDrained)
        {
            _watch?.Update(AioEvents.None);
            _more?.Cancel();
        }
    }

    public void DrainEnd()
    {
        SimulationFailure.Unless(_isStopped, $"{_guest.Name}: started without being stopped");
        _isStopped = false;
        _watch?.Update(AioEvents.In);
        _more?.Schedule();
    }

    public void Resized(long newLength) => _guest.Resized((int)(newLength / DiskModel.SectorSize));

    public async ValueTask ContextChangingAsync(AioContext from, AioContext to)
    {
        SimulationFailure.Unless(_isStopped, $"{_guest.Name}: moved without being drained");
        await from.Enter();
        Detach();
        await to.Enter();

        // The backend does not live here yet: whoever submits while drained, too, waits for DrainEnd.
        Attach(to, isPaused: true);
    }

    public async Task ConnectAsync(GraphChange change, BlockNode node)
    {
        _isStopped = false;
        Backend = await BlockBackend.CreateAsync(
            change, node, _guest.Name, BlockPermissions.ConsistentRead | BlockPermissions.Write, BlockPermissions.All, this);
        Backend.WriteCacheEnabled = !_random.Chance(0.1);
        await Backend.Home.Enter();
        Attach(Backend.Home, _isStopped && !_submitsWhileDrained);
        await change.Graph.MainContext.Enter();
    }

    public async Task DisconnectAsync(GraphChange change)
    {
        var backend = Backend!;
        IsClosing = true;
        await backend.Home.Enter();
        Detach();
        await change.Graph.MainContext.Enter();
        await backend.CloseAsync(change);
        SimulationFailure.Unless(_guest.Submitted == 0, $"closed with requests in flight: {_guest.Describe()}");
        Backend = null;
        IsClosing = false;
    }

    private void Attach(AioContext home, bool isPaused)
    {
        _watch = home.WatchEvent(_guest.Kick, Process);
        _more = home.NewBottomHalf(Process);
        if (isPaused)
        {
            _watch.Update(AioEvents.None);
        }
        else
        {
            _more.Schedule();
        }
    }

    private void Detach()
    {
        _watch?.Dispose();
        _watch = null;
        _more?.Dispose();
        _more = null;
    }

    private void Process()
    {
        if (_more is null)
        {
            return;
        }

        for (var i = 0; i < _batch; i++)
        {
            if (_guest.Take() is not { } request)
            {
                return;
            }

            Backend!.Submit(request);
        }

        _more.Schedule();
    }
}
