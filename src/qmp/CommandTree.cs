using System.CommandLine;
using Qmp.Tool.Calls;
using Qmp.Tool.Completion;
using Qmp.Tool.Graph;
using Qmp.Tool.Manual;
using Qmp.Tool.Sessions;
using Qmp.Tool.Shell;
using Qmp.Tool.Top;

namespace Qmp.Tool;

/// <summary>All commands; help, completion files and the manual page are made from it.</summary>
internal static class CommandTree
{
    public static RootCommand Create() => new("Talk to QMP servers: qmpd, QEMU, its storage daemon and its guest agent.")
    {
        ExecCommand.Create(),
        EventsCommand.Create(),
        InteractiveCommand.Create(),
        TopCommand.Create(),
        RecordCommand.Create(),
        ReplayCommand.Create(),
        ServeCommand.Create(),
        CompareCommand.Create(),
        GraphCommand.Create(),
        CompletionCommand.Create(Create),
        ManualCommand.Create(Create),
    };
}
