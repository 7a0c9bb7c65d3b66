using System.Text.Json;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Server.Monitors;
using Qmp.Server.Objects;

namespace Qmp.Server.Commands;

/// <summary>The commands of module <c>qom</c>.</summary>
/// <param name="server">The parts of the daemon.</param>
/// <param name="monitors">The monitors, once they are composed.</param>
internal sealed class QomCommands(ServerContext server, Func<MonitorRegistry> monitors) : IQomCommands
{
    private ObjectTree Tree => server.Objects;

    public ValueTask<IReadOnlyList<ObjectPropertyInfo>> QomListAsync(QomListArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<ObjectPropertyInfo>>(
            [.. PropertiesOf(Tree.Resolve(arguments.Path)).Select(p => Info(p.Name, p.Type))]);

    public ValueTask<JsonElement> QomGetAsync(QomGetArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult(Get(Tree.Resolve(arguments.Path), arguments.Property));

    public ValueTask<IReadOnlyList<ObjectPropertiesValues>> QomListGetAsync(QomListGetArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<ObjectPropertiesValues>>([.. arguments.Paths.Select(path => AllOf(Tree.Resolve(path)))]);

    public ValueTask QomSetAsync(QomSetArguments arguments, QmpCommandContext context)
    {
        var target = Tree.Resolve(arguments.Path);
        if (target.Child(arguments.Property) is null)
        {
            var property = Find(target, arguments.Property);
            if (property.Set is { } set)
            {
                set(target, arguments.Value);
                return ValueTask.CompletedTask;
            }
        }

        throw new QmpException($"Property '{target.TypeName}.{arguments.Property}' is not writable");
    }

    public ValueTask<IReadOnlyList<ObjectTypeInfo>> QomListTypesAsync(QomListTypesArguments arguments, QmpCommandContext context) =>
        ValueTask.FromResult<IReadOnlyList<ObjectTypeInfo>>(
            [
                .. QomTypes.All
                    .Where(t => (arguments.Abstract ?? false) || !t.IsAbstract)
                    .Where(t => arguments.Implements is not { } name || t.Is(name))
                    .Select(t => new ObjectTypeInfo { Name = t.Name, Abstract = t.IsAbstract ? true : null, Parent = t.Parent?.Name }),
            ]);

    public ValueTask<IReadOnlyList<ObjectPropertyInfo>> QomListPropertiesAsync(
        QomListPropertiesArguments arguments, QmpCommandContext context)
    {
        if (arguments.Typename == QomType.UserCreatable)
        {
            throw new QmpException("Parameter 'typename' expects a QOM type");
        }

        var type = QomTypes.Find(arguments.Typename)
            ?? throw new QmpException(ErrorClass.DeviceNotFound, $"Class '{arguments.Typename}' not found");
        return ValueTask.FromResult<IReadOnlyList<ObjectPropertyInfo>>([.. type.Properties.Select(p => Info(p.Name, p.Type))]);
    }

    public async ValueTask ObjectAddAsync(ObjectOptions arguments, QmpCommandContext context)
    {
        if (!Identifiers.IsWellFormed(arguments.Id))
        {
            throw new QmpException("Parameter 'id' expects an identifier");
        }

        QomObject made = arguments.QomType switch
        {
            ObjectType.Iothread => await server.CreateIoThreadAsync(arguments.Id, arguments.Iothread!),
            ObjectType.AuthzList => await CreateAsync(new AuthzListObject(), arguments.AuthzList!),
            ObjectType.AuthzListfile => await CreateAsync(new AuthzListFileObject(server.Log), arguments.AuthzListfile!),
            ObjectType.AuthzSimple => await CreateAsync(new AuthzSimpleObject(), arguments.AuthzSimple!),
            ObjectType.MonitorQmp => monitors().Create(arguments.MonitorQmp!),
            ObjectType.Secret => await CreateAsync(new SecretObject(), arguments.Secret!),
            ObjectType.ThrottleGroup => await CreateAsync(new ThrottleGroupObject(), arguments.ThrottleGroup!),
            ObjectType.TlsCredsAnon => await CreateAsync(new TlsCredsAnonObject(), arguments.TlsCredsAnon!),
            ObjectType.TlsCredsPsk => await CreateAsync(new TlsCredsPskObject(), arguments.TlsCredsPsk!),
            ObjectType.TlsCredsX509 => await CreateAsync(new TlsCredsX509Object(), arguments.TlsCredsX509!),
            _ => throw new QmpException($"object type '{arguments.QomType.ToWireName()}' is abstract"),
        };
        try
        {
            Tree.Objects.Add(arguments.Id, made);
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public async ValueTask ObjectDelAsync(ObjectDelArguments arguments, QmpCommandContext context)
    {
        var target = Tree.Objects.Child(arguments.Id) ?? throw new QmpException($"object '{arguments.Id}' not found");
        if (!target.IsUserCreatable)
        {
            throw new QmpException($"{arguments.Id} is not a user-creatable object");
        }

        if (target is QmpMonitor monitor && monitor.Serves(context.Connection))
        {
            throw new QmpException("Cannot delete the current QMP monitor");
        }

        await Tree.RemoveAsync(target);
    }

    private async ValueTask<QomObject> CreateAsync(QomObject made, IQapiWritable options)
    {
        try
        {
            made.SetAll(options);
            await made.CompleteAsync(Tree.Objects);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    private static IEnumerable<(string Name, string Type)> PropertiesOf(QomObject target) =>
        target.Type.Properties.Select(p => (p.Name, p.Type))
            .Concat(target.Children.Select(c => (c.Name, $"child<{c.TypeName}>")));

    private static ObjectPropertyInfo Info(string name, string type) => new() { Name = name, Type = type };

    private static ObjectPropertiesValues AllOf(QomObject target) => new()
    {
        Properties =
        [
            .. PropertiesOf(target).Select(p => new ObjectPropertyValue { Name = p.Name, Type = p.Type, Value = Get(target, p.Name) }),
        ],
    };

    private static JsonElement Get(QomObject target, string name)
    {
        if (target.Child(name) is { } child)
        {
            return QomProperty.FromString(child.Path);
        }

        return Find(target, name).Get is { } get
            ? get(target)
            : throw new QmpException($"Property '{target.TypeName}.{name}' is not readable");
    }

    private static QomProperty Find(QomObject target, string name) =>
        target.Type.Properties.FirstOrDefault(p => p.Name == name)
            ?? throw new QmpException($"Property '{target.TypeName}.{name}' not found");
}
