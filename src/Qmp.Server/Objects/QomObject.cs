using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;

namespace Qmp.Server.Objects;

/// <summary>
/// Something with a path, a type and properties, seen through <c>qom-list</c> and <c>qom-get</c>. To add a type, derive
/// from it in a file of its own and add it to <see cref="QomTypes"/>. All members: <b>Main</b>.
/// </summary>
/// <param name="typeName">Its type's name on the wire.</param>
internal abstract class QomObject(string typeName)
{
    /// <summary>Its type's name on the wire.</summary>
    public string TypeName { get; } = typeName;

    /// <summary>What it lies in; null for the root and for what is not in the tree.</summary>
    public QomContainer? Parent { get; internal set; }

    /// <summary>Its name in its parent.</summary>
    public string Name { get; internal set; } = string.Empty;

    /// <summary>Its absolute path.</summary>
    public string Path => Parent is null ? "/" : Parent.Parent is null ? "/" + Name : Parent.Path + "/" + Name;

    /// <summary>Its type.</summary>
    public QomType Type => QomTypes.Find(TypeName)!;

    /// <summary>What lies in it, in the order of listings.</summary>
    public virtual IEnumerable<QomObject> Children => [];

    /// <summary>What lies in it under a name; null for nothing.</summary>
    public virtual QomObject? Child(string name) => null;

    /// <summary>Whether it is made with <c>object-add</c> and may be removed with <c>object-del</c>.</summary>
    public bool IsUserCreatable => Type.IsUserCreatable;

    /// <summary>Whether something still needs it: deleted, it only loses its name, and ends with the daemon.</summary>
    public virtual bool IsInUse => false;

    /// <summary>Whether it outlives the other objects when the daemon ends, because clients hear of their end through it.</summary>
    public virtual bool GoesLast => false;

    /// <summary>Sets properties from the options of <c>object-add</c>, one after the other in QEMU's order.</summary>
    /// <exception cref="QmpException">A value is not accepted.</exception>
    public void SetAll(IQapiWritable options)
    {
        QapiWriter writer = new();
        options.Write(writer);
        foreach (var member in JsonElement.Parse(writer.WrittenSpan).EnumerateObject())
        {
            Type.Properties.First(p => p.Name == member.Name).Set!(this, member.Value);
        }
    }

    /// <summary>Checks what was set and makes it work, before the object stands in the tree.</summary>
    /// <param name="objects">Where the objects are that it refers to.</param>
    /// <exception cref="QmpException">It cannot work.</exception>
    public virtual ValueTask CompleteAsync(QomContainer objects) => ValueTask.CompletedTask;

    /// <summary>Ends it, after it has been taken out of the tree.</summary>
    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
