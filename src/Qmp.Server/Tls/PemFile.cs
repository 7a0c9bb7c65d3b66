using System.Text;
using Org.BouncyCastle.Utilities.IO.Pem;
using Org.BouncyCastle.X509;
using Qmp.Protocol;
using Qmp.Server.Objects;

namespace Qmp.Server.Tls;

/// <summary>Files of certificates in PEM.</summary>
internal static class PemFile
{
    // More than any chain or list of authorities has in practice.
    private const int CertificatesMax = 1024;

    /// <summary>All certificates of a file, in their order; null when it has none or a malformed one. Blocks.</summary>
    /// <exception cref="QmpException">The file cannot be read.</exception>
    public static IReadOnlyList<X509Certificate>? TryReadCertificates(string path) => TryRead(path, "CERTIFICATE", bytes => new X509Certificate(bytes));

    /// <summary>All lists of revoked certificates of a file; null when it has none or a malformed one. Blocks.</summary>
    /// <exception cref="QmpException">The file cannot be read.</exception>
    public static IReadOnlyList<X509Crl>? TryReadRevocations(string path) => TryRead(path, "X509 CRL", bytes => new X509Crl(bytes));

    /// <summary>Opens a file of text. Blocks.</summary>
    /// <exception cref="QmpException">The file cannot be read.</exception>
    public static StringReader Open(string path) => new(Encoding.ASCII.GetString(SmallFile.Read(path)));

    private static List<T>? TryRead<T>(string path, string label, Func<byte[], T> parse)
    {
        try
        {
            using PemReader reader = new(Open(path));
            List<T> found = [];
            while (reader.ReadPemObject() is { } part && found.Count < CertificatesMax)
            {
                if (part.Type == label)
                {
                    found.Add(parse(part.Content));
                }
            }

            return found.Count > 0 ? found : null;
        }
        catch (Exception e) when (e is not QmpException)
        {
            return null; // the library throws all kinds of exceptions for what is malformed
        }
    }
}
