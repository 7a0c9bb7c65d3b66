using System.Runtime.CompilerServices;

namespace Qmp.Aio;

/// <summary>
/// <c>await context.Enter()</c>: the rest of the method runs on that loop. Costs nothing when already there.
/// After it, everything that was known about the loop's state may have changed.
/// </summary>
public readonly struct EnterAwaitable
{
    private readonly AioContext _context;

    internal EnterAwaitable(AioContext context) => _context = context;

    /// <summary>For the compiler.</summary>
    public Awaiter GetAwaiter() => new(_context);

    /// <summary>For the compiler.</summary>
    public readonly struct Awaiter : ICriticalNotifyCompletion
    {
        private readonly AioContext _context;

        internal Awaiter(AioContext context) => _context = context;

        /// <summary>True on the loop.</summary>
        public bool IsCompleted => _context.IsCurrent;

        /// <summary>For the compiler.</summary>
        public void GetResult()
        {
        }

        /// <summary>For the compiler.</summary>
        public void OnCompleted(Action continuation) => _context.Schedule(continuation);

        /// <summary>For the compiler.</summary>
        public void UnsafeOnCompleted(Action continuation) => _context.Schedule(continuation);
    }
}

/// <summary><c>await context.Yield()</c>: the rest of the method runs on that loop, on a later turn.</summary>
public readonly struct YieldAwaitable
{
    private readonly AioContext _context;

    internal YieldAwaitable(AioContext context) => _context = context;

    /// <summary>For the compiler.</summary>
    public Awaiter GetAwaiter() => new(_context);

    /// <summary>For the compiler.</summary>
    public readonly struct Awaiter : ICriticalNotifyCompletion
    {
        private readonly AioContext _context;

        internal Awaiter(AioContext context) => _context = context;

        /// <summary>Always false.</summary>
        public bool IsCompleted => false;

        /// <summary>For the compiler.</summary>
        public void GetResult()
        {
        }

        /// <summary>For the compiler.</summary>
        public void OnCompleted(Action continuation) => _context.Schedule(continuation);

        /// <summary>For the compiler.</summary>
        public void UnsafeOnCompleted(Action continuation) => _context.Schedule(continuation);
    }
}
