using System.Text;

namespace Fuzz;

/// <summary>Every target for a few seconds, always with the same inputs; and that the fuzzer finds what is wrong.</summary>
[TestFixture]
public sealed class FuzzTests
{
    private const int Seed = 4;

    [TestCase("json", 6_000)]
    [TestCase("arguments", 20_000)]
    [TestCase("keyval", 20_000)]
    [TestCase("client", 6_000)]
    [TestCase("session", 2_000)]
    [TestCase("schema", 6_000)]
    [TestCase("vhost-user", 4_000)]
    public void AnyInputIsReadOrRefused(string target, int count)
    {
        var failure = new Fuzzer(FuzzTarget.All.Single(candidate => candidate.Name == target), Seed).Run(count, TimeSpan.MaxValue);
        Assert.That(failure is null, $"{failure?.Problem}\n{target} --base64 {Convert.ToBase64String(failure?.Input ?? [])}");
    }

    [Test]
    public void EveryCommandHasItsReader() => Assert.That(ArgumentsTarget.Missing, Is.Empty);

    [Test]
    public void WhatIsWrongIsFoundMadeShortAndFoundAgain()
    {
        var failure = new Fuzzer(new Broken(), Seed).Run(100_000, TimeSpan.MaxValue);
        Assert.That(failure?.Kind, Is.EqualTo("two brackets"));
        Assert.That(Encoding.UTF8.GetString(failure!.Input), Is.EqualTo("]]"));
        Assert.That(new Fuzzer(new Broken(), 1).Replay(failure.Input)?.Kind, Is.EqualTo("two brackets"));
        Assert.That(new Fuzzer(new Broken(), 1).Replay("good"u8.ToArray()), Is.Null);
    }

    [Test]
    public void AnExceptionIsAFailure() =>
        Assert.That(new Fuzzer(new Broken(), Seed).Replay("!"u8.ToArray())?.Kind, Does.StartWith(nameof(IndexOutOfRangeException)));

    [Test]
    public void MemoryIsBounded() => Assert.That(new Fuzzer(new Broken(), Seed).Replay("?"u8.ToArray())?.Kind, Is.EqualTo("memory"));

    private sealed class Broken : FuzzTarget
    {
        public override string Name => "broken";

        public override string Description => "has bugs";

        public override IReadOnlyList<byte[]> Seeds { get; } = Corpus.Bytes("{\"a\": [1, [2, 3]]}");

        public override IReadOnlyList<byte[]> Tokens { get; } = Corpus.Bytes("[", "x");

        public override byte[] Generate(Random random) => "[x]"u8.ToArray();

        public override void Check(byte[] input, Random random)
        {
            Holds(input.AsSpan().IndexOf("!"u8) < 0 || input[input.Length] == 0, "not reached");
            Holds(input.AsSpan().IndexOf("?"u8) < 0 || new byte[1 << 28].Length > 0, "not reached");
            Holds(input.Count(b => b == (byte)']') < 2, "two brackets");
        }
    }
}
