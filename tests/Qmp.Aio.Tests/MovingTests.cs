namespace Qmp.Aio.Tests;

public sealed class MovingTests(AioEngineKind kind) : LoopTestBase(kind)
{
    [Test]
    public async Task A_method_moves_between_loops_and_back()
    {
        using IoThread a = new("a", Kind);
        using IoThread b = new("b", Kind);
        List<string?> where = [];
        await Journey().WaitAsync(Patience);
        Assert.That(where, Is.EqualTo(new[] { "a", "b", "b", "a" }));

        async Task Journey()
        {
            await a.Context.Enter();
            where.Add(AioContext.Current?.Name);
            await b.Context.Enter();
            where.Add(AioContext.Current?.Name);
            await b.Context.Yield();
            where.Add(AioContext.Current?.Name);
            await a.Context.Enter();
            where.Add(AioContext.Current?.Name);
        }
    }

    [Test]
    public async Task Entering_the_loop_one_is_on_does_not_wait_but_yielding_lets_others_run()
    {
        using IoThread a = new("a", Kind);
        List<string> order = [];
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        a.Context.Schedule(async () =>
        {
            a.Context.Schedule(() => order.Add("other"));
            await a.Context.Enter();
            order.Add("entered");
            await a.Context.Yield();
            order.Add("yielded");
            done.SetResult();
        });
        await done.Task.WaitAsync(Patience);
        Assert.That(order, Is.EqualTo(new[] { "entered", "other", "yielded" }));
    }

    [Test]
    public async Task An_ordinary_await_resumes_on_the_loop()
    {
        using IoThread a = new("a", Kind);
        TaskCompletionSource signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<bool> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        a.Context.Schedule(async () =>
        {
            await signal.Task;
            result.SetResult(a.Context.IsCurrent);
        });
        signal.SetResult();
        Assert.That(await result.Task.WaitAsync(Patience), Is.True);
    }

    [Test]
    public async Task A_blocking_call_runs_elsewhere_and_comes_back_with_its_result_or_exception()
    {
        using IoThread a = new("a", Kind);
        TaskCompletionSource<string> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        a.Context.Schedule(async () =>
        {
            var loopThread = Environment.CurrentManagedThreadId;
            var elsewhere = await a.Context.RunOnWorkerAsync(static _ => Environment.CurrentManagedThreadId, null);
            var text = $"elsewhere {elsewhere != loopThread}, back {a.Context.IsCurrent}";
            try
            {
                await a.Context.RunOnWorkerAsync<int>(static _ => throw new InvalidDataException("on purpose"), null);
            }
            catch (InvalidDataException e)
            {
                result.SetResult($"{text}, threw {e.Message}, back {a.Context.IsCurrent}");
            }
        });
        Assert.That(
            await result.Task.WaitAsync(Patience), Is.EqualTo("elsewhere True, back True, threw on purpose, back True"));
    }

    [Test]
    public async Task More_blocking_calls_than_threads_all_finish()
    {
        using IoThread a = new("a", Kind);
        const int calls = WorkerPool.MaxThreads + 40;
        using ManualResetEventSlim gate = new();
        TaskCompletionSource<int> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        a.Context.Schedule(async () =>
        {
            List<ValueTask<int>> running = [];
            for (var i = 0; i < calls; i++)
            {
                running.Add(a.Context.RunOnWorkerAsync(() =>
                {
                    gate.Wait(Patience);
                    return 1;
                }));
            }

            gate.Set();
            var sum = 0;
            foreach (var task in running)
            {
                sum += await task;
            }

            result.SetResult(sum);
        });
        Assert.That(await result.Task.WaitAsync(Patience), Is.EqualTo(calls));
    }

    [Test]
    public async Task An_exception_of_a_callback_goes_to_the_hook_and_the_loop_goes_on()
    {
        using IoThread a = new("a", Kind);
        TaskCompletionSource<string> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        AioContext.UnhandledException = (context, e) => seen.TrySetResult($"{context.Name}: {e.Message}");
        try
        {
            a.Context.Schedule(() => throw new InvalidDataException("on purpose"));
            Assert.That(await seen.Task.WaitAsync(Patience), Is.EqualTo("a: on purpose"));
            TaskCompletionSource alive = new(TaskCreationOptions.RunContinuationsAsynchronously);
            a.Context.Schedule(() => alive.SetResult());
            await alive.Task.WaitAsync(Patience);
        }
        finally
        {
            AioContext.UnhandledException = null;
        }
    }

    [Test]
    public void Run_ends_by_its_token_after_what_was_scheduled()
    {
        using CancellationTokenSource stop = new();
        var ran = false;
        Loop.Schedule(() =>
        {
            stop.Cancel();
            Loop.Schedule(() => ran = true);
        });
        Loop.Run(stop.Token);
        Assert.That(ran, Is.True);
        Assert.That(AioContext.Current, Is.Null);
        Assert.That(SynchronizationContext.Current, Is.Not.InstanceOf<LoopSynchronizationContext>());
    }

    [Test]
    public void Work_deferred_to_the_end_of_the_turn_runs_once_after_the_handlers()
    {
        List<string> order = [];
        Deferred deferred = new(() => order.Add("end"));
        Loop.Schedule(() =>
        {
            order.Add("one");
            Loop.DeferUntilEndOfTurn(deferred);
        });
        Loop.Schedule(() =>
        {
            order.Add("two");
            Loop.DeferUntilEndOfTurn(deferred);
        });
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Is.EqualTo(new[] { "one", "two", "end" }));
        Loop.RunOnce(mayBlock: false);
        Assert.That(order, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task DelayAsync_resumes_on_the_loop_and_obeys_its_token()
    {
        using IoThread thread = new("delay", Kind);
        using CancellationTokenSource cancel = new();
        TaskCompletionSource<string> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Context.Schedule(async () =>
        {
            var start = thread.Context.NowNs;
            await thread.Context.DelayAsync(TimeSpan.FromMilliseconds(5), cancel.Token);
            var waited = thread.Context.NowNs - start >= 5_000_000;
            var onLoop = thread.Context.IsCurrent;
            var never = thread.Context.DelayAsync(TimeSpan.FromHours(1), cancel.Token);
            cancel.Cancel();
            try
            {
                await never;
                result.SetResult("was not cancelled");
            }
            catch (OperationCanceledException)
            {
                result.SetResult($"waited {waited}, on loop {onLoop} {thread.Context.IsCurrent}");
            }
        });
        Assert.That(await result.Task.WaitAsync(Patience), Is.EqualTo("waited True, on loop True True"));
    }

    private sealed class Deferred(Action action) : AioDeferred
    {
        protected internal override void OnEndOfTurn() => action();
    }
}
