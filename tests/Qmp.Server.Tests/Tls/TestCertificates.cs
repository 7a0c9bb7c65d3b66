using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Qmp.Server.Tests.Tls;

/// <summary>Folders of certificates for both sides, as a user would make them.</summary>
internal static class TestCertificates
{
    private static readonly DateTimeOffset Yesterday = DateTimeOffset.UtcNow.AddDays(-1);
    private static readonly DateTimeOffset Later = DateTimeOffset.UtcNow.AddDays(100);

    /// <summary>Makes an authority that is valid now.</summary>
    internal static X509Certificate2 NewAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        return request.CreateSelfSigned(Yesterday, Later);
    }

    /// <summary>Writes <c>ca-cert.pem</c>, and a certificate with its key for one side.</summary>
    /// <param name="folder">Where; made if need be.</param>
    /// <param name="side">"server" or "client".</param>
    /// <param name="issuer">Who issues the certificate.</param>
    /// <param name="trusted">Whose certificates this side believes.</param>
    /// <param name="key">The key: RSA or ECDSA.</param>
    /// <param name="subject">Whose it is.</param>
    /// <returns>The certificate.</returns>
    internal static X509Certificate2 Write(string folder, string side, X509Certificate2 issuer, X509Certificate2 trusted, AsymmetricAlgorithm key, string subject)
    {
        X500DistinguishedName name = new(subject);
        var request = key is RSA rsa
            ? new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        var generator = X509SignatureGenerator.CreateForECDsa(issuer.GetECDsaPrivateKey()!);
        var certificate = request.Create(issuer.SubjectName, generator, Yesterday, Later, RandomNumberGenerator.GetBytes(8));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "ca-cert.pem"), trusted.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, side + "-cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, side + "-key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    /// <summary>Writes <c>ca-crl.pem</c>, in which an authority takes certificates back.</summary>
    internal static void WriteRevocations(string folder, X509Certificate2 authority, params X509Certificate2[] revoked)
    {
        CertificateRevocationListBuilder builder = new();
        foreach (var certificate in revoked)
        {
            builder.AddEntry(certificate);
        }

        var list = builder.Build(authority, 1, Later, HashAlgorithmName.SHA256);
        File.WriteAllText(Path.Combine(folder, "ca-crl.pem"), PemEncoding.WriteString("X509 CRL", list));
    }
}
