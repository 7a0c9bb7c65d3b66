namespace Fuzz;

/// <summary>Changes inputs by bytes and by pieces that mean something.</summary>
/// <param name="seeds">What to begin with.</param>
/// <param name="tokens">Pieces to put in.</param>
/// <param name="maxLength">Longest result.</param>
internal sealed class Mutator(IReadOnlyList<byte[]> seeds, IReadOnlyList<byte[]> tokens, int maxLength)
{
    private static readonly byte[] OddBytes = [0, 1, 9, 10, 13, 0x1f, 0x20, (byte)'"', (byte)'\'', (byte)'\\', (byte)'{', (byte)'}', 0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xed, 0xf4, 0xfe, 0xff];

    /// <summary>One of the seeds.</summary>
    public byte[] Seed(Random random) => seeds[random.Next(seeds.Count)];

    /// <summary>A few tokens in a row.</summary>
    public byte[] Tokens(Random random) =>
        [.. Enumerable.Range(0, random.Next(40)).SelectMany(_ => tokens[random.Next(tokens.Count)])];

    /// <summary>An input with up to six changes.</summary>
    public byte[] Mutate(byte[] input, Random random)
    {
        for (var i = random.Next(6); i >= 0; i--)
        {
            input = MutateOnce(input, random);
        }

        return input.Length > maxLength ? input[..maxLength] : input;
    }

    private byte[] MutateOnce(byte[] input, Random random)
    {
        var at = random.Next(input.Length + 1);
        var end = Math.Min(input.Length, at + 1 + Small(random));
        var before = input.AsSpan(0, at);
        switch (random.Next(9))
        {
            case 0: // a bit
                return [.. before, .. input.AsSpan(at).Length > 0 ? [(byte)(input[at] ^ (1 << random.Next(8)))] : Array.Empty<byte>(), .. input.AsSpan(Math.Min(at + 1, input.Length))];
            case 1: // a byte that is often special
                return [.. before, OddBytes[random.Next(OddBytes.Length)], .. input.AsSpan(Math.Min(at + random.Next(2), input.Length))];
            case 2: // leave out
                return [.. before, .. input.AsSpan(end)];
            case 3: // twice
                return [.. before, .. input.AsSpan(at, end - at), .. input.AsSpan(at)];
            case 4: // many times
                return [.. before, .. Enumerable.Repeat(input[at..end], 1 + random.Next(1 << random.Next(11))).SelectMany(piece => piece).Take(maxLength), .. input.AsSpan(at)];
            case 5: // end here
                return before.ToArray();
            case 6: // something else's end
                var other = Seed(random);
                return [.. before, .. other.AsSpan(random.Next(other.Length + 1))];
            default: // a token, in addition or instead
                return [.. before, .. tokens[random.Next(tokens.Count)], .. input.AsSpan(random.Next(2) == 0 ? at : end)];
        }
    }

    // Mostly one or two, at times a lot.
    private static int Small(Random random) => random.Next(1 << random.Next(8));
}
