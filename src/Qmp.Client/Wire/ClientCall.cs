using System.Runtime.InteropServices;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>A command on its way: what the engine need not know.</summary>
/// <param name="id">Its id on the wire.</param>
/// <param name="command">Its name.</param>
/// <param name="arguments">Writes the arguments; null for none.</param>
/// <param name="isOutOfBand">Whether it overtakes.</param>
/// <param name="descriptors">What goes along.</param>
internal sealed class ClientCall(
    long id, string command, IQapiWritable? arguments, bool isOutOfBand, IReadOnlyList<SafeHandle> descriptors)
{
    public long Id => id;

    public string Command => command;

    public bool IsOutOfBand => isOutOfBand;

    public IReadOnlyList<SafeHandle> Descriptors => descriptors;

    /// <summary>Writes the line, its end included.</summary>
    public void Write(QapiWriter writer)
    {
        writer.BeginObject();
        writer.Name(isOutOfBand ? "exec-oob"u8 : "execute"u8);
        writer.Value(command);
        if (arguments is not null)
        {
            writer.Name("arguments"u8);
            arguments.Write(writer);
        }

        writer.Name("id"u8);
        writer.Value(id);
        writer.EndObject();
        writer.Raw("\r\n"u8);
    }
}
