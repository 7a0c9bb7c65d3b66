using Qmp.Schema.Model;

namespace Qmp.Schema.Parsing;

/// <summary>
/// Gives meaning to what was loaded. First every definition gets its name, then all references are resolved, then
/// <see cref="SchemaChecks"/> looks at the whole.
/// </summary>
internal sealed class SchemaBuilder
{
    private static readonly string[] MetaTypes = ["enum", "struct", "union", "alternate", "command", "event"];

    private readonly SchemaPragmas _pragmas;
    private readonly HashSet<string> _defined;
    private readonly Dictionary<string, SchemaEntity> _entities = [];
    private readonly Dictionary<SchemaType, ArrayType> _arrays = [];
    private readonly List<SchemaEntity> _inOrder = [];
    private readonly List<Action> _resolve = [];
    private readonly HashSet<(string Owner, string Name)> _hidden = [];

    private SchemaBuilder(SchemaPragmas pragmas, IEnumerable<string> defined)
    {
        _pragmas = pragmas;
        _defined = [.. defined];
        if (_defined.Contains("*"))
        {
            _defined.UnionWith(pragmas.Conditions?.Keys ?? []);
        }

        foreach (var type in BuiltinType.All)
        {
            _entities.Add(type.Name, type);
        }

        string[] jsonTypes = ["none", "qnull", "qnum", "qstring", "qdict", "qlist", "qbool"];
        _entities.Add("QType", new EnumType("QType", SourceLocation.BuiltIn, [.. jsonTypes.Select(name => new EnumValue(name, SourceLocation.BuiltIn, []))]));
    }

    /// <summary>Loads, resolves and checks a schema.</summary>
    /// <param name="path">Its entry file.</param>
    /// <param name="readFile">Gives the text of a file, or null when it is not there.</param>
    /// <param name="defined">Configuration symbols that are defined; <c>*</c> for all that the schema lists.</param>
    /// <exception cref="SchemaException">A rule is broken.</exception>
    public static SchemaModel Build(string path, Func<string, string?> readFile, IEnumerable<string> defined)
    {
        var loader = SchemaLoader.Load(path, readFile);
        var builder = new SchemaBuilder(loader.Pragmas, defined);
        foreach (var definition in loader.Definitions)
        {
            builder.Define(definition);
        }

        foreach (var resolve in builder._resolve)
        {
            resolve();
        }

        var model = new SchemaModel
        {
            Types = [.. builder._entities.Values.OfType<SchemaType>()],
            Commands = [.. builder._inOrder.OfType<SchemaCommand>()],
            Events = [.. builder._inOrder.OfType<SchemaEvent>()],
            InOrder = [.. builder._inOrder.Where(e => e is not SchemaType)],
            Sections = loader.Sections,
            Conditions = loader.Pragmas.Conditions ?? new Dictionary<string, string>(),
        };
        new SchemaChecks(loader.Pragmas, builder._hidden).Check(builder._inOrder);
        return model;
    }

    private void Define(SchemaDefinition definition)
    {
        var expression = definition.Expression.Value;
        var meta = MetaTypes.Where(type => expression[type] != null).ToList();
        if (meta.Count != 1)
        {
            throw new SchemaException(expression.Location, meta.Count == 0
                ? $"expected one of 'include', 'pragma', {string.Join(", ", MetaTypes.Select(m => $"'{m}'"))}"
                : $"'{meta[0]}' and '{meta[1]}' in one definition");
        }

        var name = Expect.Text(expression[meta[0]]!, $"'{meta[0]}' takes a name");
        var documentation = definition.Expression.Documentation;
        if (documentation != null && documentation.Name != name)
        {
            throw new SchemaException(documentation.Location, $"the documentation of '{documentation.Name}' stands before '{name}'");
        }

        if (documentation == null && _pragmas.DocumentationRequired)
        {
            throw new SchemaException(expression.Location, $"{meta[0]} '{name}' is not documented");
        }

        if (_entities.TryGetValue(name, out var other))
        {
            throw new SchemaException(expression.Location, $"'{name}' is already defined at {other.Location}");
        }

        var exists = Exists(expression);
        var entity = meta[0] switch
        {
            "enum" => DefineEnum(name, expression, definition),
            "struct" => DefineStruct(name, expression, definition),
            "union" => DefineUnion(name, expression, definition),
            "alternate" => DefineAlternate(name, expression, definition),
            "command" => DefineCommand(name, expression, definition),
            _ => (SchemaEntity)DefineEvent(name, expression, definition),
        };
        if (exists)
        {
            _entities.Add(name, entity);
            _inOrder.Add(entity);
        }
    }

