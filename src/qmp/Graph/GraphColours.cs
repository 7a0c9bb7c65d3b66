namespace Qmp.Tool.Graph;

/// <summary>Colours of pictures: light grounds under dark text.</summary>
internal static class GraphColours
{
    private static readonly string[] LoopColours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"];

    /// <summary>Ground of a box.</summary>
    public static string Of(GraphBoxKind kind) => kind switch
    {
        GraphBoxKind.Node => "#eef3f8",
        GraphBoxKind.Export => "#fdf0d5",
        GraphBoxKind.Job => "#e6f4e6",
        _ => "#f0f0f0",
    };

    /// <summary>Edge of a box that a loop runs; the main loop is grey.</summary>
    public static string OfLoop(BlockGraph graph, string? loop) => loop is null or "main" ? "#777777"
        : LoopColours[graph.Loops.Where(name => name != "main").ToList().IndexOf(loop) % LoopColours.Length];
}
