namespace Qmp.Protocol.Qapi;

/// <summary>Reads the arguments of a command strictly and calls its handler.</summary>
/// <param name="handlers">The handlers of the command's module.</param>
/// <param name="arguments">An object with the arguments.</param>
/// <param name="context">Passed on to the handler.</param>
/// <returns>What goes into <c>return</c>, null for <c>{}</c>.</returns>
public delegate ValueTask<IQapiWritable?> QapiInvoker(object handlers, QapiDocument arguments, QmpCommandContext context);

/// <summary>A command of the generated table: facts of the schema, and a static lambda over the module's handlers.</summary>
/// <param name="name">The wire name.</param>
/// <param name="allowOob">Whether <c>exec-oob</c> may call it.</param>
/// <param name="allowPreconfig">Whether it may run before the machine is configured.</param>
/// <param name="handlers">The handlers of the command's module.</param>
/// <param name="invoke">Reads the arguments and calls the handler.</param>
public sealed class QapiCommand(string name, bool allowOob, bool allowPreconfig, object handlers, QapiInvoker invoke)
    : QmpCommand(name, allowOob, allowPreconfig)
{
    /// <inheritdoc/>
    public override ValueTask<IQapiWritable?> InvokeAsync(QapiDocument arguments, QmpCommandContext context) =>
        invoke(handlers, arguments, context);
}
