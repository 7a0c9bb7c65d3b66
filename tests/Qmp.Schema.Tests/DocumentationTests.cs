using Qmp.Schema.Model;

namespace Qmp.Schema.Tests;

/// <summary>What is written about a definition.</summary>
public class DocumentationTests
{
    [Test]
    public void ItsPartsAreFound()
    {
        var command = (SchemaCommand)TestSchema.Build("""
            ##
            # @do-it:
            #
            # Does it.
            #
            # A second paragraph about @what.
            #
            # @what: what to do,
            #     in two lines
            #
            # @how: how
            #
            # Features:
            #
            # @unstable: may change
            #
            # Returns: nothing
            #     at all
            #
            # Errors:
            #     - GenericError: it failed
            #
            # Since: 1.0
            ##
            { 'command': 'do-it', 'data': { 'what': 'str', '*how': 'str' }, 'features': [ 'unstable' ] }
            """).Commands[0];
        var documentation = command.Documentation!;
        Assert.Multiple(() =>
        {
            Assert.That(documentation.Body, Is.EqualTo("Does it.\n\nA second paragraph about @what."));
            Assert.That(documentation.Members["what"], Is.EqualTo("what to do,\nin two lines"));
            Assert.That(documentation.Members["how"], Is.EqualTo("how"));
            Assert.That(documentation.Features["unstable"], Is.EqualTo("may change"));
            Assert.That(documentation.Returns, Is.EqualTo("nothing\nat all"));
            Assert.That(documentation.Errors, Is.EqualTo("- GenericError: it failed"));
            Assert.That(documentation.Since, Is.EqualTo("1.0"));
        });
    }

    [TestCase("##\n# @F:\n##\n{ 'enum': 'E', 'data': [] }", "s.json:1: the documentation of 'F' stands before 'E'")]
    [TestCase("##\n# @E:\n#\n# @a: x\n# @a: y\n##\n{ 'enum': 'E', 'data': [ 'a' ] }", "s.json:5: 'a' is documented twice")]
    [TestCase("##\n# @E:\n#\n# @b: x\n##\n{ 'enum': 'E', 'data': [ 'a' ] }", "s.json:1: 'E' documents 'b', which it does not have")]
    [TestCase("##\n# @E:\n#\n# Since: 1\n# Since: 2\n##\n{ 'enum': 'E', 'data': [] }", "s.json:5: a second section 'Since:'")]
    [TestCase("##\n# @E:\n#\n# Returns: x\n##\n{ 'enum': 'E', 'data': [] }", "s.json:1: 'E' documents what it returns, but only a command returns something")]
    [TestCase("{ 'pragma': { 'doc-required': true } }\n{ 'enum': 'E', 'data': [] }", "s.json:2: enum 'E' is not documented")]
    [TestCase("{ 'pragma': { 'doc-required': true } }\n##\n# @E:\n##\n{ 'enum': 'E', 'data': [ 'a' ] }", "s.json:5: 'a' of 'E' is not documented")]
    [TestCase("{ 'pragma': { 'doc-required': true } }\n##\n# @c:\n##\n{ 'command': 'c', 'features': [ 'f' ] }", "s.json:5: feature 'f' of 'c' is not documented")]
    public void ItIsChecked(string text, string message)
    {
        var error = Assert.Throws<SchemaException>(() => TestSchema.Build(text));
        Assert.That(error.Message, Is.EqualTo(message));
    }

    [Test]
    public void WhatDoesNotExistMayBeDocumented() => Assert.That(
        () => TestSchema.Build("##\n# @E:\n#\n# @b: x\n##\n{ 'enum': 'E', 'data': [ { 'name': 'b', 'if': 'X' } ] }"), Throws.Nothing);
}
