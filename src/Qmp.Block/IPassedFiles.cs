namespace Qmp.Block;

/// <summary>
/// File names that are no paths but stand for descriptors which somebody passed in, such as <c>/dev/fdset/1</c>.
/// <b>Any</b>: workers open files.
/// </summary>
public interface IPassedFiles
{
    /// <summary>Whether a file name is of this kind.</summary>
    bool Owns(string fileName);

    /// <summary>Makes a descriptor, close-on-exec, that whoever gets it closes with <see cref="Close"/>.</summary>
    /// <param name="fileName">A name of this kind.</param>
    /// <param name="flags">As of open(2).</param>
    /// <param name="error">What is wrong, when something is.</param>
    /// <returns>The descriptor, or a negative error number: <c>-EACCES</c> when there is none for such an access.</returns>
    int Open(string fileName, int flags, out string error);

    /// <summary>Closes a descriptor that <see cref="Open"/> made.</summary>
    void Close(int fd);
}
