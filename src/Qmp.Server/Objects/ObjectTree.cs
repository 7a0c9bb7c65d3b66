using Qmp.Protocol;

namespace Qmp.Server.Objects;

/// <summary>
/// All objects of the daemon: <c>/objects</c> for those that users make and for monitors, <c>/chardevs</c> for
/// character devices. <b>Main</b>.
/// </summary>
internal sealed class ObjectTree
{
    private readonly List<QomObject> _nameless = [];

    public ObjectTree()
    {
        Objects = Root.Add("objects", new QomContainer());
        Chardevs = Root.Add("chardevs", new QomContainer());
        Root.Add("backend", new QomContainer());
        Root.Add("audiodevs", new QomContainer());
    }

    public QomContainer Root { get; } = new();

    public QomContainer Objects { get; }

    public QomContainer Chardevs { get; }

    /// <summary>Finds an iothread by its <c>id</c>; null when there is none.</summary>
    public IoThreadObject? FindIoThread(string id) => Objects.Child(id) as IoThreadObject;

    /// <summary>All iothreads, in the order of listings.</summary>
    public IEnumerable<IoThreadObject> IoThreads => Objects.Children.OfType<IoThreadObject>();

    /// <summary>Finds an object by its absolute path, or by the end of a path if only one object has it.</summary>
    /// <exception cref="QmpException">There is none, or more than one.</exception>
    public QomObject Resolve(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path.StartsWith('/'))
        {
            return Walk(Root, parts) ?? throw NotFound(path);
        }

        QomObject? found = null;
        foreach (var start in Everything(Root))
        {
            if (Walk(start, parts) is not { } match)
            {
                continue;
            }

            if (found is not null && !ReferenceEquals(found, match))
            {
                throw new QmpException($"Path '{path}' is ambiguous");
            }

            found = match;
        }

        return found ?? throw NotFound(path);
    }

    /// <summary>Removes an object that a user made. What is in use loses its name now and ends with the daemon, as in QEMU.</summary>
    public async ValueTask RemoveAsync(QomObject target)
    {
        Objects.Remove(target);
        if (target.IsInUse)
        {
            _nameless.Add(target);
        }
        else
        {
            await target.DisposeAsync();
        }
    }

    /// <summary>Removes and ends all objects that users made, but for monitors. Nothing is in use any more.</summary>
    public async ValueTask ClearAsync()
    {
        foreach (var target in _nameless)
        {
            await target.DisposeAsync();
        }

        _nameless.Clear();
        foreach (var child in Objects.Children.Where(o => o.IsUserCreatable && !o.GoesLast).ToArray())
        {
            Objects.Remove(child);
            await child.DisposeAsync();
        }
    }

    private static QmpException NotFound(string path) => new(ErrorClass.DeviceNotFound, $"Device '{path}' not found");

    private static QomObject? Walk(QomObject start, string[] parts)
    {
        QomObject? current = start;
        foreach (var part in parts)
        {
            current = current.Child(part);
            if (current is null)
            {
                return null;
            }
        }

        return current;
    }

    private static IEnumerable<QomObject> Everything(QomObject start) =>
        start.Children.SelectMany(Everything).Prepend(start);
}
