namespace Qmp.Tool.Cli;

/// <summary>The end of the program: one line on standard error, and an exit status.</summary>
internal sealed class ToolException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}
