using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Qmp.Protocol;

namespace Qmp.Client.Tests;

/// <summary>The guest agent of Debian.</summary>
[TestFixture]
public sealed class GuestAgentTests
{
    private static readonly QmpClientOptions Options = new() { Dialect = QmpDialect.GuestAgent };

    [Test]
    public async Task AnswersAfterSynchronization()
    {
        using var agent = await GuestAgent.StartAsync();
        await using var client = await QmpClient.ConnectAsync(agent.Socket, Options);
        var info = await client.ExecuteAsync("guest-info");
        Assert.That(info.GetProperty("supported_commands").EnumerateArray().Select(command => command.GetProperty("name").GetString()),
            Does.Contain("guest-sync-delimited"));
        Assert.That((await client.ExecuteAsync("guest-sync", new JsonObject { ["id"] = 42 })).GetInt32(), Is.EqualTo(42));
        var refused = (await Assert.ThrowsAsync<QmpCommandException>(() => client.ExecuteAsync("query-version")))!;
        Assert.That(refused.ErrorClass, Is.EqualTo(ErrorClass.CommandNotFound));
        Assert.That(client.Greeting.Capabilities, Is.Empty);
    }

    /// <summary>
    /// Half a command must not confuse the next client. No whole one stands before it: the agent ends when a client leaves
    /// with an answer unread.
    /// </summary>
    [Test]
    public async Task WhatAnEarlierClientLeftBehindIsThrownAway()
    {
        using var agent = await GuestAgent.StartAsync();
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(agent.Socket));
            await socket.SendAsync(Encoding.ASCII.GetBytes("""{"execute": "guest-"""));
        }

        await using var client = await QmpClient.ConnectAsync(agent.Socket, Options);
        Assert.That((await client.ExecuteAsync("guest-sync", new JsonObject { ["id"] = 43 })).GetInt32(), Is.EqualTo(43));
    }

    /// <summary>The conversation of an agent that does not send ids back, with leftovers of another client in front.</summary>
    [Test]
    public async Task AnAgentWithoutIdsIsUnderstood()
    {
        var (near, far) = Nerdbank.Streams.FullDuplexStream.CreatePair();
        var connecting = QmpClient.ConnectAsync(QmpEndpoint.Stream(near), Options);
        Assert.That(far.ReadByte(), Is.EqualTo(0xFF));
        using var reader = new StreamReader(far);
        var sync = JsonNode.Parse((await reader.ReadLineAsync())!)!;
        Assert.That((string?)sync["execute"], Is.EqualTo("guest-sync-delimited"));
        byte[] leftovers = [.. Encoding.ASCII.GetBytes("ut\": 1}\n"), 0xFF, .. Encoding.ASCII.GetBytes("{\"return\": 7}\n")];
        await far.WriteAsync(leftovers);
        byte[] answer = [0xFF, .. Encoding.ASCII.GetBytes($"{{\"return\": {sync["arguments"]!["id"]}}}\n")];
        await far.WriteAsync(answer);
        await far.FlushAsync();
        await using var client = await connecting;

        var ping = client.ExecuteAsync("guest-ping");
        await reader.ReadLineAsync();
        await far.WriteAsync(Encoding.ASCII.GetBytes("{\"return\": {}}\n"));
        await far.FlushAsync();
        Assert.That((await ping).GetRawText(), Is.EqualTo("{}"));

        // No answer is expected of a command that ends the guest.
        await client.ExecuteAsync("guest-shutdown", call: new QmpCallOptions { NoReply = true });
        Assert.That(await reader.ReadLineAsync(), Does.Contain("guest-shutdown"));
    }
}
