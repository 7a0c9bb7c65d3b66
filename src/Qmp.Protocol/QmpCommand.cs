using System.Text;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol;

/// <summary>One command of the table: its facts, and the way to its handler. Generated code derives from it.</summary>
public abstract class QmpCommand
{
    /// <summary>Sets the facts.</summary>
    /// <param name="name">The wire name.</param>
    /// <param name="allowOob">Whether <c>exec-oob</c> may call it.</param>
    /// <param name="allowPreconfig">Whether it may run before the machine is configured.</param>
    protected QmpCommand(string name, bool allowOob = false, bool allowPreconfig = false)
    {
        Name = name;
        NameUtf8 = Encoding.UTF8.GetBytes(name);
        AllowOob = allowOob;
        AllowPreconfig = allowPreconfig;
    }

    /// <summary>The wire name. <b>Any</b>.</summary>
    public string Name { get; }

    /// <summary>The wire name's bytes. <b>Any</b>.</summary>
    public ReadOnlyMemory<byte> NameUtf8 { get; }

    /// <summary>Whether <c>exec-oob</c> may call it. <b>Any</b>.</summary>
    public bool AllowOob { get; }

    /// <summary>Whether it may run before the machine is configured. <b>Any</b>.</summary>
    public bool AllowPreconfig { get; }

    /// <summary>
    /// Reads the arguments and runs the handler. <b>Main</b>. Throws (at once or through the task) a
    /// <see cref="QmpException"/> for what the client shall read; anything else is a fault of ours and is logged.
    /// </summary>
    /// <param name="arguments">The arguments, an object; <see cref="QapiDocument.EmptyObject"/> when the client gave none.
    /// Valid until the task completes.</param>
    /// <param name="context">The caller.</param>
    /// <returns>What stands under <c>return</c>; null for <c>{}</c>. It is written before anything else runs on the loop.</returns>
    public abstract ValueTask<IQapiWritable?> InvokeAsync(QapiDocument arguments, QmpCommandContext context);
}
