using System.Globalization;
using System.Text;
using Qmp.Schema.Model;

namespace Qmp.Schema.Introspection;

/// <summary>
/// Makes the answer of <c>query-qmp-schema</c>: commands and events first, then each type that they reach, in the
/// order of first use. Names of our types are nobody's business and are replaced by decimal numbers.
/// </summary>
internal sealed class Introspector
{
    private static readonly ObjectType Nothing = new("q_empty", SourceLocation.BuiltIn) { IsImplicit = true };

    private readonly Dictionary<string, string> _masks = [];
    private readonly HashSet<string> _seen = [];
    private readonly Queue<SchemaType> _pending = [];
    private readonly StringBuilder _json = new();

    private readonly bool _masked;

    private Introspector(bool masked) => _masked = masked;

    /// <summary>The answer as one line of JSON, in QEMU's order of members.</summary>
    /// <param name="model">The schema.</param>
    /// <param name="masked">Whether names of types are replaced by numbers.</param>
    public static string Describe(SchemaModel model, bool masked = true)
    {
        var introspector = new Introspector(masked);
        introspector._json.Append('[');
        foreach (var entity in model.InOrder)
        {
            introspector.Add(entity);
        }

        while (introspector._pending.Count > 0)
        {
            introspector.Add(introspector._pending.Dequeue());
        }

        return introspector._json.Append(']').ToString();
    }

    private void Add(SchemaEntity entity)
    {
        if (_json.Length > 1)
        {
            _json.Append(", ");
        }

        var members = new List<(string Name, string Json)>();
        switch (entity)
        {
            case SchemaCommand command:
                members.Add(("name", Quote(command.Name)));
                members.Add(("meta-type", Quote("command")));
                members.Add(("arg-type", Quote(Use(command.Arguments ?? Nothing))));
                members.Add(("ret-type", Quote(Use(command.Returns ?? Nothing))));
                if (command.AllowOutOfBand)
                {
                    members.Add(("allow-oob", "true"));
                }

                break;
            case SchemaEvent @event:
                members.Add(("name", Quote(@event.Name)));
                members.Add(("meta-type", Quote("event")));
                members.Add(("arg-type", Quote(Use(@event.Data ?? Nothing))));
                break;
            case SchemaType type:
                members.Add(("name", Quote(Use(type))));
                AddType(type, members);
                break;
        }

        AddFeatures(entity.Features, members);
        _json.Append(Object(members));
    }

    private void AddType(SchemaType type, List<(string Name, string Json)> members)
    {
        switch (type)
        {
            case BuiltinType builtin:
                members.Add(("meta-type", Quote("builtin")));
                members.Add(("json-type", Quote(builtin.IntrospectJson)));
                break;
            case EnumType @enum:
                members.Add(("meta-type", Quote("enum")));
                members.Add(("members", List(@enum.Values.Select(value =>
                {
                    var described = new List<(string, string)> { ("name", Quote(value.Name)) };
                    AddFeatures(value.Features, described);
                    return Object(described);
                }))));
                members.Add(("values", List(@enum.Values.Select(value => Quote(value.Name)))));
                break;
            case ArrayType array:
                members.Add(("meta-type", Quote("array")));
                members.Add(("element-type", Quote(Use(array.Element))));
                break;
            case AlternateType alternate:
                members.Add(("meta-type", Quote("alternate")));
                members.Add(("members", List(alternate.Branches.Select(branch => Object([("type", Quote(Use(branch.Type)))])))));
                break;
            case ObjectType @object:
                members.Add(("meta-type", Quote("object")));
                members.Add(("members", List(@object.Members.Select(Describe))));
                if (@object.Discriminator is { Type: EnumType tags } discriminator)
                {
                    var branches = @object.Branches.ToDictionary(branch => branch.Name, branch => branch.Type);
                    members.Add(("tag", Quote(discriminator.Name)));
                    members.Add(("variants", List(tags.Values.Select(value => Object(
                    [
                        ("case", Quote(value.Name)),
                        ("type", Quote(Use(branches.TryGetValue(value.Name, out var branch) ? branch : Nothing))),
                    ])))));
                }

                break;
        }
    }

    private string Describe(Member member)
    {
        var described = new List<(string, string)> { ("name", Quote(member.Name)), ("type", Quote(Use(member.Type))) };
        if (member.IsOptional)
        {
            described.Add(("default", "null"));
        }

        AddFeatures(member.Features, described);
        return Object(described);
    }

    private static void AddFeatures(IReadOnlyList<string> features, List<(string Name, string Json)> members)
    {
        if (features.Count > 0)
        {
            members.Add(("features", List(features.Select(Quote))));
        }
    }

    // The name to show; on first use the type is put in the queue.
    private string Use(SchemaType type)
    {
        type = Widen(type);
        if (_seen.Add(type.Name))
        {
            _pending.Enqueue(type);
        }

        switch (type)
        {
            case BuiltinType:
                return type.Name;
            case ArrayType array:
                return "[" + Use(array.Element) + "]";
            default:
                if (!_masks.TryGetValue(type.Name, out var mask))
                {
                    mask = _masked ? _masks.Count.ToString(CultureInfo.InvariantCulture) : type.Name;
                    _masks.Add(type.Name, mask);
                }

                return mask;
        }
    }

    // The width of an integer is not part of the description.
    private static SchemaType Widen(SchemaType type) => type switch
    {
        BuiltinType { IntrospectAs: var name } => BuiltinType.All.First(builtin => builtin.Name == name),
        ArrayType { Element: BuiltinType element } => new ArrayType(Widen(element)),
        _ => type,
    };

    private static string Object(List<(string Name, string Json)> members)
    {
        var order = QapiNameOrder.Sort(members.Count, i => Encoding.ASCII.GetBytes(members[i].Name));
        return "{" + string.Join(", ", order.Select(i => Quote(members[i].Name) + ": " + members[i].Json)) + "}";
    }

    private static string List(IEnumerable<string> items) => "[" + string.Join(", ", items) + "]";

    private static string Quote(string name) => "\"" + name + "\"";
}
