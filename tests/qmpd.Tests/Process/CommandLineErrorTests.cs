using Qmp.Testing;

namespace Qmp.Daemon.Tests.Process;

/// <summary>What the program prints and returns for command lines that it cannot obey: as the real daemon, by its own name.</summary>
public class CommandLineErrorTests
{
    [TestCase("--foo", "unrecognized option '--foo'")]
    [TestCase("foo", "foo: Unexpected argument")]
    [TestCase("--blockdev", "option '--blockdev' requires an argument")]
    [TestCase("--daemonize=1", "option '--daemonize' doesn't allow an argument")]
    [TestCase("--blockdev file", "--blockdev file: Parameter 'filename' is missing")]
    [TestCase("--blockdev driver=foo,node-name=a", "--blockdev driver=foo,node-name=a: Parameter 'driver' does not accept value 'foo'")]
    [TestCase("--blockdev=null-co,node-name=x,foo=1", "--blockdev=null-co,node-name=x,foo=1: Parameter 'foo' is unexpected")]
    [TestCase("--blockdev null-co,node-name=a,size=1M", "--blockdev null-co,node-name=a,size=1M: Parameter 'size' expects integer")]
    [TestCase("--blockdev null-co,node-name=a,read-zeroes=maybe", "--blockdev null-co,node-name=a,read-zeroes=maybe: Parameter 'read-zeroes' expects 'on' or 'off'")]
    [TestCase("--blockdev null-co,node-name=a,cache=3", "--blockdev null-co,node-name=a,cache=3: Invalid parameter type for 'cache', expected: object")]
    [TestCase("--blockdev raw,node-name=a,file.driver=null-co,file.foo=1", "--blockdev raw,node-name=a,file.driver=null-co,file.foo=1: Parameter 'file.foo' is unexpected")]
    [TestCase("--blockdev raw,node-name=a,file=zz", "--blockdev raw,node-name=a,file=zz: Cannot find device='zz' nor node-name='zz'")]
    [TestCase("--blockdev file,node-name=a,filename=/nonexist", "--blockdev file,node-name=a,filename=/nonexist: Could not open '/nonexist': No such file or directory")]
    [TestCase("--blockdev null-co,node-name=1a", "--blockdev null-co,node-name=1a: Invalid node-name: '1a'")]
    [TestCase("--blockdev {\"driver\":\"null-co\",\"node-name\":3}", "--blockdev {\"driver\":\"null-co\",\"node-name\":3}: Invalid parameter type for 'node-name', expected: string")]
    [TestCase("--blockdev {\"driver\":\"file\"", "--blockdev {\"driver\":\"file\": JSON parse error, premature EOI")]
    [TestCase("--blockdev {}{}", "--blockdev {}{}: Expecting at most one JSON value")]
    [TestCase("--blockdev help", "--blockdev help: Help is not available for this option")]
    [TestCase("--export help", "--export help: Help is not available for this option")]
    [TestCase("--object iothread", "--object iothread: Parameter 'id' is missing")]
    [TestCase("--object iothread,id=a,poll-max-ns=x", "--object iothread,id=a,poll-max-ns=x: Parameter 'poll-max-ns' expects integer")]
    [TestCase("--object iothread,id=a,poll-max-ns=-1", "--object iothread,id=a,poll-max-ns=-1: poll-max-ns value must be in range [0, 9223372036854775807]")]
    [TestCase("--object iothread,id=a,thread-pool-max=2,thread-pool-min=3", "--object iothread,id=a,thread-pool-max=2,thread-pool-min=3: bad thread-pool-min/thread-pool-max values")]
    [TestCase("--object foo,id=a", "--object foo,id=a: Parameter 'qom-type' does not accept value 'foo'")]
    [TestCase("--object iothread,id=1", "--object iothread,id=1: Parameter 'id' expects an identifier\nIdentifiers consist of letters, digits, '-', '.', '_', starting with a letter.")]
    [TestCase("--object iothread,id=a --object iothread,id=a", "--object iothread,id=a: attempt to add duplicate property 'a' to object (type 'container')")]
    [TestCase("--monitor no", "--monitor no: chardev \"no\" not found")]
    [TestCase("--monitor mode=control", "--monitor mode=control: Parameter 'chardev' is missing")]
    [TestCase("--monitor no,pretty=3", "--monitor no,pretty=3: Parameter 'pretty' expects 'on' or 'off'")]
    [TestCase("--chardev socket", "--chardev socket: chardev: no id specified")]
    [TestCase("--chardev socket,id=c", "--chardev socket,id=c: Unable to parse FD number ")]
    [TestCase("--chardev id=c", "--chardev id=c: chardev: \"c\" missing backend")]
    [TestCase("--chardev foo,id=c", "--chardev foo,id=c: 'foo' is not a valid char driver name")]
    [TestCase("--chardev socket,id=c,path=x,foo=1", "--chardev socket,id=c,path=x,foo=1: Invalid parameter 'foo'")]
    [TestCase("--chardev socket,id=c,path=x,server=maybe", "--chardev socket,id=c,path=x,server=maybe: Parameter 'server' expects 'on' or 'off'")]
    [TestCase("--chardev socket,id=c,path=x,host=y", "--chardev socket,id=c,path=x,host=y: None or one of 'path', 'fd' or 'host' option required.")]
    [TestCase("--chardev socket,id=c,path=no/x,server=on,wait=off", "--chardev socket,id=c,path=no/x,server=on,wait=off: Failed to bind socket to no/x: No such file or directory")]
    [TestCase("--chardev socket,id=c,fd=77,server=on,wait=off", "--chardev socket,id=c,fd=77,server=on,wait=off: File descriptor '77' is not a socket")]
    [TestCase("--export vhost-user-blk,id=a", "--export vhost-user-blk,id=a: Parameter 'node-name' is missing")]
    [TestCase("--export foo,id=a", "--export foo,id=a: Parameter 'type' does not accept value 'foo'")]
    [TestCase("--export vhost-user-blk,id=1e,node-name=n,addr.type=unix,addr.path=u", "--export vhost-user-blk,id=1e,node-name=n,addr.type=unix,addr.path=u: Invalid block export id")]
    [TestCase("--export vhost-user-blk,id=e,node-name=n,addr.type=unix", "--export vhost-user-blk,id=e,node-name=n,addr.type=unix: Parameter 'addr.path' is missing")]
    [TestCase("--pidfile /nonexist/a", "cannot create PID file: Could not create '/nonexist/a': No such file or directory")]
    public async Task Refuses(string line, string error)
    {
        using var folder = new WorkFolder();
        await using var daemon = Qmp.Testing.Daemon.Start(DaemonProgram.Qmpd, folder.Path, line.Split(' '));
        var status = await daemon.WaitForExitAsync();
        Assert.That((status, daemon.Log), Is.EqualTo((1, $"qmpd: {error}\n")));
    }

