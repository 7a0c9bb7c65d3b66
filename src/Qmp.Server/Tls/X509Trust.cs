using System.Net;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Pkix;
using Org.BouncyCastle.Security.Certificates;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Utilities.Collections;
using Org.BouncyCastle.X509;
using Org.BouncyCastle.X509.Store;
using Qmp.Protocol;
using X509Certificate = Org.BouncyCastle.X509.X509Certificate;

namespace Qmp.Server.Tls;

/// <summary>Whose certificates are believed: those that the authorities have issued and not revoked. Immutable. <b>Any</b>.</summary>
internal sealed class X509Trust(IReadOnlyList<X509Certificate> authorities, IReadOnlyList<X509Crl> revocations)
{
    // Names of the parts of a distinguished name, as GnuTLS writes them.
    private static readonly Dictionary<DerObjectIdentifier, string> Symbols = new()
    {
        [X509Name.C] = "C",
        [X509Name.O] = "O",
        [X509Name.OU] = "OU",
        [X509Name.CN] = "CN",
        [X509Name.ST] = "ST",
        [X509Name.L] = "L",
        [X509Name.DC] = "DC",
        [X509Name.UID] = "UID",
        [X509Name.Street] = "street",
        [X509Name.SerialNumber] = "serialNumber",
        [X509Name.Surname] = "surName",
        [X509Name.GivenName] = "givenName",
        [X509Name.Initials] = "initials",
        [X509Name.T] = "title",
        [X509Name.EmailAddress] = "EMAIL",
    };

    /// <summary>Nobody is believed.</summary>
    public static X509Trust None { get; } = new([], []);

    /// <summary>The names of the authorities, which a server tells its clients.</summary>
    public IEnumerable<X509Name> Authorities => authorities.Select(a => a.SubjectDN);

    /// <summary>Reads files. Blocks. Of the authorities those that cannot be read count as none.</summary>
    /// <exception cref="QmpException">A file is not readable, or the revocations are malformed.</exception>
    public static X509Trust Load(string authoritiesPath, string? revocationsPath)
    {
        var revocations = revocationsPath is null ? [] : PemFile.TryReadRevocations(revocationsPath)
            ?? throw new QmpException($"Cannot load CRL '{revocationsPath}': Base64 decoding error.");
        return new X509Trust(PemFile.TryReadCertificates(authoritiesPath) ?? [], revocations);
    }

    /// <summary>The distinguished name of the owner, part by part as it stands in the certificate.</summary>
    public static string NameOf(X509Certificate certificate) => certificate.SubjectDN.ToString(false, Symbols);

    /// <summary>Checks who shows a certificate.</summary>
    /// <param name="shown">What the other side sent, its own certificate first.</param>
    /// <param name="hostname">Whose certificate it must be; null for anybody's.</param>
    /// <returns>The distinguished name of the owner.</returns>
    /// <exception cref="TlsFatalAlert">It is not believed.</exception>
    public string Verify(Certificate shown, string? hostname)
    {
        if (shown.IsEmpty)
        {
            throw new TlsFatalAlert(AlertDescription.handshake_failure, "No certificate peers");
        }

        List<X509Certificate> chain = [.. shown.GetCertificateList().Select(c => new X509Certificate(c.GetEncoded()))];
        if (FaultOf(chain) is { } fault)
        {
            throw new TlsFatalAlert(AlertDescription.bad_certificate, fault);
        }

        if (hostname is not null && !Matches(chain[0], hostname))
        {
            throw new TlsFatalAlert(AlertDescription.bad_certificate, $"Certificate does not match the hostname {hostname}");
        }

        return NameOf(chain[0]);
    }

    /// <summary>Why a chain is not believed; null if it is.</summary>
    /// <param name="chain">The certificate in question, and others that may help.</param>
    public string? FaultOf(IReadOnlyList<X509Certificate> chain)
    {
        var certificate = chain[0];
        if (!certificate.IsValidNow)
        {
            return DateTime.UtcNow > certificate.NotAfter ? "The certificate has expired" : "The certificate is not yet activated";
        }

        // One that is itself among the authorities needs no other.
        if (authorities.Contains(certificate))
        {
            return null;
        }

        HashSet<TrustAnchor> anchors = [.. authorities.Where(a => a.IsValidNow).Select(a => new TrustAnchor(a, null))];
        if (anchors.Count == 0)
        {
            return "The certificate hasn't got a known issuer";
        }

        PkixBuilderParameters parameters = new(anchors, new X509CertStoreSelector { Certificate = certificate }) { IsRevocationEnabled = false };
        parameters.AddStoreCert(CollectionUtilities.CreateStore(chain));
        try
        {
            var path = new PkixCertPathBuilder().Build(parameters).CertPath.Certificates;
            return path.Any(IsRevoked) ? "The certificate has been revoked" : null;
        }
        catch (Exception e) when (e is PkixCertPathBuilderException or PkixCertPathValidatorException or CertificateException or Org.BouncyCastle.Security.GeneralSecurityException)
        {
            return authorities.Any(a => chain.Any(c => c.IssuerDN.Equivalent(a.SubjectDN, true)))
                ? "The certificate is not trusted"
                : "The certificate hasn't got a known issuer";
        }
    }

    // A list counts if its issuer is the certificate's and has signed it.
    private bool IsRevoked(X509Certificate certificate) => revocations.Any(list =>
        list.IssuerDN.Equivalent(certificate.IssuerDN, true)
        && authorities.Any(a => a.SubjectDN.Equivalent(list.IssuerDN, true) && list.IsSignatureValid(a.GetPublicKey()))
        && list.IsRevoked(certificate));

    private static bool Matches(X509Certificate certificate, string hostname)
    {
        using var native = X509CertificateLoader.LoadCertificate(certificate.GetEncoded());
        return IPAddress.TryParse(hostname, out _) || Uri.CheckHostName(hostname) == UriHostNameType.Dns
            ? native.MatchesHostname(hostname)
            : false;
    }
}
