namespace Qmp.Protocol;

/// <summary>The class of a QMP error: the few that programs may tell apart. The names are those of the wire.</summary>
public enum ErrorClass
{
    /// <summary>Anything without a class of its own; the text says what.</summary>
    GenericError,

    /// <summary>There is no such command, or not now.</summary>
    CommandNotFound,

    /// <summary>A device is not active.</summary>
    DeviceNotActive,

    /// <summary>A device or node was not found.</summary>
    DeviceNotFound,

    /// <summary>The accelerator lacks a capability.</summary>
    KVMMissingCap,
}
