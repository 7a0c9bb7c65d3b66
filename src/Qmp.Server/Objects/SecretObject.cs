using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>secret</c>: a password or key, given in clear or encrypted with another one. <b>Main</b>.</summary>
internal sealed class SecretObject : QomObject
{
    private const int FileBytesMax = 1 << 20;
    private const int BlockBytes = 16;
    private const int KeyBytes = 32;

    private static readonly System.Buffers.SearchValues<char> Base64Characters = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n");

    private QCryptoSecretFormat _format;
    private string? _keyId;
    private string? _iv;
    private string? _file;
    private string? _data;

    private SecretObject()
        : base("secret")
    {
    }

    /// <summary>What all secrets have, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> CommonProperties { get; } =
    [
        Text("iv", o => o._iv, (o, v) => o._iv = v),
        Text("keyid", o => o._keyId, (o, v) => o._keyId = v),
        new("format", "QCryptoSecretFormat", o => QomProperty.FromString(((SecretObject)o)._format.ToWireName()), (o, v) => ((SecretObject)o)._format = ToFormat(v)),
    ];

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        Text("file", o => o._file, (o, v) => o._file = v),
        Text("data", o => o._data, (o, v) => o._data = v),
    ];

    /// <summary>The secret itself; setting properties afterwards does not change it.</summary>
    public byte[] Value { get; private set; } = [];

    /// <summary>Reads and decodes a secret.</summary>
    /// <param name="properties">As given.</param>
    /// <param name="find">Finds the secret of an id, the key of this one; null when there is none.</param>
    /// <exception cref="QmpException">It cannot be read or decoded; the text never contains any of it.</exception>
    public static async ValueTask<SecretObject> CreateAsync(SecretProperties properties, Func<string, SecretObject?> find)
    {
        SecretObject secret = new()
        {
            _format = properties.Format ?? QCryptoSecretFormat.Raw,
            _keyId = properties.Keyid,
            _iv = properties.Iv,
            _file = properties.File,
            _data = properties.Data,
        };
        var input = await secret.ReadAsync();
        secret.Value = secret._keyId is { } keyId
            ? secret.Decrypt(input, find(keyId) ?? throw new QmpException($"No secret with id '{keyId}'"))
            : secret.Decode(input);
        return secret;
    }

    public override ValueTask DisposeAsync()
    {
        CryptographicOperations.ZeroMemory(Value);
        return ValueTask.CompletedTask;
    }

    private async ValueTask<byte[]> ReadAsync()
    {
        if (_file is not { } path)
        {
            return _data is { } data ? Encoding.UTF8.GetBytes(data) : throw new QmpException("Either 'file' or 'data' must be provided");
        }

        return _data is null
            ? await AioContext.Current!.RunOnWorkerAsync(() => ReadFile(path))
            : throw new QmpException("'file' and 'data' are mutually exclusive");
    }

    private static byte[] ReadFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new QmpException($"Unable to read {path}: Error reading file \u201C{path}\u201D: Is a directory");
        }

        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[FileBytesMax + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var content = length <= FileBytesMax ? bytes[..length] : throw new QmpException($"Unable to read {path}: it is longer than {FileBytesMax} bytes");
            CryptographicOperations.ZeroMemory(bytes);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
                UnauthorizedAccessException => "Permission denied",
                _ => e.Message,
            };
            throw new QmpException($"Unable to read {path}: Failed to open file \u201C{path}\u201D: {reason}");
        }
    }

    private byte[] Decode(byte[] input) => _format == QCryptoSecretFormat.Base64 ? FromBase64(Encoding.UTF8.GetString(input)) : input;

    private byte[] Decrypt(byte[] input, SecretObject master)
    {
        if (master.Value.Length != KeyBytes)
        {
            throw new QmpException($"Key should be {KeyBytes} bytes in length");
        }

        if (_iv is not { } iv)
        {
            throw new QmpException("IV is required to decrypt secret");
        }

        var start = FromBase64(iv);
        if (start.Length != BlockBytes)
        {
            throw new QmpException($"IV should be {BlockBytes} bytes in length not {start.Length}");
        }

        var ciphertext = Decode(input);
        if (ciphertext.Length % BlockBytes != 0)
        {
            throw new QmpException($"Length {ciphertext.Length} must be a multiple of block size {BlockBytes}");
        }

        using var aes = Aes.Create();
        aes.Key = master.Value;
        var plaintext = aes.DecryptCbc(ciphertext, start, PaddingMode.None);
        if (plaintext.Length == 0)
        {
            return plaintext;
        }

        var padding = plaintext[^1];
        return padding <= BlockBytes
            ? plaintext[..^padding]
            : throw new QmpException($"Incorrect number of padding bytes ({padding}) found on decrypted data");
    }

    // As lenient as QEMU: padding may be missing, and what does not fill a byte is dropped.
    private static byte[] FromBase64(string text)
    {
        if (text.AsSpan().IndexOfAnyExcept(Base64Characters) >= 0)
        {
            throw new QmpException("Base64 data contains invalid characters");
        }

        var digits = text.Replace("\n", string.Empty, StringComparison.Ordinal).TrimEnd('=');
        if (digits.Contains('=', StringComparison.Ordinal))
        {
            throw new QmpException("Base64 data contains invalid characters");
        }

        digits = digits.Length % 4 == 1 ? digits[..^1] : digits;
        return Convert.FromBase64String(digits.PadRight((digits.Length + 3) / 4 * 4, '='));
    }

    private static QCryptoSecretFormat ToFormat(JsonElement value) => ToText(value, "format") switch
    {
        "raw" => QCryptoSecretFormat.Raw,
        "base64" => QCryptoSecretFormat.Base64,
        var other => throw new QmpException($"Parameter 'format' does not accept value '{other}'"),
    };

    private static QomProperty Text(string name, Func<SecretObject, string?> get, Action<SecretObject, string> set) =>
        new(name, "string", o => QomProperty.FromString(get((SecretObject)o) ?? string.Empty), (o, value) => set((SecretObject)o, ToText(value, name)));

    private static string ToText(JsonElement value, string name) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new QmpException($"Invalid parameter type for '{name}', expected: string");
}
