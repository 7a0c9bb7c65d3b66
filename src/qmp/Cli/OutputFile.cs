using System.Text;

namespace Qmp.Tool.Cli;

/// <summary>A file that a command writes; <c>-</c> is standard output.</summary>
internal static class OutputFile
{
    /// <summary>Opens it for text.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="replace">Whether it may exist; its content goes then.</param>
    /// <exception cref="ToolException">It cannot be written.</exception>
    public static StreamWriter Open(string path, bool replace)
    {
        try
        {
            var stream = path == "-" ? Console.OpenStandardOutput()
                : new FileStream(path, replace ? FileMode.Create : FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            return new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Usage, $"cannot write {path}: {e.Message}");
        }
    }
}
