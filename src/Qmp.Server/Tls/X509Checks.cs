using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.X509;
using Qmp.Protocol;

namespace Qmp.Server.Tls;

/// <summary>Whether certificates of one's own can serve, told when they are loaded and not at the first connection.</summary>
internal static class X509Checks
{
    // Bits of GetKeyUsage.
    private const int DigitalSignature = 0;
    private const int KeyEncipherment = 2;
    private const int KeyCertSign = 5;

    /// <summary>Checks files. Blocks.</summary>
    /// <param name="authoritiesPath">The authorities.</param>
    /// <param name="certificatePath">One's own certificate; null for none.</param>
    /// <param name="side">"server" or "client".</param>
    /// <exception cref="QmpException">One of them cannot serve.</exception>
    public static void Check(string authoritiesPath, string? certificatePath, string side)
    {
        var certificate = certificatePath is null ? null : PemFile.TryReadCertificates(certificatePath)
            ?? throw new QmpException($"Unable to import {side} certificate {certificatePath}: Base64 unexpected header error.");
        var authorities = PemFile.TryReadCertificates(authoritiesPath)
            ?? throw new QmpException($"Unable to import CA certificate list {authoritiesPath}");
        if (certificate is not null)
        {
            CheckOne(certificate[0], certificatePath!, side, side);
        }

        foreach (var authority in authorities)
        {
            CheckOne(authority, authoritiesPath, "CA", null);
        }

        if (certificate is not null && new X509Trust(authorities, []).FaultOf(certificate) is { } fault)
        {
            throw new QmpException($"Our own certificate {certificatePath} failed validation against {authoritiesPath}: {fault}");
        }
    }

    // The side is null for an authority.
    private static void CheckOne(X509Certificate certificate, string path, string kind, string? side)
    {
        var now = DateTime.UtcNow;
        if (now > certificate.NotAfter)
        {
            throw new QmpException($"The {kind} certificate {path} has expired");
        }

        if (now < certificate.NotBefore)
        {
            throw new QmpException($"The {kind} certificate {path} is not yet active");
        }

        CheckConstraints(certificate, path, side);
        CheckUsage(certificate, path, side);
        CheckPurpose(certificate, path, side);
    }

    private static void CheckConstraints(X509Certificate certificate, string path, string? side)
    {
        var isAuthority = certificate.GetBasicConstraints() >= 0;
        if (side is not null && isAuthority)
        {
            throw new QmpException($"The certificate {path} basic constraints show a CA, but we need one for a {side}");
        }

        if (side is null && !isAuthority)
        {
            throw new QmpException(certificate.GetExtensionValue(X509Extensions.BasicConstraints) is null
                ? $"The certificate {path} is missing basic constraints for a CA"
                : $"The certificate {path} basic constraints do not show a CA");
        }
    }

    // Like the one for purposes, a usage that does not fit counts only where the certificate calls it critical.
    private static void CheckUsage(X509Certificate certificate, string path, string? side)
    {
        if (certificate.GetKeyUsage() is not { } usage || !IsCritical(certificate, X509Extensions.KeyUsage))
        {
            return;
        }

        if (side is null && !Has(KeyCertSign))
        {
            throw new QmpException($"Certificate {path} usage does not permit certificate signing");
        }

        if (side is not null && !Has(DigitalSignature))
        {
            throw new QmpException($"Certificate {path} usage does not permit digital signature");
        }

        if (side is not null && !Has(KeyEncipherment))
        {
            throw new QmpException($"Certificate {path} usage does not permit key encipherment");
        }

        bool Has(int bit) => usage.Length > bit && usage[bit];
    }

    private static void CheckPurpose(X509Certificate certificate, string path, string? side)
    {
        if (side is null || certificate.GetExtendedKeyUsage() is not { } purposes || !IsCritical(certificate, X509Extensions.ExtendedKeyUsage))
        {
            return;
        }

        var wanted = side == "server" ? KeyPurposeID.id_kp_serverAuth : KeyPurposeID.id_kp_clientAuth;
        if (!purposes.Contains(wanted) && !purposes.Contains(KeyPurposeID.AnyExtendedKeyUsage))
        {
            throw new QmpException($"Certificate {path} purpose does not allow use with a TLS {side}");
        }
    }

    private static bool IsCritical(X509Certificate certificate, Org.BouncyCastle.Asn1.DerObjectIdentifier extension) =>
        certificate.GetCriticalExtensionOids()?.Contains(extension.Id) ?? false;
}
