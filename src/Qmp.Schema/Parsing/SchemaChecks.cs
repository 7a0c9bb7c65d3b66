using Qmp.Schema.Model;

namespace Qmp.Schema.Parsing;

/// <summary>Rules that concern more than one definition, looked at when all references are resolved.</summary>
/// <param name="pragmas">What the schema has switched on.</param>
/// <param name="hidden">Members and values that do not exist because of a condition; they may be documented.</param>
internal sealed class SchemaChecks(SchemaPragmas pragmas, ISet<(string Owner, string Name)> hidden)
{
    private readonly HashSet<ObjectType> _checked = [];
    private readonly Dictionary<ObjectType, IReadOnlyList<Member>> _allMembers = [];

    public void Check(IReadOnlyList<SchemaEntity> entities)
    {
        foreach (var type in entities.OfType<ObjectType>())
        {
            CheckObject(type, 0);
        }

        foreach (var entity in entities)
        {
            switch (entity)
            {
                case AlternateType alternate:
                    CheckAlternate(alternate);
                    break;
                case SchemaCommand command:
                    CheckCommand(command);
                    break;
                case SchemaEvent { Data: { } data }:
                    CheckObject(data, 0);
                    break;
            }

            CheckDocumentation(entity);
        }
    }

    // The base first: everything here may rely on what is above.
    private void CheckObject(ObjectType type, int depth)
    {
        if (_checked.Contains(type))
        {
            return;
        }

        if (depth > SchemaLimits.Inheritance)
        {
            throw new SchemaException(type.Location, $"'{type.Name}' contains itself, or more than {SchemaLimits.Inheritance} bases and branches");
        }

        if (type.Base is { } parent)
        {
            CheckObject(parent, depth + 1);
            if (parent.IsUnion)
            {
                throw new SchemaException(type.Location, $"the base of '{type.Name}' must be a struct, '{parent.Name}' is a union");
            }
        }

        var owners = new Dictionary<string, SourceLocation>();
        foreach (var member in type.Members)
        {
            AddMember(owners, member, $"'{type.Name}'", member.Location);
        }

        if (type.Discriminator is { } discriminator)
        {
            CheckUnion(type, discriminator, owners, depth);
        }

        _checked.Add(type);
    }

    private void CheckUnion(ObjectType type, Member discriminator, Dictionary<string, SourceLocation> owners, int depth)
    {
        var selector = type.Members.FirstOrDefault(m => m.Name == discriminator.Name)
            ?? throw new SchemaException(discriminator.Location, $"discriminator '{discriminator.Name}' is not a member of the base of '{type.Name}'");
        if (selector.IsOptional)
        {
            throw new SchemaException(discriminator.Location, $"discriminator '{selector.Name}' of '{type.Name}' may not be optional");
        }

        if (selector.Type is not EnumType values)
        {
            throw new SchemaException(discriminator.Location, $"discriminator '{selector.Name}' of '{type.Name}' must be of an enum type");
        }

        if (type.Branches.Count > SchemaLimits.Members)
        {
            throw new SchemaException(type.Location, $"'{type.Name}' has more than {SchemaLimits.Members} branches");
        }

        type.Discriminator = selector;
        var known = new HashSet<string>(values.Values.Select(value => value.Name));
        foreach (var branch in type.Branches)
        {
            if (!known.Contains(branch.Name))
            {
                throw new SchemaException(branch.Location, $"branch '{branch.Name}' is not a value of enum '{values.Name}'");
            }

            CheckObject(branch.Type, depth + 1);
            var all = new Dictionary<string, SourceLocation>(owners);
            foreach (var member in AllMembers(branch.Type))
            {
                AddMember(all, member, $"branch '{branch.Name}' of '{type.Name}'", branch.Location);
            }
        }
    }

    // Of a branch that is a union itself: all that can be there, whatever the discriminator says. Names of two
    // branches may be the same, since only one of them is there. Remembered, or unions within unions would cost
    // exponential time.
    private IReadOnlyList<Member> AllMembers(ObjectType type)
    {
        if (!_allMembers.TryGetValue(type, out var members))
        {
            var ofBranches = type.Branches.SelectMany(branch => AllMembers(branch.Type)).GroupBy(member => member.Name).Select(same => same.First());
            _allMembers.Add(type, members = [.. type.Members, .. ofBranches]);
        }

        return members;
    }

