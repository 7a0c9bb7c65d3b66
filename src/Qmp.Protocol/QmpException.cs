namespace Qmp.Protocol;

/// <summary>
/// The failure of a command: what the client reads as <c>{"error": {"class": ..., "desc": ...}}</c>. Control path only;
/// I/O results are negative errno values.
/// </summary>
/// <param name="errorClass">The class that the client sees.</param>
/// <param name="description">The text that the client sees, QEMU's where QEMU has one. One line, no full stop of our own.</param>
/// <param name="innerException">What caused it; for the log only, never sent.</param>
public sealed class QmpException(ErrorClass errorClass, string description, Exception? innerException = null)
    : Exception(description, innerException)
{
    /// <summary>A <see cref="ErrorClass.GenericError"/> with this text.</summary>
    /// <param name="description">The text that the client sees.</param>
    public QmpException(string description)
        : this(ErrorClass.GenericError, description)
    {
    }

    /// <summary>The class that the client sees. Any thread.</summary>
    public ErrorClass ErrorClass { get; } = errorClass;

    /// <summary>The text that the client sees. Any thread.</summary>
    public string Description => Message;

    /// <summary>
    /// A second line for people, such as what to look at; shown where errors are printed, never sent over QMP. Any thread.
    /// </summary>
    public string? Hint { get; init; }
}
