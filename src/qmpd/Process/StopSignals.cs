using System.Runtime.InteropServices;

namespace Qmp.Daemon.Process;

/// <summary>
/// SIGTERM, SIGINT and SIGHUP: the first asks for an orderly end, the second for one in haste. (SIGPIPE is ignored by
/// the runtime.) Callbacks run on a thread of the runtime.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Action _first;
    private readonly Action _second;
    private int _count;

    public StopSignals(Action first, Action second)
    {
        _first = first;
        _second = second;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
        ];
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 1)
        {
            _first();
        }
        else
        {
            _second();
        }
    }
}
