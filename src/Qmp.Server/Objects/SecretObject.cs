using System.Security.Cryptography;
using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Objects;

/// <summary>The object type <c>secret</c>: a password or key, given in clear or encrypted with another one. <b>Main</b>.</summary>
internal sealed class SecretObject() : QomObject("secret")
{
    private const int BlockBytes = 16;
    private const int KeyBytes = 32;

    private QCryptoSecretFormat _format;
    private string? _keyId;
    private string? _iv;
    private string? _file;
    private string? _data;

    /// <summary>What all secrets have, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> CommonProperties { get; } =
    [
        QomProperty.Text<SecretObject>("iv", o => o._iv, (o, v) => o._iv = v),
        QomProperty.Text<SecretObject>("keyid", o => o._keyId, (o, v) => o._keyId = v),
        QomProperty.Of<SecretObject, QCryptoSecretFormat>(
            "format", "QCryptoSecretFormat", QCryptoSecretFormatNames.Read, (writer, v) => writer.Value(v.ToWireName()), o => o._format, (o, v) => o._format = v),
    ];

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Text<SecretObject>("file", o => o._file, (o, v) => o._file = v),
        QomProperty.Text<SecretObject>("data", o => o._data, (o, v) => o._data = v),
    ];

    /// <summary>The secret itself; setting properties afterwards does not change it.</summary>
    public byte[] Value { get; private set; } = [];

    /// <summary>Finds a secret.</summary>
    /// <exception cref="QmpException">There is none of that name.</exception>
    public static SecretObject Find(QomContainer objects, string id) => objects.Child(id) switch
    {
        SecretObject secret => secret,
        null => throw new QmpException($"No secret with id '{id}'"),
        _ => throw new QmpException($"Object with id '{id}' is not a secret"),
    };

    /// <summary>Reads, decrypts and decodes the secret; what is thrown never contains any of it.</summary>
    /// <inheritdoc/>
    public override async ValueTask CompleteAsync(QomContainer objects)
    {
        var input = await ReadAsync();
        Value = _keyId is { } keyId ? Decrypt(input, Find(objects, keyId)) : Decode(input);
    }

    public override ValueTask DisposeAsync()
    {
        CryptographicOperations.ZeroMemory(Value);
        return ValueTask.CompletedTask;
    }

    private async ValueTask<byte[]> ReadAsync()
    {
        switch (_file, _data)
        {
            case (null, null):
                throw new QmpException("Either 'file' or 'data' must be provided");
            case (null, { } data):
                return Encoding.UTF8.GetBytes(data);
            case ({ } path, null):
                try
                {
                    return await SmallFile.ReadAsync(path);
                }
                catch (QmpException e)
                {
                    throw new QmpException($"Unable to read {path}: {e.Description}");
                }

            default:
                throw new QmpException("'file' and 'data' are mutually exclusive");
        }
    }

    private byte[] Decode(byte[] input)
    {
        if (_format != QCryptoSecretFormat.Base64)
        {
            return input;
        }

        return _file is not null && input.Contains((byte)0)
            ? throw new QmpException("Base64 data contains embedded NUL characters")
            : Base64Text.Decode(input);
    }

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

        var start = Base64Text.Decode(Encoding.UTF8.GetBytes(iv));
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
}
