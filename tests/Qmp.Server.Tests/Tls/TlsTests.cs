using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Qmp.Protocol;
using Qmp.Server.Chardevs;
using Qmp.Server.Objects;
using Qmp.Server.Tests.Commands;
using Qmp.Server.Tls;
using Qmp.Testing;

namespace Qmp.Server.Tests.Tls;

/// <summary>
/// Encrypted connections: both sides ours, and one of them that of another program. A server sends back what it gets.
/// </summary>
[TestFixture]
public sealed class TlsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private TestServer _server = null!;
    private TestClient _client = null!;
    private WorkFolder _folder = null!;
    private TcpListener _listener = null!;
    private string _serverSaid = string.Empty;

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    [SetUp]
    public void SetUp()
    {
        _server = new TestServer();
        _client = _server.Connect();
        _folder = new WorkFolder();
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start();
    }

    [TearDown]
    public async Task TearDown()
    {
        _listener.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task AnonymousSidesTalk()
    {
        await AddAsync("anon", "s", "server");
        await AddAsync("anon", "c", "client");
        Assert.That(await EchoAsync(), Is.EqualTo("hello"));
    }

    [Test]
    public async Task SidesThatShareAKeyTalk()
    {
        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        await AddAsync("psk", "s", "server", "psk");
        await AddAsync("psk", "c", "client", "psk");
        Assert.That(await EchoAsync(), Is.EqualTo("hello"));
    }

    [Test]
    public async Task AKeyThatDiffersIsRefused()
    {
        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        WriteKeys("other", "qemu:ffeeddccbbaa99887766554433221100");
        await AddAsync("psk", "s", "server", "psk");
        await AddAsync("psk", "c", "client", "other");
        Assert.That(await EchoAsync(), Does.StartWith("TLS handshake failed: "));
    }

    [Test]
    public async Task AUserWhomTheServerDoesNotKnowIsRefusedUntilItDoes()
    {
        WriteKeys("psk", "somebody:00112233445566778899aabbccddeeff");
        WriteKeys("own", "qemu:00112233445566778899aabbccddeeff");
        await AddAsync("psk", "s", "server", "psk");
        await AddAsync("psk", "c", "client", "own");
        Assert.That(await EchoAsync(), Does.StartWith("TLS handshake failed: "));
        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        Assert.That(await EchoAsync(), Is.EqualTo("hello"));
    }

    [TestCase("RSA", "", "")]
    [TestCase("RSA", "NORMAL:-VERS-TLS1.3", "")]
    [TestCase("RSA", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "")]
    [TestCase("ECDSA", "", "")]
    [TestCase("ECDSA", "NORMAL:-VERS-TLS1.3", "")]
    [TestCase("RSA", "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-TLS1.2")]
    public async Task SidesWithCertificatesTalk(string key, string serverPriority, string clientPriority)
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, key, $$"""
            ,"priority":"{{serverPriority}}"
            """, $$"""
            ,"priority":"{{clientPriority}}"
            """);
        Assert.That(await EchoAsync(), clientPriority.Length == 0 ? Is.EqualTo("hello") : Does.StartWith("TLS handshake failed: "));
    }

    [Test]
    public async Task APriorityThatIsNotKnownIsRefusedByName()
    {
        await AddAsync("anon", "s", "server", null, ""","priority":"NORMAL:+FOO" """);
        Assert.That(
            () => _server.OnMainAsync(() => ValueTask.FromResult(Side("s", isServer: true, null))),
            Throws.TypeOf<QmpException>().With.Property("Description").EqualTo("Unable to set TLS session priority NORMAL:+FOO: '+FOO' is not supported"));
    }

    [Test]
    public async Task ALargeMessageArrivesWhole()
    {
        await AddAsync("anon", "s", "server");
        await AddAsync("anon", "c", "client");
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i},"));
        Assert.That(await EchoAsync(text), Is.EqualTo(text));
    }

    [TestCase(true, "TLS handshake failed: ")]
    [TestCase(false, "hello")]
    public async Task AServerOfAStrangerIsBelievedOnlyUnverified(bool verifies, string expected)
    {
        using var authority = TestCertificates.NewAuthority("us");
        using var stranger = TestCertificates.NewAuthority("them");
        using var rsa = RSA.Create(2048);
        TestCertificates.Write(PathOf("server"), "server", stranger, stranger, rsa, "CN=localhost").Dispose();
        TestCertificates.Write(PathOf("client"), "client", stranger, authority, rsa, "CN=me").Dispose();
        await AddAsync("x509", "s", "server", "server");
        await AddAsync("x509", "c", "client", "client", $$""","sanity-check":false,"verify-peer":{{(verifies ? "true" : "false")}}""");
        Assert.That(await EchoAsync(), Does.StartWith(expected));
    }

    [Test]
    public async Task AServerOfAnotherNameIsRefused()
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, "ECDSA", "", "");
        Assert.That(await EchoAsync(hostname: "localhost"), Is.EqualTo("hello"));
        Assert.That(await EchoAsync(hostname: "127.0.0.1"), Is.EqualTo("hello"));
        Assert.That(await EchoAsync(hostname: "elsewhere"), Does.StartWith("TLS handshake failed: "));
        Assert.That(await EchoAsync(hostname: "10.0.0.1"), Does.StartWith("TLS handshake failed: "));
        Assert.That(await EchoAsync(hostname: null), Does.StartWith("TLS handshake failed: "));
    }

    [TestCase("""{"match":"C=GB,O=Org,CN=fred","policy":"allow"}""", "")]
    [TestCase("""{"match":"*,CN=fred","policy":"allow","format":"glob"}""", "")]
    [TestCase("""{"match":"CN=fred,O=Org,C=GB","policy":"allow"}""", "TLS x509 authz check for C=GB,O=Org,CN=fred is denied")]
    [TestCase("""{"match":"C=GB,O=Org,CN=bob","policy":"allow"}""", "TLS x509 authz check for C=GB,O=Org,CN=fred is denied")]
    public async Task TheNameOfAClientDecides(string rule, string expected)
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, "RSA", "", "");
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-list","id":"a","rules":[{{rule}}]}""");
        Assert.That(await EchoAsync(authz: "a"), expected.Length == 0 ? Is.EqualTo("hello") : Is.Not.EqualTo("hello"));
        Assert.That(_serverSaid, Is.EqualTo(expected));
    }

    [TestCase("psk", "qemu", "")]
    [TestCase("psk", "bob", "TLS x509 authz check for qemu is denied")]
    [TestCase("anon", "qemu", "TLS x509 authz check for nobody is denied")]
    public async Task WithoutCertificatesTheUserDecides(string kind, string allowed, string expected)
    {
        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        await AddAsync(kind, "s", "server", "psk");
        await AddAsync(kind, "c", "client", "psk");
        await _client.DoAsync("object-add", $$"""{"qom-type":"authz-simple","id":"a","identity":"{{allowed}}"}""");
        Assert.That(await EchoAsync(authz: "a"), expected.Length == 0 ? Is.EqualTo("hello") : Is.Not.EqualTo("hello"));
        Assert.That(_serverSaid, Is.EqualTo(expected));
    }

    [Test]
    public async Task ACertificateThatWasTakenBackIsRefused()
    {
        using var authority = TestCertificates.NewAuthority("us");
        var client = await AddX509Async(authority, authority, "RSA", "", "");
        TestCertificates.WriteRevocations(PathOf("server"), authority);
        await AddAsync("x509", "before", "server", "server");
        TestCertificates.WriteRevocations(PathOf("server"), authority, client);
        await AddAsync("x509", "after", "server", "server");
        Assert.That(await EchoAsync(server: "before"), Is.EqualTo("hello"));
        Assert.That(await EchoAsync(server: "after"), Is.Not.EqualTo("hello"));
        Assert.That(_serverSaid, Does.EndWith("; The certificate has been revoked"));
    }

    [Test]
    public async Task AClientWithoutACertificateIsRefusedUnlessNobodyAsks()
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, "RSA", "", "");
        await AddAsync("x509", "lenient", "server", "server", ""","verify-peer":false""");
        File.Delete(Path.Combine(PathOf("client"), "client-cert.pem"));
        await AddAsync("x509", "nobody", "client", "client");
        Assert.That(await EchoAsync(client: "nobody"), Is.Not.EqualTo("hello"));
        Assert.That(_serverSaid, Does.EndWith("; No certificate peers"));
        Assert.That(await EchoAsync(client: "nobody", server: "lenient"), Is.EqualTo("hello"));
    }

    [TestCase("")]
    [TestCase("GET / HTTP/1.0\r\n\r\n")]
    [TestCase("{\"execute\":\"qmp_capabilities\"}\r\n")]
    public async Task WhatIsNotTlsEndsTheConnection(string text)
    {
        await AddAsync("anon", "s", "server");
        var serving = ServeAsync("s", null, text.Length == 0 ? TimeSpan.FromMilliseconds(50) : Limit);
        using TcpClient socket = new();
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        await stream.CopyToAsync(Stream.Null).WaitAsync(Limit); // to its end
        Assert.That(await serving, Does.StartWith("TLS handshake failed: "));
    }

    [TestCase("NORMAL")]
    [TestCase("NORMAL:-VERS-TLS1.3")]
    public async Task GnutlsIsAClientWithCertificates(string priority)
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, "RSA", "", "");
        await _client.DoAsync("object-add", """{"qom-type":"authz-simple","id":"a","identity":"C=GB,O=Org,CN=fred"}""");
        var serving = ServeAsync("s", "a", Limit);
        var said = await GnutlsAsync(
            $"--priority={priority}", $"--x509cafile={PathOf("client")}/ca-cert.pem", $"--x509certfile={PathOf("client")}/client-cert.pem", $"--x509keyfile={PathOf("client")}/client-key.pem");
        Assert.That(said, Does.Contain("\nhello\n"), said);
        Assert.That(await serving, Is.Empty);
    }

    [Test]
    public async Task GnutlsIsAClientWithAKey()
    {
        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        await AddAsync("psk", "s", "server", "psk");
        var serving = ServeAsync("s", null, Limit);
        var said = await GnutlsAsync("--priority=NORMAL:+ECDHE-PSK:+DHE-PSK:+PSK", "--pskusername=qemu", "--pskkey=00112233445566778899aabbccddeeff");
        Assert.That(said, Does.Contain("\nhello\n"), said);
        Assert.That(await serving, Is.Empty);
    }

    [Test]
    public async Task GnutlsIsAnAnonymousClient()
    {
        await AddAsync("anon", "s", "server");
        var serving = ServeAsync("s", null, Limit);
        var said = await GnutlsAsync("--priority=NORMAL:+ANON-DH", "--insecure");
        Assert.That(said, Does.Contain("\nhello\n"), said);
        Assert.That(await serving, Is.Empty);
    }

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task OpensslIsAClientWithCertificates(string version)
    {
        using var authority = TestCertificates.NewAuthority("us");
        await AddX509Async(authority, authority, "ECDSA", "", "");
        var serving = ServeAsync("s", null, Limit);
        var said = await ClientAsync(
            "openssl", "s_client", "-quiet", "-verify_return_error", version, "-connect", $"127.0.0.1:{Port}", "-CAfile", $"{PathOf("client")}/ca-cert.pem", "-cert", $"{PathOf("client")}/client-cert.pem", "-key", $"{PathOf("client")}/client-key.pem");
        Assert.That(said, Does.Contain("hello\n"), said);
        Assert.That(await serving, Is.Empty);
    }

    [TestCase("anon")]
    [TestCase("psk")]
    [TestCase("x509")]
    public async Task TheRealDaemonIsAClient(string kind)
    {
        using var authority = TestCertificates.NewAuthority("us");
        var folder = await AddForTheRealDaemonAsync(kind, authority, "client");
        var serving = OpenAcceptedAsync();
        using var peer = StartTheRealDaemon($"{kind},id=t,endpoint=client{folder}", $"host=localhost,port={Port},server=off,reconnect-ms=100,tls-creds=t");
        var channel = await serving.WaitAsync(Limit);
        Assert.That(await LineAsync(channel), Does.StartWith("{\"QMP\":"));
    }

    [TestCase("anon")]
    [TestCase("psk")]
    [TestCase("x509")]
    public async Task TheRealDaemonIsAServer(string kind)
    {
        using var authority = TestCertificates.NewAuthority("us");
        var folder = await AddForTheRealDaemonAsync(kind, authority, "server");
        var port = Port;
        _listener.Stop(); // the port is the daemon's now
        using var peer = StartTheRealDaemon($"{kind},id=t,endpoint=server{folder}", $"host=127.0.0.1,port={port},server=on,wait=off,tls-creds=t");
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var deadline = DateTime.UtcNow + Limit;
        while (!await TryConnectAsync(socket, port) && DateTime.UtcNow < deadline)
        {
            await Task.Yield();
        }

        var fd = Aio.Libc.Duplicate((int)socket.Handle);
        var channel = await _server.OnMainAsync(async () =>
            await TlsChannel.OpenAsync(_server.Main, NewTransport(fd), Side("c", isServer: false, "localhost"), null, Limit));
        Assert.That(await LineAsync(channel), Does.StartWith("{\"QMP\":"));
        await _server.OnMainAsync(async () => { await channel.Output.WriteAsync("{\"execute\":\"qmp_capabilities\"}\n"u8.ToArray()); });
        Assert.That(await LineAsync(channel), Is.EqualTo("{\"return\": {}}\r"));
    }

    private static async Task<bool> TryConnectAsync(Socket socket, int port)
    {
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // Credentials of ours for the other side, and where the daemon finds its own.
    private async Task<string> AddForTheRealDaemonAsync(string kind, X509Certificate2 authority, string side)
    {
        if (kind == "x509")
        {
            await AddX509Async(authority, authority, "RSA", "", "");
            return $",dir={PathOf(side)}";
        }

        WriteKeys("psk", "qemu:00112233445566778899aabbccddeeff");
        await AddAsync(kind, "s", "server", "psk");
        await AddAsync(kind, "c", "client", "psk");
        return $",dir={PathOf("psk")}";
    }

    private static RunningProgram StartTheRealDaemon(string credentials, string socket)
    {
        var program = Shell.Find("qemu-storage-daemon") ?? throw new InvalidOperationException("qemu-storage-daemon is not installed");
        return new RunningProgram(Process.Start(program, ["--object", "tls-creds-" + credentials, "--chardev", "socket,id=c," + socket, "--monitor", "chardev=c"]));
    }

    private async Task<TlsChannel> OpenAcceptedAsync()
    {
        using var socket = await _listener.AcceptSocketAsync();
        var fd = Aio.Libc.Duplicate((int)socket.Handle);
        return await _server.OnMainAsync(async () =>
            await TlsChannel.OpenAsync(_server.Main, NewTransport(fd), Side("s", isServer: true, null), null, Limit));
    }

    private SocketConnection NewTransport(int fd)
    {
        var connection = new SocketConnection(_server.Main, fd);
        connection.Start(static () => { }, static () => { });
        return connection;
    }

    private Task<string> LineAsync(TlsChannel channel) => _server.OnMainAsync(async () =>
    {
        while (true)
        {
            var result = await channel.Input.ReadAsync();
            if (result.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.UTF8.GetString(result.Buffer.Slice(0, end));
                channel.Input.AdvanceTo(result.Buffer.GetPosition(1, end));
                return line;
            }

            channel.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (result.IsCompleted)
            {
                return "(the connection ended)";
            }
        }
    });

    private string PathOf(string name) => Path.Combine(_folder.Path, name);

    private void WriteKeys(string folder, string line)
    {
        Directory.CreateDirectory(PathOf(folder));
        File.WriteAllText(Path.Combine(PathOf(folder), "keys.psk"), line + "\n");
    }

    private Task AddAsync(string kind, string id, string endpoint, string? folder = null, string more = "")
    {
        var dir = folder is null ? string.Empty : $",\"dir\":\"{PathOf(folder)}\"";
        return _client.DoAsync("object-add", $$"""{"qom-type":"tls-creds-{{kind}}","id":"{{id}}","endpoint":"{{endpoint}}"{{dir}}{{more}}}""");
    }

    private async Task<X509Certificate2> AddX509Async(X509Certificate2 ours, X509Certificate2 theirs, string key, string server, string client)
    {
        using AsymmetricAlgorithm serverKey = key == "RSA" ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using AsymmetricAlgorithm clientKey = key == "RSA" ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        TestCertificates.Write(PathOf("server"), "server", ours, theirs, serverKey, "CN=localhost").Dispose();
        var certificate = TestCertificates.Write(PathOf("client"), "client", theirs, ours, clientKey, "CN=fred, O=Org, C=GB");
        await AddAsync("x509", "s", "server", "server", server);
        await AddAsync("x509", "c", "client", "client", client);
        return certificate;
    }

    private TlsSide Side(string id, bool isServer, string? hostname) => TlsCredsObject.Find(_server.Context.Objects.Objects, id, isServer).NewSide(hostname);

    // Empty, or why there was no connection. Ends when the client does.
    private async Task<string> ServeAsync(string id, string? authz, TimeSpan limit)
    {
        using var socket = await _listener.AcceptSocketAsync();
        var fd = Aio.Libc.Duplicate((int)socket.Handle);
        socket.Close();
        return await _server.OnMainAsync(async () =>
        {
            var transport = NewTransport(fd);
            try
            {
                Func<string, bool>? isAllowed = authz is null ? null : AuthzObject.Find(_server.Context.Objects.Objects, authz).IsAllowed;
                var channel = await TlsChannel.OpenAsync(_server.Main, transport, Side(id, isServer: true, null), isAllowed, limit);
                await channel.Input.CopyToAsync(channel.Output);
                await channel.Output.CompleteAsync();
                return string.Empty;
            }
            catch (QmpException e)
            {
                return e.Description;
            }
        });
    }

    // What came back, or why our client has no connection; empty when the server closed it.
    private async Task<string> EchoAsync(string text = "hello", string? hostname = "localhost", string? authz = null, string server = "s", string client = "c")
    {
        var serving = ServeAsync(server, authz, Limit);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        var fd = Aio.Libc.Duplicate((int)socket.Handle);
        socket.Close();
        var said = await _server.OnMainAsync(async () =>
        {
            var transport = NewTransport(fd);
            try
            {
                var channel = await TlsChannel.OpenAsync(_server.Main, transport, Side(client, isServer: false, hostname), null, Limit);
                var sending = SendAsync(channel.Output, Encoding.ASCII.GetBytes(text));
                MemoryStream received = new();
                while (received.Length < text.Length)
                {
                    var result = await channel.Input.ReadAsync();
                    foreach (var part in result.Buffer)
                    {
                        received.Write(part.Span);
                    }

                    channel.Input.AdvanceTo(result.Buffer.End);
                    if (result.IsCompleted)
                    {
                        break;
                    }
                }

                await sending;
                await channel.Output.CompleteAsync();
                return Encoding.ASCII.GetString(received.ToArray());
            }
            catch (QmpException e)
            {
                return e.Description;
            }
        });
        _serverSaid = await serving.WaitAsync(Limit);
        return said;
    }

    private static async Task SendAsync(PipeWriter output, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length; at += 50_000)
        {
            if ((await output.WriteAsync(bytes.AsMemory(at, Math.Min(50_000, bytes.Length - at)))).IsCompleted)
            {
                return;
            }
        }
    }

    private Task<string> GnutlsAsync(params string[] arguments) => ClientAsync(["gnutls-cli", "--no-ca-verification", "--port", $"{Port}", .. arguments, "localhost"]);

    // Says hello, waits for the echo, and ends the connection by the end of its input.
    private static async Task<string> ClientAsync(params string[] command)
    {
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        StringBuilder said = new();
        await process.StandardInput.WriteAsync("hello\n");
        await process.StandardInput.FlushAsync();
        using CancellationTokenSource late = new(Limit);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                said.Append(line).Append('\n');
                if (line == "hello")
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            said.Append("(it took too long)");
        }

        process.Kill();
        await process.WaitForExitAsync();
        return "\n" + said + await errors;
    }

    private sealed class RunningProgram(Process process) : IDisposable
    {
        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
