using Org.BouncyCastle.Tls;
using Qmp.Protocol;

namespace Qmp.Server.Tls;

/// <summary>Which versions of TLS a connection may use.</summary>
/// <param name="IsTls12">Whether TLS 1.2 is allowed.</param>
/// <param name="IsTls13">Whether TLS 1.3 is allowed.</param>
internal sealed record TlsVersions(bool IsTls12, bool IsTls13)
{
    /// <summary>The versions, newest first; <paramref name="hasTls13"/> tells whether the credentials are of use there.</summary>
    /// <exception cref="QmpException">None is left.</exception>
    public ProtocolVersion[] ToProtocolVersions(bool hasTls13 = true) => (IsTls13 && hasTls13, IsTls12) switch
    {
        (true, true) => [ProtocolVersion.TLSv13, ProtocolVersion.TLSv12],
        (true, false) => [ProtocolVersion.TLSv13],
        (false, true) => [ProtocolVersion.TLSv12],
        _ => throw new QmpException("Cannot initialize TLS session: no version of TLS is left"),
    };

    /// <summary>
    /// Reads a priority string of GnuTLS, of which the parts about versions are known (<c>-VERS-TLS1.3</c>,
    /// <c>-VERS-ALL:+VERS-TLS1.2</c>). Cipher suites are chosen by the library: only such as have no known weakness.
    /// </summary>
    /// <exception cref="QmpException">It has parts that are not known.</exception>
    public static TlsVersions Parse(string? priority)
    {
        TlsVersions versions = new(true, true);
        foreach (var part in (priority ?? string.Empty).Split([':', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            versions = part switch
            {
                "NORMAL" or "SECURE128" or "SECURE192" or "SECURE256" or "PFS" or "SYSTEM" or "@SYSTEM" => versions,
                "-VERS-ALL" or "-VERS-TLS-ALL" => new(false, false),
                "+VERS-ALL" or "+VERS-TLS-ALL" => new(true, true),
                "-VERS-TLS1.3" => versions with { IsTls13 = false },
                "+VERS-TLS1.3" => versions with { IsTls13 = true },
                "-VERS-TLS1.2" => versions with { IsTls12 = false },
                "+VERS-TLS1.2" => versions with { IsTls12 = true },
                "-VERS-TLS1.1" or "-VERS-TLS1.0" or "-VERS-SSL3.0" => versions,
                _ => throw new QmpException($"Unable to set TLS session priority {priority}: '{part}' is not supported"),
            };
        }

        return versions;
    }
}
