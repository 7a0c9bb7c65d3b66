namespace Qmp.Aio;

/// <summary>
/// What a result of the kernel means, in one table for all engines:
/// <code>
///     operation          result            meaning
///     any                -EINTR            a signal came first: the engine repeats the operation
///     any                -EAGAIN           the file system was short of something: the engine repeats it
///     read               0                 at or after the end of the file
///     read, write        fewer than asked  short: the caller continues with the rest, at the new offset
///     write              0                 no space: the caller reports ENOSPC
///     fsync, fallocate   0                 done
///     any                other negatives   an error, reported as it is
/// </code>
/// </summary>
internal static class OperationResults
{
    /// <summary>Whether the engine must submit the operation again.</summary>
    public static bool MustRepeat(int result) => result is -Errno.EINTR or -Errno.EAGAIN;
}
