using Qmp.Schema.Model;

namespace Qmp.Schema.Manual;

/// <summary>A schema as the manual goes through it: module by module, in the order of the files.</summary>
internal sealed class ManualContent
{
    private readonly HashSet<string> _live;
    private readonly Dictionary<string, HashSet<string>> _liveParts;
    private readonly Dictionary<string, string> _reasons = [];

    /// <summary>Compares what works with the whole.</summary>
    /// <param name="live">The schema without conditions.</param>
    /// <param name="whole">The schema with all conditions on.</param>
    /// <param name="with">The schema with one condition on.</param>
    public ManualContent(SchemaModel live, SchemaModel whole, Func<string, SchemaModel> with)
    {
        Definitions = Entities(whole);
        Modules =
        [
            .. Definitions.GroupBy(definition => definition.Module).Select(module => new ManualModule(
                module.Key, [.. whole.Sections.Where(section => section.Module == module.Key)], [.. module])),
        ];
        Names = new HashSet<string>(Definitions.Select(definition => definition.Name));
        _live = [.. Entities(live).Select(definition => definition.Name)];
        _liveParts = Entities(live).ToDictionary(definition => definition.Name, definition => new HashSet<string>(Parts(definition)));
        foreach (var condition in live.Conditions)
        {
            foreach (var definition in Entities(with(condition.Key)).Where(definition => !_reasons.ContainsKey(definition.Name)))
            {
                _reasons.Add(definition.Name, condition.Value);
            }
        }
    }

    public IReadOnlyList<ManualModule> Modules { get; }

    /// <summary>Everything that has a name, in the order of the files.</summary>
    public IReadOnlyList<SchemaEntity> Definitions { get; }

    public ISet<string> Names { get; }

    public bool IsLive(SchemaEntity definition) => _live.Contains(definition.Name);

    /// <summary>Whether a member, value or branch exists today; only for definitions that do.</summary>
    public bool IsLive(SchemaEntity definition, string part) => _liveParts[definition.Name].Contains(part);

    /// <summary>Why a definition does not work yet.</summary>
    public string Reason(SchemaEntity definition) =>
        _reasons.TryGetValue(definition.Name, out var reason) ? reason : "several parts of the daemon are not implemented yet";

    /// <summary>Members, values or branches of a definition that its documentation describes.</summary>
    public static IReadOnlyList<ManualPart> PartsOf(SchemaEntity definition) => definition switch
    {
        EnumType type => [.. type.Values.Select(value => new ManualPart(value.Name, null, false, value.Features))],
        AlternateType type => [.. type.Branches.Select(branch => new ManualPart(branch.Name, branch.Type, false, []))],
        ObjectType type => Members(type.Base is { IsImplicit: true } written ? written.LocalMembers.Concat(type.LocalMembers) : type.LocalMembers),
        SchemaCommand { Arguments: { IsImplicit: true } arguments } => Members(arguments.LocalMembers),
        SchemaEvent { Data: { IsImplicit: true } data } => Members(data.LocalMembers),
        _ => [],
    };

    /// <summary>The type whose members a definition has besides its own; null if there is none.</summary>
    public static ObjectType? MembersFrom(SchemaEntity definition) => definition switch
    {
        ObjectType { Base.IsImplicit: false } type => type.Base,
        SchemaCommand { Arguments.IsImplicit: false } command => command.Arguments,
        SchemaEvent { Data.IsImplicit: false } @event => @event.Data,
        _ => null,
    };

    public static string KindOf(SchemaEntity definition) => definition switch
    {
        SchemaCommand => "command",
        SchemaEvent => "event",
        EnumType => "enumeration",
        AlternateType => "alternate",
        ObjectType { IsUnion: true } => "union",
        _ => "struct",
    };

    public static string TypeName(SchemaType type) => type is ArrayType array ? TypeName(array.Element) : type.Name;

    private static IReadOnlyList<ManualPart> Members(IEnumerable<Member> members) =>
        [.. members.Select(member => new ManualPart(member.Name, member.Type, member.IsOptional, member.Features))];

    private static IReadOnlyList<SchemaEntity> Entities(SchemaModel model) =>
    [
        .. model.Types.Where(type => type.Module.Length > 0).Concat<SchemaEntity>(model.InOrder)
            .OrderBy(definition => definition.Module, StringComparer.Ordinal).ThenBy(definition => definition.Location.Line),
    ];

    private static IEnumerable<string> Parts(SchemaEntity definition) => PartsOf(definition).Select(part => part.Name)
        .Concat(definition is ObjectType type ? type.Branches.Select(branch => branch.Name) : []);
}

/// <summary>One file of the schema.</summary>
internal sealed record ManualModule(string Name, IReadOnlyList<SchemaSection> Sections, IReadOnlyList<SchemaEntity> Definitions)
{
    /// <summary>The first heading, or the name.</summary>
    public string Title => Sections.FirstOrDefault()?.Text is { } text && text.StartsWith("= ", StringComparison.Ordinal)
        ? text.Split('\n')[0].Substring(2) : Name;

    /// <summary>Sections and definitions in the order of the file.</summary>
    public IEnumerable<object> InOrder => Sections.Select(section => (section.Location.Line, Item: (object)section))
        .Concat(Definitions.Select(definition => (definition.Location.Line, Item: (object)definition)))
        .OrderBy(item => item.Line).Select(item => item.Item);
}

/// <summary>A member, value or branch.</summary>
internal sealed record ManualPart(string Name, SchemaType? Type, bool IsOptional, IReadOnlyList<string> Features);
