using Qmp.Schema.Model;

namespace Qmp.Schema.Tests;

/// <summary>What is wrong with a definition, by itself or together with others.</summary>
public class DefinitionTests
{
    private const string Common = """
        { 'enum': 'Color', 'data': [ 'red', 'green' ] }
        { 'struct': 'Base', 'data': { 'color': 'Color', '*size': 'int' } }
        { 'struct': 'Red', 'data': { 'depth': 'int' } }
        { 'union': 'U', 'base': 'Base', 'discriminator': 'color', 'data': { 'red': 'Red' } }
        { 'alternate': 'Alt', 'data': { 'a': 'Red', 'b': 'str' } }

        """;

    [TestCase("{ 'pragma': { 'conditions': { 'A': 'later' } } } { 'enum': 'E', 'data': [], 'if': 'B' }", "'B' is not among the conditions of this schema")]
    [TestCase("{ 'pragma': { 'conditions': { 'A': 'later' } } } { 'enum': 'E', 'data': [], 'if': { 'any': [ 'A', { 'not': 'B' } ] } }", "'B' is not among the conditions of this schema")]
    [TestCase("{ 'pragma': { 'conditions': [ 'A' ] } }", "pragma 'conditions' takes an object")]
    [TestCase("{ 'pragma': { 'conditions': { 'A': true } } }", "condition 'A' takes the reason why it does not hold")]
    [TestCase("{ 'x': 'y' }", "expected one of 'include', 'pragma', 'enum', 'struct', 'union', 'alternate', 'command', 'event'")]
    [TestCase("{ 'enum': 'E', 'struct': 'S', 'data': {} }", "'enum' and 'struct' in one definition")]
    [TestCase("{ 'enum': [], 'data': [] }", "'enum' takes a name")]
    [TestCase("{ 'enum': 'E' }", "enum needs 'data'")]
    [TestCase("{ 'enum': 'E', 'data': {} }", "'data' of an enum takes a list")]
    [TestCase("{ 'enum': 'E', 'data': [ true ] }", "a value of an enum is a name, or an object with 'name'")]
    [TestCase("{ 'enum': 'E', 'data': [ { 'if': 'X' } ] }", "a value of an enum is a name, or an object with 'name'")]
    [TestCase("{ 'enum': 'E', 'data': [ 'a', 'a' ] }", "value 'a' stands there twice")]
    [TestCase("{ 'enum': 'E', 'data': [ 'A' ] }", "name of value 'A' must be in lower case with '-'")]
    [TestCase("{ 'enum': 'E', 'data': [ '' ] }", "'' is not a name of a value: letters, digits, '-' and '_', a letter first")]
    [TestCase("{ 'enum': 'E', 'data': [ { 'name': 'a', 'x': 'y' } ] }", "value of an enum has no 'x'")]
    [TestCase("{ 'enum': 'E', 'data': [], 'base': 'Base' }", "enum has no 'base'")]
    [TestCase("{ 'enum': 'e', 'data': [] }", "name of type 'e' must be in CamelCase")]
    [TestCase("{ 'enum': 'E_f', 'data': [] }", "name of type 'E_f' must be in CamelCase")]
    [TestCase("{ 'enum': 'ColorList', 'data': [] }", "name of type 'ColorList' must not end in 'List'")]
    [TestCase("{ 'enum': 'Color', 'data': [] }", "'Color' is already defined at s.json:1")]
    [TestCase("{ 'enum': 'QType', 'data': [] }", "'QType' is already defined at (built in):0")]
    [TestCase("{ 'struct': 'S', 'data': [] }", "'data' of a struct takes an object")]
    [TestCase("{ 'struct': 'S', 'data': { 'a': 'Nope' } }", "unknown type 'Nope'")]
    [TestCase("{ 'struct': 'S', 'data': { 'a': [ 'int', 'int' ] } }", "a type is a name, or a list with one name")]
    [TestCase("{ 'struct': 'S', 'data': { 'a': true } }", "a type is a name, or a list with one name")]
    [TestCase("{ 'struct': 'S', 'data': { 'a': { 'x': 'int' } } }", "member needs 'type'")]
    [TestCase("{ 'struct': 'S', 'data': { 'a': 'int', '*a': 'int' } }", "member 'a' of 'S' collides with the one at s.json:6")]
    [TestCase("{ 'struct': 'S', 'data': { 'has-a': 'int' } }", "name of member 'has-a' is reserved")]
    [TestCase("{ 'struct': 'S', 'data': { 'u': 'int' } }", "name of member 'u' is reserved")]
    [TestCase("{ 'struct': 'S', 'data': { 'q_a': 'int' } }", "name of member 'q_a' is reserved: it starts with 'q_'")]
    [TestCase("{ 'struct': 'S', 'data': { 'a b': 'int' } }", "'a b' is not a name of a member: letters, digits, '-' and '_', a letter first")]
    [TestCase("{ 'struct': 'S', 'data': { 'a_b': 'int' } }", "name of member 'a_b' must be in lower case with '-'")]
    [TestCase("{ 'struct': 'S', 'base': 'Base', 'data': { 'size': 'int' } }", "member 'size' of 'S' collides with the one at s.json:2")]
    [TestCase("{ 'struct': 'S', 'base': 'U', 'data': { } }", "the base of 'S' must be a struct, 'U' is a union")]
    [TestCase("{ 'struct': 'S', 'base': 'Color', 'data': { } }", "'base' of a struct must be a struct, 'Color' is not")]
    [TestCase("{ 'struct': 'S', 'base': 'S', 'data': { } }", "'S' contains itself, or more than 32 bases and branches")]
    [TestCase("{ 'struct': 'S', 'data': {}, 'features': 'x' }", "'features' takes a list")]
    [TestCase("{ 'struct': 'S', 'data': {}, 'features': [ 'x', 'x' ] }", "feature 'x' stands there twice")]
    [TestCase("{ 'struct': 'S', 'data': {}, 'features': [ 'X' ] }", "name of feature 'X' must be in lower case with '-'")]
    [TestCase("{ 'union': 'V', 'data': { } }", "union needs 'base'")]
    [TestCase("{ 'union': 'V', 'base': 'Base', 'discriminator': 'nope', 'data': { } }", "discriminator 'nope' is not a member of the base of 'V'")]
    [TestCase("{ 'union': 'V', 'base': { 'k': 'str' }, 'discriminator': 'k', 'data': { } }", "discriminator 'k' of 'V' must be of an enum type")]
    [TestCase("{ 'union': 'V', 'base': { '*k': 'Color' }, 'discriminator': 'k', 'data': { } }", "discriminator 'k' of 'V' may not be optional")]
    [TestCase("{ 'union': 'V', 'base': 'Base', 'discriminator': 'color', 'data': { 'blue': 'Red' } }", "branch 'blue' is not a value of enum 'Color'")]
    [TestCase("{ 'union': 'V', 'base': 'Base', 'discriminator': 'color', 'data': { 'red': 'str' } }", "branch 'red' of a union must be a struct or union, 'str' is not")]
    [TestCase("{ 'union': 'V', 'base': 'Base', 'discriminator': 'color', 'data': { 'red': 'Base' } }", "member 'color' of branch 'red' of 'V' collides with the one at s.json:2")]
    [TestCase("{ 'union': 'V', 'base': 'Base', 'discriminator': 'color', 'data': { 'red': 'V' } }", "'V' contains itself, or more than 32 bases and branches")]
    [TestCase("{ 'alternate': 'A', 'data': { } }", "an alternate has at least one branch")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'str', 'b': 'Color' } }", "branch 'b' cannot be told from branch 'a'")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'int', 'b': 'number' } }", "branch 'b' cannot be told from branch 'a'")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'Red', 'b': 'U' } }", "branch 'b' cannot be told from branch 'a'")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'str', 'b': 'int' } }", "branch 'b' cannot be told from branch 'a' on a command line")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'any' } }", "branch 'a' of an alternate may not be of type 'any'")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'Alt' } }", "branch 'a' of an alternate may not be of type 'Alt'")]
    [TestCase("{ 'command': 'Do' }", "name of command 'Do' must be in lower case with '-'")]
    [TestCase("{ 'command': 'do', 'boxed': true }", "'boxed' needs 'data'")]
    [TestCase("{ 'command': 'do', 'boxed': true, 'data': {} }", "with 'boxed', 'data' is the name of a type")]
    [TestCase("{ 'command': 'do', 'boxed': false, 'data': 'Red' }", "'boxed' may only be true")]
    [TestCase("{ 'command': 'do', 'gen': true }", "'gen' may only be false")]
    [TestCase("{ 'command': 'do', 'data': 'U' }", "'data' of a command may only be a union with 'boxed': true")]
    [TestCase("{ 'command': 'do', 'data': 'Color' }", "'data' of a command must be a struct, 'Color' is not")]
    [TestCase("{ 'command': 'do', 'data': [ 'Red' ] }", "'data' of a command must be a struct, '[Red]' is not")]
    [TestCase("{ 'command': 'do', 'returns': 'str' }", "command 'do' must return an object or a list of objects, 'str' is not")]
    [TestCase("{ 'command': 'do', 'returns': 'Alt' }", "command 'do' must return an object or a list of objects, 'Alt' is not")]
    [TestCase("{ 'command': 'do', 'oob': true }", "command has no 'oob'")]
    [TestCase("{ 'event': 'happened' }", "name of event 'happened' must be in CAPITALS with '_'")]
    [TestCase("{ 'event': 'X', 'returns': 'Red' }", "event has no 'returns'")]
    [TestCase("{ 'event': 'X', 'if': '1X' }", "'1X' is not a configuration symbol")]
    [TestCase("{ 'event': 'X', 'if': { 'all': [] } }", "a condition is a symbol, { 'not': ... }, { 'all': [ ... ] } or { 'any': [ ... ] }")]
    [TestCase("{ 'event': 'X', 'if': { 'not': 'A', 'any': [ 'B' ] } }", "a condition is a symbol, { 'not': ... }, { 'all': [ ... ] } or { 'any': [ ... ] }")]
    public void ABrokenRuleIsAnErrorWithItsLine(string definition, string problem)
    {
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(Common + definition));
        Assert.That(error.Message, Is.EqualTo($"s.json:6: {problem}"));
    }

    [Test]
    public void LongChainsOfBasesAreBounded()
    {
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{{ 'struct': 'S{i}x', 'base': 'S{i + 1}x', 'data': {{}} }}\n"))
            + "{ 'struct': 'S20000x', 'data': {} }";
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(text));
        Assert.That(error.Problem, Does.EndWith("contains itself, or more than 32 bases and branches"));
    }

    [Test]
    public void UnionsWithinUnionsCostLinearTime()
    {
        const int Depth = 30; // 2^30 ways through
        var text = Common + "{ 'struct': 'U30x', 'data': {} }\n" + string.Concat(Enumerable.Range(0, Depth).Select(i =>
            $"{{ 'union': 'U{i}x', 'base': {{ 'k{i}': 'Color' }}, 'discriminator': 'k{i}', 'data': {{ 'red': 'U{i + 1}x', 'green': 'U{i + 1}x' }} }}\n"));
        Assert.That(TestSchema.Build(text).Types.OfType<ObjectType>().Count(type => type.IsUnion), Is.EqualTo(Depth + 1));
    }

    [Test]
    public void PrefixesOfVendorsAreAllowed()
    {
        var model = TestSchema.Build("{ 'struct': '__org.example_Thing', 'data': { '__org.example_part': 'int' } }\n{ 'command': '__org.example_do-it' }");
        Assert.That(model.Commands.Select(command => command.Name), Is.EqualTo(new[] { "__org.example_do-it" }));
    }

    [Test]
    public void ConditionsDecideWhatExists()
    {
        const string Text = """
            { 'enum': 'E', 'data': [ 'a', { 'name': 'b', 'if': 'B' } ] }
            { 'struct': 'S', 'data': { 'x': 'int', 'y': { 'type': 'int', 'if': { 'any': [ 'B', 'C' ] } } } }
            { 'command': 'c', 'if': { 'not': 'B' } }
            { 'command': 'd', 'if': { 'all': [ 'B', 'C' ] }, 'data': 'S' }
            { 'union': 'U', 'base': { 'e': 'E' }, 'discriminator': 'e', 'data': { 'b': { 'type': 'S', 'if': 'B' } } }
            """;
        var without = TestSchema.Build(Text);
        var with = TestSchema.Build(Text, "B", "C");
        Assert.Multiple(() =>
        {
            Assert.That(Describe(without), Is.EqualTo("E(a) S(x) U() c"));
            Assert.That(Describe(with), Is.EqualTo("E(a,b) S(x,y) U(b) d"));
        });

        static string Describe(SchemaModel model) => string.Join(' ', model.Types.Where(type => type.Module == "s").Select(type => type switch
        {
            EnumType e => $"E({string.Join(',', e.Values.Select(v => v.Name))})",
            ObjectType { IsUnion: true } u => $"U({string.Join(',', u.Branches.Select(b => b.Name))})",
            ObjectType s => $"S({string.Join(',', s.Members.Select(m => m.Name))})",
            _ => type.Name,
        }).Concat(model.Commands.Select(command => command.Name)));
    }
}
