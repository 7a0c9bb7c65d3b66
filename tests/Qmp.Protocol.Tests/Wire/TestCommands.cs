using System.Diagnostics.CodeAnalysis;
using Qmp.Protocol.Qapi;

namespace Qmp.Protocol.Tests.Wire;

/// <summary>A command table for tests.</summary>
internal sealed class TestCommands : IQmpCommandTable
{
    private readonly List<QmpCommand> _commands = [];

    public IReadOnlyList<QmpCommand> Commands => _commands;

    public void Add(string name, Func<QapiDocument, QmpCommandContext, ValueTask<IQapiWritable?>> run, bool allowOob = false) =>
        _commands.Add(new Command(name, run, allowOob));

    public bool TryGet(ReadOnlySpan<byte> name, [NotNullWhen(true)] out QmpCommand? command)
    {
        command = null;
        foreach (var candidate in _commands)
        {
            if (name.SequenceEqual(candidate.NameUtf8.Span))
            {
                command = candidate;
            }
        }

        return command != null;
    }

    private sealed class Command(string name, Func<QapiDocument, QmpCommandContext, ValueTask<IQapiWritable?>> run, bool allowOob)
        : QmpCommand(name, allowOob)
    {
        public override ValueTask<IQapiWritable?> InvokeAsync(QapiDocument arguments, QmpCommandContext context) =>
            run(arguments, context);
    }
}

/// <summary>A result that a test writes itself.</summary>
internal sealed class TestResult(Action<QapiWriter> write) : IQapiWritable
{
    public static TestResult Text(string text) => new(writer => writer.Value(text));

    public void Write(QapiWriter writer) => write(writer);
}
