using Qmp.Protocol;

namespace Qmp.Block.Drivers;

/// <summary>Options that stay as they are when a node is reopened.</summary>
internal static class ReopenRules
{
    public static void Same<T>(string name, T? before, T? after)
    {
        if (EqualityComparer<T>.Default.Equals(before, after))
        {
            return;
        }

        throw new QmpException(after is null
            ? $"Option '{name}' cannot be reset to its default value"
            : $"Cannot change the option '{name}'");
    }
}
