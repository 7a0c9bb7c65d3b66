using Qmp.Schema.Parsing;

namespace Qmp.Schema.Model;

/// <summary>A name in the schema, with where it came from and what is written about it.</summary>
internal abstract class SchemaEntity(string name, SourceLocation location)
{
    public string Name { get; } = name;

    public SourceLocation Location { get; } = location;

    public Documentation? Documentation { get; init; }

    /// <summary>File name without folder and extension, as QEMU names its modules.</summary>
    public string Module { get; init; } = "";

    public IReadOnlyList<string> Features { get; init; } = [];
}

internal abstract class SchemaType(string name, SourceLocation location) : SchemaEntity(name, location)
{
    /// <summary>JSON types that a value of this type can have on the wire, for alternates.</summary>
    public abstract JsonTypes JsonType { get; }
}

[Flags]
internal enum JsonTypes
{
    None = 0,
    String = 1,
    Number = 2,
    Bool = 4,
    Null = 8,
    Object = 16,
    List = 32,
    Any = 63,
}

internal sealed class BuiltinType(string name, JsonTypes jsonType, string introspectAs, string introspectJson)
    : SchemaType(name, SourceLocation.BuiltIn)
{
    public override JsonTypes JsonType { get; } = jsonType;

    /// <summary>Name in introspection: all integers are <c>int</c>.</summary>
    public string IntrospectAs { get; } = introspectAs;

    /// <summary>JSON type in introspection.</summary>
    public string IntrospectJson { get; } = introspectJson;

    public static IReadOnlyList<BuiltinType> All { get; } =
    [
        new("str", JsonTypes.String, "str", "string"),
        new("int", JsonTypes.Number, "int", "int"),
        new("number", JsonTypes.Number, "number", "number"),
        new("bool", JsonTypes.Bool, "bool", "boolean"),
        new("null", JsonTypes.Null, "null", "null"),
        new("any", JsonTypes.Any, "any", "value"),
        .. new[] { "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "size" }
            .Select(name => new BuiltinType(name, JsonTypes.Number, "int", "int")),
    ];
}

internal sealed class EnumType(string name, SourceLocation location, IReadOnlyList<EnumValue> values)
    : SchemaType(name, location)
{
    public IReadOnlyList<EnumValue> Values { get; } = values;

    public override JsonTypes JsonType => JsonTypes.String;
}

internal sealed record EnumValue(string Name, SourceLocation Location, IReadOnlyList<string> Features);

internal sealed class ArrayType(SchemaType element) : SchemaType("[" + element.Name + "]", element.Location)
{
    public SchemaType Element { get; } = element;

    public override JsonTypes JsonType => JsonTypes.List;
}

/// <summary>A struct, a union, or the arguments of a command or event.</summary>
internal sealed class ObjectType(string name, SourceLocation location) : SchemaType(name, location)
{
    /// <summary>Made up for arguments or a base that are written in place.</summary>
    public bool IsImplicit { get; init; }

    public ObjectType? Base { get; set; }

    public IReadOnlyList<Member> LocalMembers { get; set; } = [];

    /// <summary>The member that selects the branch; null for a struct.</summary>
    public Member? Discriminator { get; set; }

    /// <summary>Branches of a union. Values of the discriminator that are not listed have no further members.</summary>
    public IReadOnlyList<Branch> Branches { get; set; } = [];

    public bool IsUnion => Discriminator != null;

    /// <summary>All members outside branches, the base's first.</summary>
    public IEnumerable<Member> Members => Base == null ? LocalMembers : Base.Members.Concat(LocalMembers);

    public bool IsEmpty => !IsUnion && !Members.Any();

    public override JsonTypes JsonType => JsonTypes.Object;
}

internal sealed record Member(string Name, SchemaType Type, bool IsOptional, IReadOnlyList<string> Features, SourceLocation Location);

internal sealed record Branch(string Name, ObjectType Type, SourceLocation Location);

internal sealed class AlternateType(string name, SourceLocation location) : SchemaType(name, location)
{
    public IReadOnlyList<AlternateBranch> Branches { get; set; } = [];

    public override JsonTypes JsonType => JsonTypes.None; // not allowed within another alternate
}

internal sealed record AlternateBranch(string Name, SchemaType Type, SourceLocation Location);

internal sealed class SchemaCommand(string name, SourceLocation location) : SchemaEntity(name, location)
{
    public ObjectType? Arguments { get; set; }

    public SchemaType? Returns { get; set; }

    public bool Boxed { get; init; }

    public bool Generate { get; init; } = true;

    public bool SuccessResponse { get; init; } = true;

    public bool AllowOutOfBand { get; init; }

    public bool AllowPreconfig { get; init; }

    public bool Coroutine { get; init; }
}

internal sealed class SchemaEvent(string name, SourceLocation location) : SchemaEntity(name, location)
{
    public ObjectType? Data { get; set; }

    public bool Boxed { get; init; }
}
