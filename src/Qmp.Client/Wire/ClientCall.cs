using System.Runtime.InteropServices;
using Qmp.Protocol.Qapi;

namespace Qmp.Client;

/// <summary>A command on its way: what the engine need not know.</summary>
internal sealed class ClientCall
{
    /// <summary>Writes a command. What its arguments throw is the caller's.</summary>
    /// <param name="id">Its id on the wire.</param>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Writes the arguments; null for none.</param>
    /// <param name="isOutOfBand">Whether it overtakes.</param>
    /// <param name="descriptors">What goes along.</param>
    public ClientCall(
        long id, string command, IQapiWritable? arguments, bool isOutOfBand, IReadOnlyList<SafeHandle> descriptors)
    {
        Id = id;
        Command = command;
        IsOutOfBand = isOutOfBand;
        Descriptors = descriptors;
        var writer = new QapiWriter();
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
        Line = writer.WrittenMemory;
    }

    public long Id { get; }

    public string Command { get; }

    public bool IsOutOfBand { get; }

    public IReadOnlyList<SafeHandle> Descriptors { get; }

    /// <summary>Whether it is on its way: from then on the server may execute it.</summary>
    public bool IsSent { get; set; }

    /// <summary>What is sent, the end of the line included.</summary>
    public ReadOnlyMemory<byte> Line { get; }
}
