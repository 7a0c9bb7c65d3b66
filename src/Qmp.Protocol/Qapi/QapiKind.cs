namespace Qmp.Protocol.Qapi;

/// <summary>The kind of a value in a <see cref="QapiDocument"/>.</summary>
public enum QapiKind : byte
{
    /// <summary>JSON null.</summary>
    Null,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A whole number that a signed 64-bit integer holds.</summary>
    Integer,

    /// <summary>A whole number above the signed 64-bit range that an unsigned 64-bit integer holds.</summary>
    Unsigned,

    /// <summary>Any other number: with a fraction or an exponent, or too large for 64 bits.</summary>
    Float,

    /// <summary>A string; in a document of the command line every scalar is one.</summary>
    String,

    /// <summary>An object: members with unique names, in the order in which they came.</summary>
    Object,

    /// <summary>A list.</summary>
    List,
}
