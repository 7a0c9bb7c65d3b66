namespace Fuzz;

/// <summary>Something that reads bytes which it cannot trust, and what must hold for any of them.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Its name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it reads, in a few words.</summary>
    public abstract string Description { get; }

    /// <summary>Good inputs, to be changed.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Pieces that mean something to it.</summary>
    public abstract IReadOnlyList<byte[]> Tokens { get; }

    /// <summary>Makes an input that is mostly good, by the grammar.</summary>
    public abstract byte[] Generate(Random random);

    /// <summary>Reads an input. What it throws, other than nothing, is a failure.</summary>
    /// <param name="input">The input.</param>
    /// <param name="random">For choices, such as where to split; the same for the same input.</param>
    public abstract void Check(byte[] input, Random random);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new JsonTarget(), new ArgumentsTarget(), new KeyvalTarget(), new ClientTarget(), new SessionTarget(), new SchemaTarget(), new VhostUserTarget(),
    ];

    /// <summary>Fails unless two results are the same.</summary>
    protected static void Same(string what, string expected, string actual)
    {
        if (expected != actual)
        {
            throw new BrokenInvariantException($"{what}\n  expected {expected}\n  but was  {actual}");
        }
    }

    /// <summary>Fails unless it holds.</summary>
    protected static void Holds(bool condition, string what)
    {
        if (!condition)
        {
            throw new BrokenInvariantException(what);
        }
    }
}
