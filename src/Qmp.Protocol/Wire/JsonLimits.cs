namespace Qmp.Protocol.Wire;

/// <summary>What one message may cost. QEMU's numbers.</summary>
internal static class JsonLimits
{
    /// <summary>Bytes of all tokens of one message.</summary>
    public const int TokenBytes = 64 << 20;

    /// <summary>Tokens of one message.</summary>
    public const int Tokens = 2 << 20;

    /// <summary>Open lists and objects.</summary>
    public const int Nesting = 1 << 10;
}
