using Qmp.Daemon.CommandLine;

namespace Qmp.Daemon.Tests.CommandLine;

/// <summary>The words of a command line. Texts are those of the real daemon.</summary>
public class OptionScannerTests
{
    [TestCase("--foo", "unrecognized option '--foo'")]
    [TestCase("--foo=1", "unrecognized option '--foo'")]
    [TestCase("--blockdev", "option '--blockdev' requires an argument")]
    [TestCase("--p", "option '--pidfile' requires an argument")]
    [TestCase("--d=x", "option '--daemonize' doesn't allow an argument")]
    [TestCase("-d", "invalid option -- 'd'")]
    [TestCase("-T", "option requires an argument -- 'T'")]
    [TestCase("foo", "foo: Unexpected argument")]
    [TestCase("", ": Unexpected argument")]
    [TestCase("-", "-: Unexpected argument")]
    public void Refuses(string line, string error) =>
        Assert.That(() => OptionScanner.Scan(line.Split(' ')).ToList(), Throws.InstanceOf<CommandLineException>().With.Message.EqualTo(error));

    [Test]
    public void TakesAllForms()
    {
        Option[] expected =
        [
            new(OptionKind.Blockdev, "a", "--blockdev a"),
            new(OptionKind.Blockdev, "b=c", "--blockdev=b=c"),
            new(OptionKind.Object, "x", "--obj x"),
            new(OptionKind.Help, "", "-hV"),
            new(OptionKind.Version, "", "-hV"),
            new(OptionKind.Trace, "t", "-Tt"),
            new(OptionKind.Trace, "u", "-T u"),
            new(OptionKind.NbdServer, "", "--nbd-server="),
            new(OptionKind.Daemonize, "", "--daemonize"),
        ];
        Assert.That(
            OptionScanner.Scan("--blockdev a --blockdev=b=c --obj x -hV -Tt -T u --nbd-server= --daemonize -- rest --foo".Split(' ')),
            Is.EqualTo(expected));
    }

    [Test]
    public void GivesWhatStandsBeforeAnError()
    {
        using var options = OptionScanner.Scan(["--help", "--foo"]).GetEnumerator();
        Assert.That(options.MoveNext(), Is.True);
        Assert.That(options.Current.Kind, Is.EqualTo(OptionKind.Help));
        Assert.That(() => options.MoveNext(), Throws.InstanceOf<CommandLineException>());
    }
}
