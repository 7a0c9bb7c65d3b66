using System.Buffers;
using System.Text;
using Qmp.Server.Chardevs;

namespace Qmp.Server.Tests.Monitors;

/// <summary>The mux character device between a device and its users, all of them here.</summary>
[TestFixture]
public sealed class MuxTests
{
    [Test]
    public void NobodyGetsWhatWasTypedBeforeAllReadIt()
    {
        var keyboard = new Keyboard();
        var mux = new MuxChardev(keyboard, static () => { }, null);
        List<ChardevConnection> users = [];
        for (var i = 0; i < 2; i++)
        {
            mux.Claim().Attach(user => TakeOver(user, users), 1);
        }

        keyboard.Press("second\u0001cfirst");
        Assert.That(users, Has.Count.EqualTo(2));
        users[1].BeginReading();
        Assert.That(users.Select(Received), Is.EqualTo(new[] { "", "" }));
        users[0].BeginReading();
        Assert.That(users.Select(Received), Is.EqualTo(new[] { "first", "second" }));
    }

    [Test]
    public void AUserThatGoesBeforeItReadsHoldsNobodyUp()
    {
        var keyboard = new Keyboard();
        var mux = new MuxChardev(keyboard, static () => { }, null);
        List<ChardevConnection> users = [];
        var leaving = mux.Claim();
        leaving.Attach(user => TakeOver(user, users), 1);
        mux.Claim().Attach(user => TakeOver(user, users), 1);

        keyboard.Press("for the second");
        users[1].BeginReading();
        leaving.Unclaim();
        Assert.That(Received(users[1]), Is.EqualTo("for the second"));
    }

    [Test]
    public void WhatAClientSaidBeforeItLeftArrives()
    {
        var keyboard = new Keyboard();
        var mux = new MuxChardev(keyboard, static () => { }, null);
        List<ChardevConnection> users = [];
        mux.Claim().Attach(user => TakeOver(user, users), 1);

        keyboard.Press("last words");
        keyboard.Unplug();
        users[0].BeginReading();
        Assert.That(Received(users[0]), Is.EqualTo("last words"));
    }

    [Test]
    public void AMuxMayBeTheUserOfAnother()
    {
        var keyboard = new Keyboard();
        var outer = new MuxChardev(keyboard, static () => { }, null);
        var inner = new MuxChardev(outer, static () => { }, null);
        List<ChardevConnection> users = [];
        inner.Claim().Attach(user => TakeOver(user, users), 1);

        keyboard.Press("through both");
        users[0].BeginReading();
        Assert.That(Received(users[0]), Is.EqualTo("through both"));
    }

    private static void TakeOver(ChardevConnection user, List<ChardevConnection> users)
    {
        users.Add(user);
        user.Start(static () => { }, static () => { });
    }

    private static string Received(ChardevConnection user)
    {
        if (!user.Input.TryRead(out var read))
        {
            return "";
        }

        var text = Encoding.UTF8.GetString(read.Buffer.ToArray());
        user.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    private sealed class Keyboard() : Chardev("keyboard", null)
    {
        private readonly LocalConnection _connection = new(static _ => default);

        public override string Description => "keyboard";

        internal void Press(string keys)
        {
            foreach (var b in Encoding.UTF8.GetBytes(keys))
            {
                _connection.Take(b);
            }

            var arrived = _connection.FlushInputAsync();
            Assert.That(arrived.IsCompletedSuccessfully);
        }

        // Gone, as a client that closes its socket.
        internal void Unplug() => _connection.Abort();

        protected override void OnAttached() => Deliver(_connection);
    }
}
