using Qmp.Protocol;

namespace Qmp.Client;

/// <summary>The server refused a command, or the command failed.</summary>
/// <param name="command">Name of the command.</param>
/// <param name="className">Class of the error as it stands on the wire.</param>
/// <param name="description">The server's text, for people.</param>
public sealed class QmpCommandException(string command, string className, string description)
    : Exception(description)
{
    /// <summary>Name of the command.</summary>
    public string Command { get; } = command;

    /// <summary>Class of the error; one that is not known counts as <see cref="ErrorClass.GenericError"/>.</summary>
    public ErrorClass ErrorClass { get; } = className switch
    {
        "CommandNotFound" => ErrorClass.CommandNotFound,
        "DeviceNotActive" => ErrorClass.DeviceNotActive,
        "DeviceNotFound" => ErrorClass.DeviceNotFound,
        "KVMMissingCap" => ErrorClass.KVMMissingCap,
        _ => ErrorClass.GenericError,
    };

    /// <summary>Class of the error as it stands on the wire.</summary>
    public string ClassName { get; } = className;

    /// <summary>The server's text, for people.</summary>
    public string Description => Message;
}
