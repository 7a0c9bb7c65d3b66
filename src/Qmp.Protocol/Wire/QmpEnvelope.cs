using System.Text;
using Qmp.Protocol.Qapi;
using Qmp.Schema;

namespace Qmp.Protocol.Wire;

/// <summary>The outer object of a request, checked as QEMU checks it: the first error in its order of members stands.</summary>
internal readonly ref struct QmpEnvelope
{
    /// <summary>Checks a message.</summary>
    /// <param name="document">The message.</param>
    /// <param name="isOobEnabled">Whether <c>exec-oob</c> is known.</param>
    public QmpEnvelope(QapiDocument document, bool isOobEnabled)
    {
        if (document.RootKind != QapiKind.Object)
        {
            Error = "QMP input must be a JSON object";
            return;
        }

        var isGood = true;
        var outOfBand = -1;
        for (int i = 0, child = 1; i < document[0].Children; i++, child = document[child].Next)
        {
            var name = document.NameOf(child);
            if (name.SequenceEqual("execute"u8))
            {
                Command = child;
                isGood &= document[child].Kind == QapiKind.String;
            }
            else if (name.SequenceEqual("arguments"u8))
            {
                Arguments = child;
                isGood &= document[child].Kind == QapiKind.Object;
            }
            else if (name.SequenceEqual("id"u8))
            {
                Id = child;
            }
            else if (name.SequenceEqual("exec-oob"u8) && isOobEnabled)
            {
                outOfBand = child;
                isGood &= document[child].Kind == QapiKind.String;
            }
            else
            {
                isGood = false;
            }
        }

        if (!isGood || (Command < 0) == (outOfBand < 0))
        {
            Error = FirstError(document, isOobEnabled);
        }

        IsOutOfBand = outOfBand >= 0 && Command < 0;
        Command = IsOutOfBand ? outOfBand : Command;
    }

    /// <summary>What is wrong, or null.</summary>
    public string? Error { get; }

    /// <summary>Node of the command's name, -1 when there is none.</summary>
    public int Command { get; } = -1;

    /// <summary>Node of the arguments, -1 when there are none.</summary>
    public int Arguments { get; } = -1;

    /// <summary>Node of the id, -1 when there is none.</summary>
    public int Id { get; } = -1;

    /// <summary>Whether it is to overtake.</summary>
    public bool IsOutOfBand { get; }

    private static string FirstError(QapiDocument document, bool isOobEnabled)
    {
        var children = new int[document[0].Children];
        for (int i = 0, child = 1; i < children.Length; i++, child = document[child].Next)
        {
            children[i] = child;
        }

        string? command = null;
        foreach (var position in QapiNameOrder.Sort(children.Length, i => document.NameOf(children[i]).ToArray()))
        {
            var child = children[position];
            var kind = document[child].Kind;
            switch (Encoding.UTF8.GetString(document.NameOf(child)))
            {
                case "execute":
                case "exec-oob" when isOobEnabled:
                    var name = Encoding.UTF8.GetString(document.NameOf(child));
                    if (kind != QapiKind.String)
                    {
                        return $"QMP input member '{name}' must be a string";
                    }

                    if (command != null)
                    {
                        return "QMP input member 'execute' clashes with 'exec-oob'";
                    }

                    command = name;
                    break;
                case "arguments":
                    if (kind != QapiKind.Object)
                    {
                        return "QMP input member 'arguments' must be an object";
                    }

                    break;
                case "id":
                    break;
                case var other:
                    return $"QMP input member '{other}' is unexpected";
            }
        }

        return "QMP input lacks member 'execute'";
    }
}
