using System.Diagnostics.CodeAnalysis;

namespace Qmp.Aio.Tests;

public sealed class EngineChoiceTests
{
    [Test]
    public void Where_io_uring_is_forbidden_threads_are_used_and_one_line_says_why()
    {
        AioEngine.ForgetFallback();
        List<string> log = [];
        using var engine = AioEngine.Create(AioEngineKind.Auto, log.Add, Forbidden);
        using var second = AioEngine.Create(AioEngineKind.Auto, log.Add, Forbidden);
        Assert.That(engine.Kind, Is.EqualTo(AioEngineKind.Threads));
        Assert.That(second.Kind, Is.EqualTo(AioEngineKind.Threads));
        Assert.That(log, Is.EqualTo(new[] { "io_uring is not available (a rule forbids it): using threads for I/O" }));
    }

    [Test]
    public void Who_asks_for_io_uring_by_name_is_told_that_it_is_forbidden()
        => Assert.That(
            () => AioEngine.Create(AioEngineKind.IoUring, null, Forbidden),
            Throws.TypeOf<PlatformNotSupportedException>().With.Message.EqualTo("io_uring is not available: a rule forbids it"));

    [Test]
    public void Who_asks_for_threads_gets_them_without_a_word()
    {
        List<string> log = [];
        using var engine = AioEngine.Create(AioEngineKind.Threads, log.Add);
        Assert.That(engine.Kind, Is.EqualTo(AioEngineKind.Threads));
        Assert.That(log, Is.Empty);
    }

    private static bool Forbidden([NotNullWhen(true)] out AioEngine? engine, out string reason)
    {
        engine = null;
        reason = "a rule forbids it";
        return false;
    }
}
