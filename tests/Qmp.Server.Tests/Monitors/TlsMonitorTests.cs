using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Qmp.Protocol;
using Qmp.Protocol.Schema;
using Qmp.Protocol.Wire;
using Qmp.Server.Tests.Tls;

namespace Qmp.Server.Tests.Monitors;

/// <summary>Monitors on encrypted sockets, and .NET's own TLS at the other end.</summary>
[TestFixture]
public sealed class TlsMonitorTests
{
    private const string Greeting = """{"QMP": {""";

    private MonitorServer _server = null!;
    private X509Certificate2 _authority = null!;
    private X509Certificate2 _client = null!;
    private X509Certificate2 _serverCertificate = null!;

    [SetUp]
    public async Task SetUp()
    {
        _server = new MonitorServer();
        _authority = TestCertificates.NewAuthority("us");
        using var key = RSA.Create(2048);
        using var certificate = TestCertificates.Write(_server.Folder.File("tls"), "client", _authority, _authority, key, "CN=fred, O=Org");
        using var own = TestCertificates.Write(_server.Folder.File("tls"), "server", _authority, _authority, key, "CN=localhost");
        _client = Usable(certificate, key);
        _serverCertificate = Usable(own, key);
        await ExecuteAsync($$"""{"qom-type":"tls-creds-x509","id":"server","endpoint":"server","dir":"{{_server.Folder.File("tls")}}"}""");
        await ExecuteAsync($$"""{"qom-type":"tls-creds-x509","id":"client","endpoint":"client","dir":"{{_server.Folder.File("tls")}}"}""");
        await ExecuteAsync("""{"qom-type":"authz-simple","id":"fred","identity":"O=Org,CN=fred"}""");
        await ExecuteAsync("""{"qom-type":"authz-simple","id":"bob","identity":"O=Org,CN=bob"}""");
    }

    [TearDown]
    public async Task TearDown()
    {
        await _server.DisposeAsync();
        _client.Dispose();
        _serverCertificate.Dispose();
        _authority.Dispose();
    }

    [Test]
    public async Task ClientsWithACertificateAreServed()
    {
        await _server.StartAsync(Socket("0", isServer: true, "server", "fred"));
        var port = await PortAsync();
        await using var first = await ConnectAsync(port, _client);
        await using var second = await ConnectAsync(port, _client); // several at once, as without TLS
        foreach (var stream in new[] { first, second })
        {
            using StreamReader reader = new(stream, leaveOpen: true);
            Assert.That(await reader.ReadLineAsync(), Does.StartWith(Greeting));
            await stream.WriteAsync("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"fred\",\"property\":\"identity\"}}"u8.ToArray());
            Assert.That(await reader.ReadLineAsync(), Is.EqualTo("""{"return": {}}"""));
            Assert.That(await reader.ReadLineAsync(), Is.EqualTo("""{"return": "O=Org,CN=fred"}"""));
        }
    }

    [TestCase("bob")]
    [TestCase("nobody")]
    public async Task AClientWhoIsNotAllowedReadsNothing(string authz)
    {
        await _server.StartAsync(Socket("0", isServer: true, "server", authz));
        await using var stream = await ConnectAsync(await PortAsync(), _client);
        Assert.That(await ReadAllAsync(stream), Is.Empty);
    }

    [Test]
    public async Task AClientInClearReadsNoQmp()
    {
        await _server.StartAsync(Socket("0", isServer: true, "server", null));
        using TcpClient socket = new();
        await socket.ConnectAsync(IPAddress.Loopback, await PortAsync());
        await socket.GetStream().WriteAsync("{\"execute\":\"qmp_capabilities\"}\n"u8.ToArray());
        Assert.That(await ReadAllAsync(socket.GetStream()), Does.Not.Contain("QMP"));
    }

    [Test]
    public async Task AMonitorConnectsToAServer()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        var accepting = listener.AcceptTcpClientAsync();
        await _server.StartAsync(Socket($"{((IPEndPoint)listener.LocalEndpoint).Port}", isServer: false, "client", null));
        using var socket = await accepting.WaitAsync(MonitorServer.Patience);
        await using SslStream stream = new(socket.GetStream());
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = _serverCertificate,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == _client.GetCertHashString(),
        }).WaitAsync(MonitorServer.Patience);
        using StreamReader reader = new(stream, leaveOpen: true);
        Assert.That(await reader.ReadLineAsync(), Does.StartWith(Greeting));
        await stream.WriteAsync("{\"execute\":\"qmp_capabilities\"}"u8.ToArray());
        Assert.That(await reader.ReadLineAsync(), Is.EqualTo("""{"return": {}}"""));
    }

    [TestCase(true, "nope", "No TLS credentials with id 'nope'")]
    [TestCase(true, "fred", "Object with id 'fred' is not TLS credentials")]
    [TestCase(true, "client", "Expected TLS credentials for a server endpoint")]
    [TestCase(false, "server", "Expected TLS credentials for a client endpoint")]
    public void CredentialsThatDoNotFitAreRefused(bool isServer, string credentials, string expected) =>
        Assert.That(
            () => _server.StartAsync(Socket("0", isServer, credentials, null)),
            Throws.TypeOf<QmpException>().With.Property("Description").EqualTo(expected));

    [Test]
    public void AUnixSocketIsNotEncrypted()
    {
        var socket = MonitorServer.Unix(_server.SocketPath);
        socket.TlsCreds = "server";
        Assert.That(
            () => _server.StartAsync(socket),
            Throws.TypeOf<QmpException>().With.Property("Description").EqualTo("'tls_creds' option is incompatible with 'unix' address type"));
    }

    private static ChardevSocket Socket(string port, bool isServer, string credentials, string? authz) => new()
    {
        Addr = new SocketAddressLegacy
        {
            Type = SocketAddressType.Inet,
            Inet = new InetSocketAddressWrapper { Data = new InetSocketAddress { Host = "127.0.0.1", Port = port } },
        },
        Server = isServer,
        Wait = isServer ? false : null,
        TlsCreds = credentials,
        TlsAuthz = authz,
    };

    // SslStream takes no key that is only in memory.
    private static X509Certificate2 Usable(X509Certificate2 certificate, RSA key)
    {
        using var both = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(both.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<string> ReadAllAsync(Stream stream)
    {
        using StreamReader reader = new(stream, System.Text.Encoding.Latin1);
        try
        {
            return await reader.ReadToEndAsync().WaitAsync(MonitorServer.Patience);
        }
        catch (IOException)
        {
            return string.Empty; // reset
        }
    }

    private async Task<SslStream> ConnectAsync(int port, X509Certificate2 certificate)
    {
        TcpClient socket = new();
        await socket.ConnectAsync(IPAddress.Loopback, port);
        SslStream stream = new(socket.GetStream());
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificates = [certificate],
            CertificateChainPolicy = policy,
        }).WaitAsync(MonitorServer.Patience);
        return stream;
    }

    private async Task<int> PortAsync()
    {
        var port = 0;
        await _server.OnMainAsync(() =>
        {
            var chardev = (Chardevs.SocketChardev)_server.Server.Context.Objects.Chardevs.Child("c")!;
            port = int.Parse(chardev.Address.Inet!.Port, System.Globalization.CultureInfo.InvariantCulture);
            return ValueTask.CompletedTask;
        });
        return port;
    }

    private Task ExecuteAsync(string arguments) => _server.OnMainAsync(() => _server.Server.ExecuteAsync("object-add", JsonText.Parse(arguments)));
}