    private EnumType DefineEnum(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "enum", ["data"], ["if", "features", "prefix"]);
        NameRules.CheckType(name, expression.Location);
        var lenient = _pragmas.AllowsMemberNames(name);
        var values = new List<EnumValue>();
        var names = new HashSet<string>();
        foreach (var item in Expect.List(expression["data"]!, "'data' of an enum takes a list").Items)
        {
            var value = Expect.NameOrObject(item, "a value of an enum");
            NameRules.CheckEnumValue(value, lenient, item.Location);
            if (!names.Add(value.Replace('_', '-')))
            {
                throw new SchemaException(item.Location, $"value '{value}' stands there twice");
            }

            if (item is SchemaObject details)
            {
                Expect.Keys(details, "value of an enum", ["name"], ["if", "features"]);
                if (!Exists(details))
                {
                    _hidden.Add((name, value));
                    continue;
                }

                values.Add(new EnumValue(value, item.Location, Features(details)));
            }
            else
            {
                values.Add(new EnumValue(value, item.Location, []));
            }
        }

        return new EnumType(name, expression.Location, values)
        {
            Module = definition.Module,
            Documentation = definition.Expression.Documentation,
            Features = Features(expression),
        };
    }

    private ObjectType DefineStruct(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "struct", ["data"], ["base", "if", "features"]);
        NameRules.CheckType(name, expression.Location);
        var type = NewObject(name, expression, definition);
        var exists = Exists(expression);
        var data = Expect.Object(expression["data"]!, "'data' of a struct takes an object");
        Later(exists, () =>
        {
            if (expression["base"] is { } baseName)
            {
                type.Base = Struct(Expect.Text(baseName, "'base' of a struct takes a name"), baseName.Location, "'base' of a struct");
            }

            type.LocalMembers = Members(data, name);
        });
        return type;
    }

    private ObjectType DefineUnion(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "union", ["base", "discriminator", "data"], ["if", "features"]);
        NameRules.CheckType(name, expression.Location);
        var type = NewObject(name, expression, definition);
        var data = Expect.Object(expression["data"]!, "'data' of a union takes an object");
        var discriminator = expression["discriminator"]!;
        var discriminatorName = Expect.Text(discriminator, "'discriminator' takes a name");
        Later(Exists(expression), () =>
        {
            type.Base = expression["base"] is SchemaObject members
                ? new ObjectType("q_obj_" + name + "-base", members.Location) { IsImplicit = true, Module = definition.Module, LocalMembers = Members(members, name) }
                : Struct(Expect.Text(expression["base"]!, "'base' of a union takes a name or an object"), expression["base"]!.Location, "'base' of a union");
            // The base may not be complete yet: SchemaChecks looks the discriminator up.
            type.Discriminator = new Member(discriminatorName, type, false, [], discriminator.Location);
            var branches = new List<Branch>();
            foreach (var branch in data.Members)
            {
                var reference = branch.Value;
                if (reference is SchemaObject details)
                {
                    Expect.Keys(details, "branch", ["type"], ["if"]);
                    if (!Exists(details))
                    {
                        continue;
                    }

                    reference = details["type"]!;
                }

                var branchType = Type(reference);
                branches.Add(branchType is ObjectType branchObject
                    ? new Branch(branch.Key, branchObject, reference.Location)
                    : throw new SchemaException(reference.Location, $"branch '{branch.Key}' of a union must be a struct or union, '{branchType.Name}' is not"));
            }

            type.Branches = branches;
        });
        return type;
    }

    private AlternateType DefineAlternate(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "alternate", ["data"], ["if", "features"]);
        NameRules.CheckType(name, expression.Location);
        var type = new AlternateType(name, expression.Location)
        {
            Module = definition.Module,
            Documentation = definition.Expression.Documentation,
            Features = Features(expression),
        };
        var data = Expect.Object(expression["data"]!, "'data' of an alternate takes an object");
        if (data.Members.Count == 0)
        {
            throw new SchemaException(data.Location, "an alternate has at least one branch");
        }

        Later(Exists(expression), () =>
        {
            var branches = new List<AlternateBranch>();
            foreach (var branch in data.Members)
            {
                NameRules.CheckMember(branch.Key, false, branch.Value.Location);
                var reference = branch.Value;
                if (reference is SchemaObject details)
                {
                    Expect.Keys(details, "branch", ["type"], ["if"]);
                    if (!Exists(details))
                    {
                        _hidden.Add((name, branch.Key));
                        continue;
                    }

                    reference = details["type"]!;
                }

                branches.Add(new AlternateBranch(branch.Key, Type(reference), reference.Location));
            }

            type.Branches = branches;
        });
        return type;
    }

    private SchemaCommand DefineCommand(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "command", [], ["data", "boxed", "returns", "success-response", "gen", "allow-oob", "allow-preconfig", "coroutine", "if", "features"]);
        NameRules.CheckCommand(name, _pragmas.AllowsCommandName(name), expression.Location);
        var command = new SchemaCommand(name, expression.Location)
        {
            Module = definition.Module,
            Documentation = definition.Expression.Documentation,
            Features = Features(expression),
            Boxed = Expect.Flag(expression, "boxed", false),
            Generate = Expect.Flag(expression, "gen", true),
            SuccessResponse = Expect.Flag(expression, "success-response", true),
            AllowOutOfBand = Expect.Flag(expression, "allow-oob", false),
            AllowPreconfig = Expect.Flag(expression, "allow-preconfig", false),
            Coroutine = Expect.Flag(expression, "coroutine", false),
        };
        Later(Exists(expression), () =>
        {
            command.Arguments = Arguments(expression, "command", name, command.Boxed, definition.Module);
            command.Returns = expression["returns"] is { } returns ? Type(returns) : null;
        });
        return command;
    }

    private SchemaEvent DefineEvent(string name, SchemaObject expression, SchemaDefinition definition)
    {
        Expect.Keys(expression, "event", [], ["data", "boxed", "if", "features"]);
        NameRules.CheckEvent(name, expression.Location);
        var @event = new SchemaEvent(name, expression.Location)
        {
            Module = definition.Module,
            Documentation = definition.Expression.Documentation,
            Features = Features(expression),
            Boxed = Expect.Flag(expression, "boxed", false),
        };
        Later(Exists(expression), () => @event.Data = Arguments(expression, "event", name, @event.Boxed, definition.Module));
        return @event;
    }

    private ObjectType? Arguments(SchemaObject expression, string what, string name, bool boxed, string module)
    {
        switch (expression["data"])
        {
            case null when boxed:
                throw new SchemaException(expression.Location, "'boxed' needs 'data'");
            case null:
                return null;
            case SchemaObject members when boxed:
                throw new SchemaException(members.Location, "with 'boxed', 'data' is the name of a type");
            case SchemaObject members:
                return new ObjectType("q_obj_" + name + "-arg", members.Location)
                {
                    IsImplicit = true,
                    Module = module,
                    Documentation = null,
                    LocalMembers = Members(members, name),
                };
            case var data:
                var type = Type(data);
                return type is not ObjectType arguments
                    ? throw new SchemaException(data.Location, $"'data' of a {what} must be a struct, '{type.Name}' is not")
                    : arguments.IsUnion && !boxed
                    ? throw new SchemaException(data.Location, $"'data' of a {what} may only be a union with 'boxed': true")
                    : arguments;
        }
    }

    private List<Member> Members(SchemaObject data, string owner)
    {
        var lenient = _pragmas.AllowsMemberNames(owner);
        var members = new List<Member>();
        foreach (var item in data.Members)
        {
            var optional = item.Key.StartsWith("*", StringComparison.Ordinal);
            var name = optional ? item.Key.Substring(1) : item.Key;
            NameRules.CheckMember(name, lenient, item.Value.Location);
            var reference = item.Value;
            IReadOnlyList<string> features = [];
            if (reference is SchemaObject details)
            {
                Expect.Keys(details, "member", ["type"], ["if", "features"]);
                features = Features(details);
                if (!Exists(details))
                {
                    _hidden.Add((owner, name));
                    continue;
                }

                reference = details["type"]!;
            }

            members.Add(new Member(name, Type(reference), optional, features, item.Value.Location));
        }

        return members;
    }

    private SchemaType Type(SchemaValue reference)
    {
        switch (reference)
        {
            case SchemaString name:
                return _entities.TryGetValue(name.Text, out var entity) && entity is SchemaType type
                    ? type
                    : throw new SchemaException(reference.Location, $"unknown type '{name.Text}'");
            case SchemaList { Items: { Count: 1 } items } when items[0] is SchemaString:
                var element = Type(items[0]);
                if (!_arrays.TryGetValue(element, out var array))
                {
                    _arrays.Add(element, array = new ArrayType(element));
                }

                return array;
            default:
                throw new SchemaException(reference.Location, "a type is a name, or a list with one name");
        }
    }

    private ObjectType Struct(string name, SourceLocation location, string what) =>
        !_entities.TryGetValue(name, out var entity) || entity is not SchemaType
            ? throw new SchemaException(location, $"unknown type '{name}'")
            : entity as ObjectType ?? throw new SchemaException(location, $"{what} must be a struct, '{name}' is not");

    private ObjectType NewObject(string name, SchemaObject expression, SchemaDefinition definition) =>
        new(name, expression.Location)
        {
            Module = definition.Module,
            Documentation = definition.Expression.Documentation,
            Features = Features(expression),
        };

    private IReadOnlyList<string> Features(SchemaObject expression)
    {
        if (expression["features"] is not { } features)
        {
            return [];
        }

        var names = new List<string>();
        var seen = new HashSet<string>();
        foreach (var item in Expect.List(features, "'features' takes a list").Items)
        {
            var name = Expect.NameOrObject(item, "a feature");
            NameRules.CheckFeature(name, item.Location);
            if (!seen.Add(name))
            {
                throw new SchemaException(item.Location, $"feature '{name}' stands there twice");
            }

            if (item is SchemaObject details)
            {
                Expect.Keys(details, "feature", ["name"], ["if"]);
                if (!Exists(details))
                {
                    continue;
                }
            }

            names.Add(name);
        }

        return names;
    }

    private void Later(bool exists, Action resolve)
    {
        if (exists)
        {
            _resolve.Add(resolve);
        }
    }

    private bool Exists(SchemaObject value) => value["if"] is not { } condition || Condition.Evaluate(condition, _defined, _pragmas.Conditions);
}
