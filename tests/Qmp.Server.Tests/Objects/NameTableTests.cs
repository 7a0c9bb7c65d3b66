using CsCheck;
using Qmp.Server.Objects;

namespace Qmp.Server.Tests.Objects;

/// <summary>Children are listed in the order in which the real daemon lists them.</summary>
public class NameTableTests
{
    // A conversation with the real daemon: objects are added, listed, some deleted, listed again.
    private const string Added =
        "a b c io0 io1 io2 io10 iothread0 iothread1 x y zz abc disk-1 disk-2 q w e r t";

    private const string ListedFirst =
        "t io0 c q e y iothread0 io2 disk-2 io10 b abc zz x io1 r disk-1 a w iothread1";

    private const string Deleted = "a io1 q zz abc disk-1 x y b c iothread0";

    private const string ListedThen = "t io0 e io2 disk-2 io10 r w iothread1";

    [Test]
    public void ListsAsTheRealDaemon()
    {
        var table = new NameTable<string>();
        foreach (var name in Added.Split(' '))
        {
            Assert.That(table.TryAdd(name, name), Is.True);
        }

        Assert.That(Names(table), Is.EqualTo(ListedFirst));
        foreach (var name in Deleted.Split(' '))
        {
            Assert.That(table.Remove(name), Is.True);
        }

        Assert.That(Names(table), Is.EqualTo(ListedThen));
        table.TryAdd("q", "q");
        Assert.That(Names(table), Is.EqualTo("t io0 q e io2 disk-2 io10 r w iothread1"));
    }

    [Test]
    public void ListsTheRootAsTheRealDaemon()
    {
        var table = new NameTable<string>();
        foreach (var name in (string[])["objects", "chardevs", "backend", "audiodevs"])
        {
            table.TryAdd(name, name);
        }

        Assert.That(Names(table), Is.EqualTo("backend objects chardevs audiodevs"));
    }

    // Against a dictionary: nothing is lost or doubled, whatever collides.
    [Test]
    public void HoldsWhatWasPutIn() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 60]).Array[0, 300].Sample(steps =>
        {
            var table = new NameTable<string>();
            var model = new Dictionary<string, string>();
            foreach (var (add, number) in steps)
            {
                var name = $"n{number}";
                if (add ? table.TryAdd(name, name) != model.TryAdd(name, name) : table.Remove(name) != model.Remove(name))
                {
                    return false;
                }
            }

            return table.Count == model.Count
                && table.Listing.Select(p => p.Key).Order().SequenceEqual(model.Keys.Order())
                && model.Keys.All(k => table.TryGet(k, out var value) && value == k);
        });

    private static string Names(NameTable<string> table) => string.Join(' ', table.Listing.Select(p => p.Key));
}
