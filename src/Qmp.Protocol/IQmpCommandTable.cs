using System.Diagnostics.CodeAnalysis;

namespace Qmp.Protocol;

/// <summary>All commands of a monitor, by name. Immutable once a monitor uses it.</summary>
public interface IQmpCommandTable
{
    /// <summary>All commands, in the order in which <c>query-commands</c> names them. <b>Any</b>.</summary>
    IReadOnlyList<QmpCommand> Commands { get; }

    /// <summary>Looks a command up. <b>Any</b>; allocates nothing.</summary>
    /// <param name="name">The wire name, UTF-8.</param>
    /// <param name="command">The command.</param>
    /// <returns>Whether there is one.</returns>
    bool TryGet(ReadOnlySpan<byte> name, [NotNullWhen(true)] out QmpCommand? command);
}
