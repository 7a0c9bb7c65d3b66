using System.CommandLine;
using Qmp.Sessions;

namespace Qmp.Tool.Cli;

/// <summary>What several commands have in common on the command line.</summary>
internal static class Arguments
{
    /// <summary>An address of a server or to listen on.</summary>
    public static Argument<SessionEndpoint> Endpoint(string name, string description) => new(name)
    {
        Description = description + ": a path, @NAME of an abstract socket, HOST:PORT, unix:PATH or tcp:HOST:PORT",
        CustomParser = result =>
        {
            try
            {
                return SessionEndpoint.Parse(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
                return null!;
            }
        },
    };

    public static Argument<string> File(string description) => new("FILE") { Description = description };

    public static Option<bool> Json(string description = "Print JSON") => new("--json") { Description = description };

    /// <summary>A time in seconds.</summary>
    public static Option<double> Timeout(double seconds, string description)
    {
        var option = new Option<double>("--timeout")
        {
            Description = $"{description}, in seconds",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => seconds,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 86400))
            {
                result.AddError("--timeout is more than 0 and at most 86400 seconds");
            }
        });
        return option;
    }

    /// <summary>How often something is done; 0 where it is not given.</summary>
    public static Option<int> Count(string description)
    {
        var option = new Option<int>("--count") { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--count is at least 1");
            }
        });
        return option;
    }
}
