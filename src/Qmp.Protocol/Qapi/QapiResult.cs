namespace Qmp.Protocol.Qapi;

/// <summary>What a command returns when that is not a generated type by itself.</summary>
/// <typeparam name="T">Type of the value.</typeparam>
/// <param name="value">The value.</param>
/// <param name="write">Writes it.</param>
public sealed class QapiResult<T>(T value, Action<QapiWriter, T> write) : IQapiWritable
{
    /// <summary>The value.</summary>
    public T Value => value;

    /// <inheritdoc/>
    public void Write(QapiWriter writer) => write(writer, value);
}

/// <summary>Turns what handlers return into something that can be written. Allocates nothing when the handler has
/// finished and returned a generated type or nothing.</summary>
public static class QapiResult
{
    /// <summary>Of a command that returns nothing.</summary>
    /// <param name="running">The command.</param>
    /// <returns>Null.</returns>
    public static ValueTask<IQapiWritable?> From(ValueTask running)
    {
        if (!running.IsCompletedSuccessfully)
        {
            return Wait(running);
        }

        running.GetAwaiter().GetResult();
        return default;

        static async ValueTask<IQapiWritable?> Wait(ValueTask running)
        {
            await running;
            return null;
        }
    }

    /// <summary>Of a command that returns a generated type.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="running">The command.</param>
    /// <returns>What it returned.</returns>
    public static ValueTask<IQapiWritable?> From<T>(ValueTask<T> running)
        where T : class, IQapiWritable
    {
        return running.IsCompletedSuccessfully ? new(running.Result) : Wait(running);

        static async ValueTask<IQapiWritable?> Wait(ValueTask<T> running) => await running;
    }

    /// <summary>Of a command that returns a list or a scalar.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="running">The command.</param>
    /// <param name="write">Writes the value.</param>
    /// <returns>What it returned.</returns>
    public static ValueTask<IQapiWritable?> From<T>(ValueTask<T> running, Action<QapiWriter, T> write)
    {
        return running.IsCompletedSuccessfully ? new(new QapiResult<T>(running.Result, write)) : Wait(running, write);

        static async ValueTask<IQapiWritable?> Wait(ValueTask<T> running, Action<QapiWriter, T> write) =>
            new QapiResult<T>(await running, write);
    }
}
