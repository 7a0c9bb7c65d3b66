using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>An object that holds others by name. <b>Main</b>.</summary>
internal sealed class QomContainer() : QomObject("container")
{
    private readonly NameTable<QomObject> _children = new();

    public override IEnumerable<QomObject> Children => _children.Listing.Select(c => c.Value);

    public override QomObject? Child(string name) => _children.TryGet(name, out var child) ? child : null;

    /// <summary>Puts an object in.</summary>
    /// <param name="name">Its name here.</param>
    /// <param name="child">The object, which lies nowhere else.</param>
    /// <returns>The object.</returns>
    /// <exception cref="QmpException">The name is taken.</exception>
    public T Add<T>(string name, T child)
        where T : QomObject
    {
        if (name == "type" || !_children.TryAdd(name, child))
        {
            throw new QmpException($"attempt to add duplicate property '{name}' to object (type '{TypeName}')");
        }

        child.Name = name;
        child.Parent = this;
        return child;
    }

    /// <summary>Takes an object out, if it is here.</summary>
    public void Remove(QomObject child)
    {
        if (ReferenceEquals(child.Parent, this) && _children.Remove(child.Name))
        {
            child.Parent = null;
        }
    }
}
