using Qmp.Aio;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Server.Monitors;

namespace Qmp.Server.Tests.Monitors;

/// <summary>Which events are limited, by what, and when each passes, in virtual time.</summary>
[TestFixture]
public sealed class EventThrottleTests
{
    private static readonly (string Name, string Member, string Value)[] Bad =
        [("BLOCK_IO_ERROR", "qom-path", "/machine/a"), ("QUORUM_REPORT_BAD", "node-name", "a"), ("VSERPORT_CHANGE", "id", "a"), ("QUORUM_FAILURE", "reference", "a")];

    private static IEnumerable<string> Limited => Bad.Select(bad => bad.Name);

    [TestCaseSource(nameof(Limited))]
    public void OnePassesAtOnceThenTheLatestOfEachSecond(string name)
    {
        var (_, member, value) = Bad.Single(bad => bad.Name == name);
        Assert.That(
            Passed(
                (0, name, member, value), (100, name, member, value), (200, name, member, value), // the last one at 1000
                (1_500, name, member, value), // at 2000
                (3_500, name, member, value), // nothing ran any more: at once
                (3_600, name, member, value)),
            Is.EqualTo(new[] { "0: event 0", "1000: event 2", "2000: event 3", "3500: event 4", "4500: event 5" }));
    }

    [TestCase("BLOCK_IO_ERROR", "qom-path")]
    [TestCase("QUORUM_REPORT_BAD", "node-name")]
    [TestCase("VSERPORT_CHANGE", "id")]
    public void WhatOneIsAboutDoesNotHideAnother(string name, string member) => Assert.That(
        Passed((0, name, member, "a"), (10, name, member, "b"), (20, name, member, "a"), (30, name, member, "b"), (40, name, member, "c")),
        Is.EqualTo(new[] { "0: event 0", "10: event 1", "40: event 4", "1000: event 2", "1010: event 3" }));

    [Test]
    public void AFailureOfAQuorumIsLimitedWhateverItIsAbout() => Assert.That(
        Passed((0, "QUORUM_FAILURE", "reference", "a"), (10, "QUORUM_FAILURE", "reference", "b")),
        Is.EqualTo(new[] { "0: event 0", "1000: event 1" }));

    [TestCase("BLOCK_EXPORT_DELETED", "id")]
    [TestCase("BLOCK_WRITE_THRESHOLD", "node-name")]
    [TestCase("BLOCK_IMAGE_CORRUPTED", "node-name")]
    [TestCase("JOB_STATUS_CHANGE", "id")]
    [TestCase("BLOCK_JOB_ERROR", "device")]
    public void AllOthersPassAtOnce(string name, string member) => Assert.That(
        Passed((0, name, member, "a"), (0, name, member, "a"), (1, name, member, "a")), Is.EqualTo(new[] { "0: event 0", "0: event 1", "1: event 2" }));

    [Test]
    public void EventsAreLimitedApartFromEachOther() => Assert.That(
        Passed((0, "QUORUM_REPORT_BAD", "node-name", "a"), (1, "QUORUM_FAILURE", "reference", "a"), (2, "BLOCK_IO_ERROR", "qom-path", "a")),
        Is.EqualTo(new[] { "0: event 0", "1: event 1", "2: event 2" }));

    // What passes, and when, in milliseconds. The time of an event is its number.
    private static List<string> Passed(params (int At, string Name, string Member, string Value)[] events)
    {
        using Simulation simulation = new(1);
        var main = simulation.NewContext("main");
        var throttle = new EventThrottle(main);
        List<string> passed = [];
        main.Schedule(async () =>
        {
            var now = 0;
            for (var i = 0; i < events.Length; i++)
            {
                var (at, name, member, value) = events[i];
                if (at > now)
                {
                    await main.DelayAsync(TimeSpan.FromMilliseconds(at - now));
                    now = at;
                }

                throttle.Pass(new QmpEvent(name, new Data(member, value)), i, (passing, number) =>
                {
                    Assert.That(passing.Name, Is.EqualTo(events[number].Name));
                    passed.Add($"{main.NowNs / 1_000_000}: event {number}");
                });
            }
        });
        Assert.That(simulation.RunToEnd(), Is.True);
        return passed;
    }

    private sealed class Data(string member, string value) : IQapiWritable
    {
        public void Write(QapiWriter writer)
        {
            writer.BeginObject();
            writer.Name(System.Text.Encoding.UTF8.GetBytes(member));
            writer.Value(value);
            writer.EndObject();
        }
    }
}
