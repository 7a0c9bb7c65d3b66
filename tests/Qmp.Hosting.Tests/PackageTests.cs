using System.IO.Compression;
using Qmp.Testing;

namespace Qmp.Hosting.Tests;

/// <summary>
/// The packages as somebody else has them: packed into a folder, and a small program with a schema of its own built from
/// that folder, in which a server and a client talk to each other. Without a network.
/// </summary>
[TestFixture]
public sealed class PackageTests
{
    private static readonly string[] Libraries = ["Qmp.Schema", "Qmp.Protocol", "Qmp.Client", "Qmp.Hosting"];

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <OutputType>Exe</OutputType>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <UseAppHost>false</UseAppHost>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <RestorePackagesPath>packages</RestorePackagesPath>
            <QapiEntry>counter.json</QapiEntry>
            <QapiParts>types;server;client</QapiParts>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Qmp.Hosting" Version="*" />
            <PackageReference Include="Qmp.Client" Version="*" />
          </ItemGroup>
        </Project>
        """;

    private const string Schema = """
        { 'include': 'control.json' }
        { 'include': 'introspect.json' }
        { 'command': 'count', 'data': { 'by': 'int' }, 'returns': 'int' }
        { 'pragma': { 'command-returns-exceptions': [ 'count' ] } }
        """;

    private const string Code = """
        using Consumer.Schema;
        using Qmp.Client;
        using Qmp.Hosting;
        using Qmp.Protocol;

        await using var host = new QmpHost(host => new QmpCommandTable(
            host.Control, QmpHost.Introspection(QmpIntrospection.Instance), new Counter()));
        host.ListenUnix("counter.sock");
        await using var client = await QmpClient.ConnectAsync("counter.sock");
        await client.CountAsync(40);
        Console.WriteLine($"{await client.CountAsync(2)}");

        internal sealed class Counter : ICounterCommands
        {
            private long _count;

            public ValueTask<long> CountAsync(CountArguments arguments, QmpCommandContext context) => new(_count += arguments.By);
        }
        """;

    [Test]
    public async Task AConsumerBuildsFromThePackagesAlone()
    {
        using var folder = new WorkFolder();
        foreach (var library in Libraries)
        {
            await DotnetAsync(folder, $"pack {Repository.PathOf("src", library)} --no-build -c {Repository.Configuration} -o {folder.File("feed")}");
            Assert.That(Directory.GetFiles(folder.File("feed"), library + ".*.snupkg"), Has.Length.EqualTo(1), "symbols");
            using var package = ZipFile.OpenRead(Directory.GetFiles(folder.File("feed"), library + ".*.nupkg").Single());
            using var facts = new StreamReader(package.GetEntry(library + ".nuspec")!.Open());
            Assert.That(await facts.ReadToEndAsync(), Does.Contain("<license type=\"expression\">MIT</license>")
                .And.Contain("<readme>README.md</readme>").And.Match("<description>.{20,}</description>"), library);
            Assert.That(package.GetEntry("README.md"), Is.Not.Null, library);
            Assert.That(package.GetEntry($"lib/net10.0/{library}.xml"), Is.Not.Null, library);
        }

        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await File.WriteAllTextAsync(folder.File("nuget.config"), $"""
            <configuration><packageSources><clear/><add key="ours" value="feed"/><add key="theirs" value="{known}"/></packageSources></configuration>
            """);
        await File.WriteAllTextAsync(folder.File("Consumer.csproj"), Project);
        await File.WriteAllTextAsync(folder.File("counter.json"), Schema);
        await File.WriteAllTextAsync(folder.File("Program.cs"), Code);
        await DotnetAsync(folder, "build Consumer.csproj -v q -nologo -nodeReuse:false");
        Assert.That((await DotnetAsync(folder, "bin/Debug/net10.0/Consumer.dll")).TrimEnd(), Is.EqualTo("42"));
    }

    private static Task<string> DotnetAsync(WorkFolder folder, string arguments) => Shell.CheckAsync(
        $"unset MSBUILD_EXE_PATH MSBuildExtensionsPath MSBuildSDKsPath MSBuildLoadMicrosoftTargetsReadOnly; DOTNET_NOLOGO=1 dotnet {arguments}",
        folder.Path, TimeSpan.FromMinutes(5));
}
