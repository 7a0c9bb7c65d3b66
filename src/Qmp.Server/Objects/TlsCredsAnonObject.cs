using Qmp.Server.Tls;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>tls-creds-anon</c>: encryption, but nobody shows who he is. <b>Main</b>.</summary>
internal sealed class TlsCredsAnonObject() : TlsCredsObject("tls-creds-anon")
{
    protected override TlsSide NewSide(TlsVersions versions, string? hostname) => IsServer ? AnonSide.NewServer(versions) : AnonSide.NewClient(versions);
}
