namespace Qmp.Schema.Parsing;

/// <summary>What <c>pragma</c> directives have switched on; they hold for the whole schema.</summary>
internal sealed class SchemaPragmas
{
    private readonly Dictionary<string, HashSet<string>> _exceptions = new()
    {
        ["command-name-exceptions"] = [],
        ["command-returns-exceptions"] = [],
        ["documentation-exceptions"] = [],
        ["member-name-exceptions"] = [],
    };

    private Dictionary<string, string>? _conditions;

    /// <summary>Every definition and each of its members must be documented.</summary>
    public bool DocumentationRequired { get; private set; }

    /// <summary>What <c>if</c> may ask for, each with the reason why it does not hold yet; null if anything.</summary>
    public IReadOnlyDictionary<string, string>? Conditions => _conditions;

    public bool AllowsCommandName(string name) => _exceptions["command-name-exceptions"].Contains(name);

    public bool AllowsReturns(string command) => _exceptions["command-returns-exceptions"].Contains(command);

    public bool AllowsUndocumented(string name) => _exceptions["documentation-exceptions"].Contains(name);

    public bool AllowsMemberNames(string definition) => _exceptions["member-name-exceptions"].Contains(definition);

    public void Add(SchemaValue value)
    {
        if (value is not SchemaObject pragmas)
        {
            throw new SchemaException(value.Location, "'pragma' takes an object");
        }

        foreach (var pragma in pragmas.Members)
        {
            var location = pragma.Value.Location;
            if (pragma.Key == "doc-required")
            {
                DocumentationRequired = pragma.Value is SchemaBool required
                    ? required.Value
                    : throw new SchemaException(location, "pragma 'doc-required' takes true or false");
            }
            else if (pragma.Key == "conditions")
            {
                AddConditions(pragma.Value);
            }
            else if (_exceptions.TryGetValue(pragma.Key, out var names))
            {
                if (pragma.Value is not SchemaList list || !list.Items.All(item => item is SchemaString))
                {
                    throw new SchemaException(location, $"pragma '{pragma.Key}' takes a list of strings");
                }

                names.UnionWith(list.Items.Select(item => ((SchemaString)item).Text));
            }
            else
            {
                throw new SchemaException(location, $"unknown pragma '{pragma.Key}'");
            }
        }
    }

    private void AddConditions(SchemaValue value)
    {
        _conditions ??= [];
        foreach (var condition in Expect.Object(value, "pragma 'conditions' takes an object").Members)
        {
            _conditions[condition.Key] = Expect.Text(condition.Value, $"condition '{condition.Key}' takes the reason why it does not hold");
            if (_conditions.Count > SchemaLimits.Conditions)
            {
                throw new SchemaException(condition.Value.Location, $"more than {SchemaLimits.Conditions} conditions");
            }
        }
    }
}
