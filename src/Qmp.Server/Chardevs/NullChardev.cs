namespace Qmp.Server.Chardevs;

/// <summary>The character device <c>null</c>: what is sent is lost, nothing comes. <b>Main</b>.</summary>
/// <param name="log">The file that gets a copy of what is sent.</param>
internal sealed class NullChardev(ChardevLog? log) : Chardev("null", log)
{
    /// <inheritdoc/>
    public override string Description => "null";

    /// <inheritdoc/>
    protected override void OnAttached() => Deliver(new LocalConnection(static _ => default));
}