    private static void AddMember(Dictionary<string, SourceLocation> owners, Member member, string owner, SourceLocation location)
    {
        // On the command line and in C, '-' and '_' are the same.
        var key = member.Name.Replace('-', '_');
        if (owners.TryGetValue(key, out var other))
        {
            throw new SchemaException(location, $"member '{member.Name}' of {owner} collides with the one at {other}");
        }

        owners.Add(key, member.Location);
        if (owners.Count > SchemaLimits.Members)
        {
            throw new SchemaException(location, $"{owner} has more than {SchemaLimits.Members} members");
        }
    }

    private static void CheckAlternate(AlternateType type)
    {
        var taken = new Dictionary<JsonTypes, AlternateBranch>();
        foreach (var branch in type.Branches)
        {
            var json = branch.Type.JsonType;
            if (json is JsonTypes.None or JsonTypes.Any)
            {
                throw new SchemaException(branch.Location, $"branch '{branch.Name}' of an alternate may not be of type '{branch.Type.Name}'");
            }

            if (taken.TryGetValue(json, out var other))
            {
                throw new SchemaException(branch.Location, $"branch '{branch.Name}' cannot be told from branch '{other.Name}'");
            }

            taken.Add(json, branch);
        }

        // On the command line numbers and truth values are strings too.
        if (taken.TryGetValue(JsonTypes.String, out var text))
        {
            var values = (text.Type as EnumType)?.Values.Select(value => value.Name).ToList();
            foreach (var json in new[] { JsonTypes.Number, JsonTypes.Bool })
            {
                if (taken.TryGetValue(json, out var other) && (values == null || values.Any(value => LooksLike(value, json))))
                {
                    throw new SchemaException(other.Location, $"branch '{other.Name}' cannot be told from branch '{text.Name}' on a command line");
                }
            }
        }
    }

    private static bool LooksLike(string value, JsonTypes json) => json == JsonTypes.Bool
        ? value is "on" or "off" or "yes" or "no" or "true" or "false"
        : value[0] is >= '0' and <= '9' or '-' or '+' || value is "inf" or "nan";

    private void CheckCommand(SchemaCommand command)
    {
        if (command.Arguments is { } arguments)
        {
            CheckObject(arguments, 0);
        }

        var returns = command.Returns is ArrayType array ? array.Element : command.Returns;
        if (returns is not (null or ObjectType) && !pragmas.AllowsReturns(command.Name))
        {
            throw new SchemaException(command.Location, $"command '{command.Name}' must return an object or a list of objects, '{returns.Name}' is not");
        }
    }

    private void CheckDocumentation(SchemaEntity entity)
    {
        if (entity.Documentation is not { } documentation)
        {
            return;
        }

        var names = entity switch
        {
            EnumType type => type.Values.Select(value => value.Name),
            AlternateType type => type.Branches.Select(branch => branch.Name),
            ObjectType type => Own(type).Select(member => member.Name),
            SchemaCommand { Arguments: { IsImplicit: true } arguments } => arguments.LocalMembers.Select(member => member.Name),
            SchemaEvent { Data: { IsImplicit: true } data } => data.LocalMembers.Select(member => member.Name),
            _ => [],
        };
        var existing = new HashSet<string>(names);
        if (documentation.Members.Keys.FirstOrDefault(name => !existing.Contains(name) && !hidden.Contains((entity.Name, name))) is { } surplus)
        {
            throw new SchemaException(documentation.Location, $"'{entity.Name}' documents '{surplus}', which it does not have");
        }

        if (documentation.Returns != null && entity is not SchemaCommand)
        {
            throw new SchemaException(documentation.Location, $"'{entity.Name}' documents what it returns, but only a command returns something");
        }

        if (pragmas.DocumentationRequired && !pragmas.AllowsUndocumented(entity.Name))
        {
            // Branches of an alternate and of a union speak for themselves.
            if (entity is not AlternateType && existing.FirstOrDefault(name => !documentation.Members.ContainsKey(name)) is { } missing)
            {
                throw new SchemaException(entity.Location, $"'{missing}' of '{entity.Name}' is not documented");
            }

            if (entity.Features.FirstOrDefault(name => !documentation.Features.ContainsKey(name)) is { } feature)
            {
                throw new SchemaException(entity.Location, $"feature '{feature}' of '{entity.Name}' is not documented");
            }
        }
    }

    private static IEnumerable<Member> Own(ObjectType type) =>
        type.Base is { IsImplicit: true } written ? written.LocalMembers.Concat(type.LocalMembers) : type.LocalMembers;
}
