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
}
