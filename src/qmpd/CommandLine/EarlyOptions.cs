namespace Qmp.Daemon.CommandLine;

/// <summary>
/// The first of two walks over the command line: what must be known before anything happens. The second walk obeys
/// the options in order.
/// </summary>
/// <param name="Daemonize">Whether to go to the background.</param>
/// <param name="ExitText">What to print instead of starting; null to start.</param>
internal sealed record EarlyOptions(bool Daemonize, string? ExitText)
{
    /// <summary>Walks.</summary>
    /// <param name="words">The command line.</param>
    /// <param name="warn">Takes a location and a warning.</param>
    /// <exception cref="CommandLineException">An option is unknown or malformed.</exception>
    public static EarlyOptions Scan(IReadOnlyList<string> words, Action<string, string> warn)
    {
        var daemonize = false;
        foreach (var option in OptionScanner.Scan(words, allowStrayWords: true))
        {
            switch (option.Kind)
            {
                case OptionKind.Help:
                    return new EarlyOptions(daemonize, HelpText.Help);
                case OptionKind.Version:
                    return new EarlyOptions(daemonize, HelpText.Version);
                case OptionKind.Daemonize:
                    daemonize = true;
                    break;
                case OptionKind.Trace:
                    try
                    {
                        if (TraceOptions.Check(option.Argument, text => warn(option.Location, text)))
                        {
                            return new EarlyOptions(daemonize, string.Empty);
                        }
                    }
                    catch (OptionException e)
                    {
                        throw new CommandLineException(option.Location, e.Message, e.Hint);
                    }

                    break;
                default:
                    break;
            }
        }

        return new EarlyOptions(daemonize, null);
    }
}
