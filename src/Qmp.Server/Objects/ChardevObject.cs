using System.Text.Json;

namespace Qmp.Server.Objects;

/// <summary>A character device on a socket, as it stands below <c>/chardevs</c>. <b>Main</b>.</summary>
/// <param name="isConnected">Whether it has a client.</param>
/// <param name="address">Its address, a <c>SocketAddress</c> of the schema.</param>
internal sealed class ChardevObject(Func<bool> isConnected, Func<JsonElement> address) : QomObject("chardev-socket")
{
    private readonly Func<bool> _isConnected = isConnected;
    private readonly Func<JsonElement> _address = address;

    /// <summary>What a socket adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> SocketProperties { get; } =
    [
        new("connected", "bool", o => JsonElement.Parse(((ChardevObject)o)._isConnected() ? "true" : "false")),
        new("addr", "SocketAddress", o => ((ChardevObject)o)._address()),
    ];
}
