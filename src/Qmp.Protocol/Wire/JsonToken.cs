namespace Qmp.Protocol.Wire;

/// <summary>What the lexer found. A string's text includes its quotes.</summary>
internal enum JsonToken : byte
{
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Colon,
    Comma,
    String,
    Number,
    Keyword,

    /// <summary>Bytes that begin no token, up to and with the one that made it certain.</summary>
    Stray,

    /// <summary>A token that outgrew the limit: its text is not kept.</summary>
    TooLong,
}
