using System.CommandLine;
using System.Text;
using Qmp.Sessions;
using Qmp.Tool.Cli;

namespace Qmp.Tool.Sessions;

/// <summary><c>qmp record</c>: a proxy that writes a session down.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var socket = Arguments.Endpoint("SOCKET", "The server");
        var listen = Arguments.Endpoint("LISTEN", "Where clients connect instead");
        var file = Arguments.File("The recording to write; it must not exist yet. '-' is standard output");
        var folder = new Option<string>("--dir") { Description = "A folder that is written down as $DIR", HelpName = "FOLDER" };
        var title = new Option<string>("--title") { Description = "One sentence that says what the session is about", HelpName = "TEXT" };
        var once = new Option<bool>("--once") { Description = "End when the first client goes" };
        var force = new Option<bool>("--force") { Description = "Replace the file if it exists" };
        var command = new Command("record", "Stand between clients and a server, and write down what they say until interrupted")
        {
            socket, listen, file, folder, title, once, force,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            using var listening = await ListeningAddress.OpenAsync(parsed.GetRequiredValue(listen));
            using var output = Open(path, parsed.GetValue(force));
            var writer = new SessionWriter(output);
            if (parsed.GetValue(title) is { } text)
            {
                writer.Line("# title: " + text.ReplaceLineEndings(" "));
                writer.Line("");
            }

            var names = new SessionNames(parsed.GetValue(folder) is { } dir ? Path.GetFullPath(dir) : "");
            var recorder = new SessionRecorder(parsed.GetRequiredValue(socket), writer, names);
            await recorder.RunAsync(listening.Socket, parsed.GetValue(once), cancellation);
            if (recorder.Problem is { } problem)
            {
                throw new ToolException(ExitCode.Connection, problem);
            }

            if (path != "-")
            {
                Terminal.Line($"{path}: {recorder.Items} lines");
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static StreamWriter Open(string path, bool force)
    {
        try
        {
            var stream = path == "-" ? Console.OpenStandardOutput()
                : new FileStream(path, force ? FileMode.Create : FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            return new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Usage, $"cannot write {path}: {e.Message}");
        }
    }
}