    [TestCase("")]
    [TestCase(",read-only=on,auto-read-only=on")]
    public async Task An_image_that_may_not_be_read_is_named(string more)
    {
        using var folder = new WorkFolder();
        string image = folder.File("secret.img");
        File.WriteAllBytes(image, new byte[512]);
        File.SetUnixFileMode(image, UnixFileMode.None);

        // Root may read anything unless that right is taken away.
        string line = $"{DaemonProgram.Qmpd.Path} --blockdev driver=file,node-name=d,filename=secret.img{more}";
        string drop = Environment.IsPrivilegedProcess
            ? "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "
            : "";
        ShellResult result = await Shell.RunAsync(drop + line, folder.Path);
        Assert.That((result.ExitStatus, result.Output), Is.EqualTo((1,
            $"qmpd: --blockdev driver=file,node-name=d,filename=secret.img{more}: Could not open 'secret.img': Permission denied\n")));
        Assert.That(new FileInfo(image).Length, Is.EqualTo(512));
    }

    [TestCase("--version")]
    [TestCase("-V --foo")]
    [TestCase("--help")]
    [TestCase("--object help")]
    [TestCase("--object iothread,help")]
    [TestCase("--chardev help")]
    public async Task PrintsAndEnds(string line)
    {
        using var folder = new WorkFolder();
        await using var daemon = Qmp.Testing.Daemon.Start(DaemonProgram.Qmpd, folder.Path, line.Split(' '));
        Assert.That(await daemon.WaitForExitAsync(), Is.Zero);
        Assert.That(daemon.Log, Does.Contain(line.Contains("iothread") ? "  poll-max-ns=<int>\n" : line.Contains("object") ? "  iothread\n" : line.Contains("chardev") ? "  socket\n" : "qmpd"));
    }
}
