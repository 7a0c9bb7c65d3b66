namespace Qmp.Aio;

internal sealed class IoUringEngine
{
    public static bool TryCreate([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AioEngine? engine, out string reason)
    {
        engine = null;
        reason = "not built yet";
        return false;
    }
}
