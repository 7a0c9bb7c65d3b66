namespace Qmp.Aio.Tests;

// Apart from the rest because an unsafe context cannot await.
public sealed partial class FileIoTests
{
    [Test]
    public async Task An_awaited_request_resumes_on_the_loop()
    {
        Assert.That(Libc.Ftruncate(_fd, Block), Is.Zero);
        using IoThread thread = new("io", Kind);
        TaskCompletionSource<(int, int, bool)> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Context.Schedule(async () =>
        {
            AwaitableAioRequest request = new();
            StartRead(thread.Context, request);
            var first = await request.Completion.ConfigureAwait(false);
            StartRead(thread.Context, request);
            var second = await request.Completion;
            result.SetResult((first, second, thread.Context.IsCurrent));
        });
        var seen = await result.Task.WaitAsync(Patience);
        Assert.That(seen, Is.EqualTo((Block, Block, true)));
    }
}
