using Qmp.Schema.Introspection;

namespace Qmp.Schema.Tests;

/// <summary>The answer of <c>query-qmp-schema</c>.</summary>
public class IntrospectionTests
{
    [TestCase("{ 'command': 'c' }", """[{"name": "c", "ret-type": "0", "meta-type": "command", "arg-type": "0"}, {"name": "0", "members": [], "meta-type": "object"}]""", TestName = "Nothing is an empty object")]
    [TestCase("{ 'event': 'X', 'data': { 'a': 'int8', '*b': [ 'size' ] } }", """[{"name": "X", "meta-type": "event", "arg-type": "0"}, {"name": "0", "members": [{"name": "a", "type": "int"}, {"name": "b", "default": null, "type": "[int]"}], "meta-type": "object"}, {"name": "int", "json-type": "int", "meta-type": "builtin"}, {"name": "[int]", "element-type": "int", "meta-type": "array"}]""", TestName = "Every integer is int")]
    [TestCase("{ 'enum': 'E', 'data': [ 'a', { 'name': 'b', 'features': [ 'deprecated' ] } ] }\n{ 'event': 'X', 'data': { 'e': 'E' }, 'features': [ 'f' ] }", """[{"name": "X", "meta-type": "event", "arg-type": "0", "features": ["f"]}, {"name": "0", "members": [{"name": "e", "type": "1"}], "meta-type": "object"}, {"name": "1", "members": [{"name": "a"}, {"name": "b", "features": ["deprecated"]}], "meta-type": "enum", "values": ["a", "b"]}]""", TestName = "Enumerations list members and values")]
    [TestCase("{ 'enum': 'E', 'data': [ 'a', 'b' ] }\n{ 'struct': 'S', 'data': { 's': 'str' } }\n{ 'union': 'U', 'base': { 'e': 'E' }, 'discriminator': 'e', 'data': { 'b': 'S' } }\n{ 'command': 'c', 'data': 'U', 'boxed': true, 'allow-oob': true }", """[{"name": "c", "ret-type": "1", "allow-oob": true, "meta-type": "command", "arg-type": "0"}, {"name": "0", "tag": "e", "variants": [{"case": "a", "type": "1"}, {"case": "b", "type": "3"}], "members": [{"name": "e", "type": "2"}], "meta-type": "object"}, {"name": "1", "members": [], "meta-type": "object"}, {"name": "2", "members": [{"name": "a"}, {"name": "b"}], "meta-type": "enum", "values": ["a", "b"]}, {"name": "3", "members": [{"name": "s", "type": "str"}], "meta-type": "object"}, {"name": "str", "json-type": "string", "meta-type": "builtin"}]""", TestName = "Every value has a variant")]
    [TestCase("{ 'alternate': 'A', 'data': { 'a': 'str', 'b': 'null' } }\n{ 'struct': 'S', 'data': { '*a': 'A', 'n': { 'type': 'number', 'features': [ 'g' ] } } }\n{ 'event': 'X', 'data': 'S' }", """[{"name": "X", "meta-type": "event", "arg-type": "0"}, {"name": "0", "members": [{"name": "a", "default": null, "type": "1"}, {"name": "n", "type": "number", "features": ["g"]}], "meta-type": "object"}, {"name": "1", "members": [{"type": "str"}, {"type": "null"}], "meta-type": "alternate"}, {"name": "number", "json-type": "number", "meta-type": "builtin"}, {"name": "str", "json-type": "string", "meta-type": "builtin"}, {"name": "null", "json-type": "null", "meta-type": "builtin"}]""", TestName = "Alternates and built-in types")]
    public void Describes(string schema, string json) =>
        Assert.That(Introspector.Describe(TestSchema.Build(schema)), Is.EqualTo(json));

    [Test]
    public void TypesThatNothingUsesAreLeftOut() => Assert.That(
        Introspector.Describe(TestSchema.Build("{ 'struct': 'S', 'data': { 's': 'str' } }")), Is.EqualTo("[]"));
}
