using System.Text;

namespace Qmp.Schema.Tests;

/// <summary>The order in which QEMU prints members, as observed on its wire.</summary>
public class QapiNameOrderTests
{
    [TestCase("version", 184)]
    [TestCase("capabilities", 216)]
    [TestCase("qemu", 232)]
    [TestCase("package", 326)]
    [TestCase("micro", 225)]
    [TestCase("minor", 225)]
    [TestCase("major", 481)]
    [TestCase("return", 401)]
    [TestCase("id", 486)]
    [TestCase("error", 489)]
    [TestCase("class", 211)]
    [TestCase("desc", 377)]
    [TestCase("timestamp", 26)]
    [TestCase("event", 361)]
    [TestCase("data", 505)]
    [TestCase("seconds", 5)]
    [TestCase("microseconds", 374)]
    public void Buckets(string name, int bucket) =>
        Assert.That(QapiNameOrder.Bucket(Encoding.UTF8.GetBytes(name)), Is.EqualTo(bucket));

    [Test]
    public void WithinABucketTheLatestComesFirst()
    {
        byte[][] names = [.. new[] { "major", "minor", "micro" }.Select(Encoding.UTF8.GetBytes)];
        Assert.That(QapiNameOrder.Sort(names.Length, i => names[i]), Is.EqualTo(new[] { 2, 1, 0 }));
    }
}
