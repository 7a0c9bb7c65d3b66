using System.CommandLine;
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
            using var output = OutputFile.Open(path, replace: parsed.GetValue(force));
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
}
