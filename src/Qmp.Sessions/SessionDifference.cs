using System.Text;

namespace Qmp.Sessions;

/// <summary>One place where something else was said than expected.</summary>
/// <param name="Line">The line of the file; 0 for what belongs to none.</param>
/// <param name="Problem">What is wrong, in words.</param>
public sealed record SessionDifference(int Line, string Problem)
{
    /// <summary>The line that was expected, with the values of this run.</summary>
    public string? Expected { get; init; }

    /// <summary>What came instead.</summary>
    public string? Received { get; init; }

    /// <summary>How many characters of <see cref="Received"/> were as expected.</summary>
    public int Reached { get; init; }

    /// <summary>Everything as text of several lines, the place in front.</summary>
    public string Format(string path)
    {
        var text = new StringBuilder(path);
        if (Line > 0)
        {
            text.Append(':').Append(Line);
        }

        text.Append(": ").Append(Problem);
        if (Expected is not null)
        {
            text.Append("\n  expected ").Append(Expected);
        }

        if (Received is not null)
        {
            text.Append("\n  received ").Append(Received);
        }

        return text.ToString();
    }
}
