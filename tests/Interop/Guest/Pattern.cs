using System.Globalization;
using System.Text;

namespace Interop.Guest;

/// <summary>Numbered lines of 8 bytes, as <c>seq</c> prints them, so that every block of a disk is different.</summary>
internal static class Pattern
{
    private const int LineLength = 8;
    private const int FirstNumber = 1_000_000;

    /// <summary>A command that prints so many bytes; generations do not overlap.</summary>
    public static string Command(int generation, int bytes) =>
        $"seq {First(generation)} {First(generation) + (bytes / LineLength) - 1}";

    /// <summary>What it prints.</summary>
    public static byte[] Bytes(int generation, int bytes)
    {
        var text = new StringBuilder(bytes);
        for (int i = 0; i < bytes / LineLength; i++)
        {
            text.Append((First(generation) + i).ToString(CultureInfo.InvariantCulture)).Append('\n');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static int First(int generation) => FirstNumber * (1 + generation);
}
