using System.Text;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.OpenSsl;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using Org.BouncyCastle.X509;
using Qmp.Protocol;

namespace Qmp.Server.Tls;

/// <summary>A certificate, with those that lead to its authority, and its private key. Immutable. <b>Any</b>.</summary>
internal sealed class X509Identity
{
    private readonly IReadOnlyList<X509Certificate> _chain;
    private readonly AsymmetricKeyParameter _key;

    private X509Identity(IReadOnlyList<X509Certificate> chain, AsymmetricKeyParameter key)
    {
        _chain = chain;
        _key = key;
    }

    /// <summary>Whether the key is one of RSA.</summary>
    public bool IsRsa => _key is RsaKeyParameters;

    /// <summary>Reads a certificate and its key from files. Blocks.</summary>
    /// <param name="certificatePath">The certificate and those that follow it.</param>
    /// <param name="keyPath">The private key.</param>
    /// <param name="password">What decrypts the key; null if it is not encrypted.</param>
    /// <exception cref="QmpException">They cannot be read or do not belong together.</exception>
    public static X509Identity Load(string certificatePath, string keyPath, byte[]? password)
    {
        QmpException Failed(string reason) => new($"Cannot load certificate '{certificatePath}' & key '{keyPath}': {reason}");
        var chain = PemFile.TryReadCertificates(certificatePath) ?? throw Failed("Base64 unexpected header error.");
        AsymmetricKeyParameter key;
        try
        {
            using PemReader reader = new(PemFile.Open(keyPath), new Password(password));
            object? part;
            do
            {
                part = reader.ReadObject();
            }
            while (part is not (null or AsymmetricCipherKeyPair or AsymmetricKeyParameter));
            key = part switch
            {
                AsymmetricCipherKeyPair pair => pair.Private,
                AsymmetricKeyParameter { IsPrivate: true } found => found,
                _ => throw Failed("The requested data were not available."),
            };
        }
        catch (Exception e) when (e is PasswordException or InvalidCipherTextException or PemException or IOException)
        {
            throw Failed("Decryption has failed.");
        }

        return Belongs(key, chain[0].GetPublicKey()) ? new X509Identity(chain, key) : throw Failed("The certificate and the given key do not match.");
    }

    /// <summary>What shows this identity to the other side, with a signature that it takes; null when it takes none.</summary>
    /// <param name="context">The connection.</param>
    /// <param name="accepted">The signatures that it takes.</param>
    public TlsCredentialedSigner? NewSigner(TlsContext context, IList<SignatureAndHashAlgorithm> accepted)
    {
        var own = _chain.Select(c => (TlsCertificate)new BcTlsCertificate(TlsSide.Crypto, c.GetEncoded())).ToArray();
        var isTls13 = TlsUtilities.IsTlsV13(context);
        var algorithm = accepted.FirstOrDefault(a => Fits(a, own[0], isTls13));
        if (algorithm is null)
        {
            return null;
        }

        var certificate = isTls13 ? new Certificate(TlsUtilities.EmptyBytes, [.. own.Select(c => new CertificateEntry(c, null))]) : new Certificate(own);
        return new BcDefaultTlsCredentialedSigner(new TlsCryptoParameters(context), TlsSide.Crypto, _key, certificate, algorithm);
    }

    // TLS 1.3 knows no signatures of old RSA, and ties each of ECDSA to a curve.
    private bool Fits(SignatureAndHashAlgorithm algorithm, TlsCertificate own, bool isTls13)
    {
        if (algorithm.Hash is HashAlgorithm.md5 or HashAlgorithm.sha1 or HashAlgorithm.sha224 || !own.SupportsSignatureAlgorithm(algorithm.Signature))
        {
            return false;
        }

        if (!isTls13)
        {
            return true;
        }

        var group = SignatureScheme.GetNamedGroup(SignatureScheme.From(algorithm));
        return algorithm.Signature switch
        {
            SignatureAlgorithm.rsa or SignatureAlgorithm.dsa => false,
            SignatureAlgorithm.ecdsa => _key is ECPrivateKeyParameters key && key.Parameters.Curve.FieldSize == NamedGroup.GetCurveBits(group),
            _ => true,
        };
    }

    private static bool Belongs(AsymmetricKeyParameter key, AsymmetricKeyParameter publicKey) => (key, publicKey) switch
    {
        (RsaKeyParameters a, RsaKeyParameters b) => a.Modulus.Equals(b.Modulus),
        (ECPrivateKeyParameters a, ECPublicKeyParameters b) => b.Parameters.Curve.Equals(a.Parameters.Curve) && a.Parameters.G.Multiply(a.D).Normalize().Equals(b.Q.Normalize()),
        (Ed25519PrivateKeyParameters a, Ed25519PublicKeyParameters b) => a.GeneratePublicKey().GetEncoded().AsSpan().SequenceEqual(b.GetEncoded()),
        (Ed448PrivateKeyParameters a, Ed448PublicKeyParameters b) => a.GeneratePublicKey().GetEncoded().AsSpan().SequenceEqual(b.GetEncoded()),
        _ => false,
    };

    private sealed class Password(byte[]? password) : IPasswordFinder
    {
        public char[] GetPassword() => password is null
            ? throw new PasswordException("the key is encrypted")
            : Encoding.UTF8.GetChars(password);
    }
}
