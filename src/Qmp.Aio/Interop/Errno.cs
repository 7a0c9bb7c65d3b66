using System.Globalization;

namespace Qmp.Aio;

public static partial class Errno
{
    /// <summary>
    /// The symbolic name, such as <c>ENOENT</c>. <paramref name="errno"/> may be negated. <b>Any</b>.
    /// </summary>
    public static string Name(int errno)
    {
        errno = Math.Abs(errno);
        return NameOf(errno) ?? errno.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The text, as glibc's <c>strerror</c> gives it in the C locale, such as <c>No such file or directory</c>.
    /// <paramref name="errno"/> may be negated. <b>Any</b>.
    /// </summary>
    public static string Describe(int errno)
    {
        errno = Math.Abs(errno);
        return errno == 0 ? "Success" : TextOf(errno) ?? $"Unknown error {errno.ToString(CultureInfo.InvariantCulture)}";
    }
}
