using Qmp.Sessions;

namespace Qmp.Tool.Tests;

/// <summary>What a server of a recording says is what a player of the same recording expects.</summary>
[TestFixture]
public sealed class SessionNamesTests
{
    [TestCase("""{"file": "$DIR/a.img", "node": "$NODE1", "size": "$INT"}""")]
    [TestCase("""{"text": "$DIRECTORY $ANYTHING $DIR"}""")]
    [TestCase("""{"version"$INT"$VERSION"}""")]
    [TestCase("""{"timestamp": "$TIMESTAMP", "event": "$NODE2$ANY"}""")]
    public void AnInventionIsExpected(string recorded)
    {
        var invented = new SessionNames("/tmp/x").Invent(recorded);
        Assert.That(new SessionNames("/tmp/x").Matches(recorded, invented), invented);
    }

    [TestCase(@"""\u00E9""", @"""\u00e9""", ExpectedResult = true)]
    [TestCase(@"""\u00e9 \u001b""", @"""\u00E9 \u001B""", ExpectedResult = true)]
    [TestCase(@"""\u00E9""", @"""\U00E9""", ExpectedResult = false)]
    [TestCase(@"""\u00E9""", @"""\u00E8""", ExpectedResult = false)]
    [TestCase(@"""\\u00E9""", @"""\\u00e9""", ExpectedResult = false)] // a backslash, and then no escape
    [TestCase(@"""a\u00E9B""", @"""a\u00e9b""", ExpectedResult = false)]
    public bool AnEscapeMatchesInEitherCase(string recorded, string received) => new SessionNames("/tmp/x").Matches(recorded, received);
}
