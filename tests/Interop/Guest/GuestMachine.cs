using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Qmp.Testing;

namespace Interop.Guest;

/// <summary>
/// A virtual machine with a Debian kernel, one vhost-user disk (/dev/vda) and a shell that the test drives over the
/// serial line. QEMU emulates the processor, so this needs no KVM.
/// </summary>
internal sealed partial class GuestMachine : IAsyncDisposable
{
    private static readonly TimeSpan BootTimeout = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(2);

    private readonly Process _qemu;
    private readonly StringBuilder _transcript = new();
    private readonly Task<string> _errors;

    private GuestMachine(Process qemu)
    {
        _qemu = qemu;
        _errors = qemu.StandardError.ReadToEndAsync();
    }

    /// <summary>Everything that went over the serial line.</summary>
    public string Transcript => _transcript.ToString();

    /// <summary>Starts a machine whose disk is served on a socket, and waits until its shell is ready.</summary>
    /// <param name="folder">For the initramfs.</param>
    /// <param name="socket">The vhost-user socket. The machine connects again when the other side goes away.</param>
    public static async Task<GuestMachine> BootAsync(string folder, string socket)
    {
        string kernel = KernelFolder();
        string initramfs = await BuildInitramfsAsync(kernel, folder);
        string qemu = Shell.Find("qemu-system-x86_64") ?? throw new IgnoreException("qemu-system-x86_64 is not installed");
        string[] arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", "tcg",
            "-machine", "pc,memory-backend=memory", "-m", "128",
            "-object", "memory-backend-memfd,id=memory,size=128M,share=on",
            "-chardev", $"socket,id=disk,path={socket},{await ReconnectOptionAsync(qemu, folder)}",
            "-device", "vhost-user-blk-pci,chardev=disk",
            "-kernel", Path.Combine(kernel, "vmlinuz"), "-initrd", initramfs,
            "-append", "console=ttyS0 quiet panic=-1 reboot=t nokaslr mitigations=off random.trust_cpu=on audit=0",
            "-serial", "stdio",
        ];
        var start = new ProcessStartInfo(qemu, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var machine = new GuestMachine(Process.Start(start) ?? throw new InvalidOperationException("QEMU did not start."));
        try
        {
            await machine.ReadUntilAsync(line => line == "<ready>", BootTimeout);
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a line of shell in the guest.</summary>
    /// <returns>What it printed, without the last line end.</returns>
    public async Task<string> RunAsync(string command)
    {
        _transcript.Append("# ").Append(command).Append('\n');
        await _qemu.StandardInput.WriteAsync(command + "\n");
        await _qemu.StandardInput.FlushAsync();
        List<string> lines = await ReadUntilAsync(line => EndLine().IsMatch(line), CommandTimeout);
        int status = int.Parse(EndLine().Match(lines[^1]).Groups[1].Value, CultureInfo.InvariantCulture);
        string output = string.Join('\n', lines[..^1]);
        return status == 0
            ? output
            : throw new InvalidOperationException($"'{command}' ended with {status} in the guest:\n{output}");
    }

    /// <summary>Runs a shell condition in the guest again and again until it holds.</summary>
    public Task WaitUntilAsync(string condition, int seconds = 100) =>
        RunAsync($"n=0; until {condition}; do n=$((n+1)); [ $n -lt {seconds * 50} ] || exit 9; usleep 20000; done");

    public async ValueTask DisposeAsync()
    {
        if (!_qemu.HasExited)
        {
            _qemu.Kill();
        }

        await _qemu.WaitForExitAsync();
        _qemu.Dispose();
    }

    [GeneratedRegex("^<end ([0-9]+)>$")]
    private static partial Regex EndLine();

    [GeneratedRegex(@"version (\d+)\.(\d+)")]
    private static partial Regex VersionNumber();

    // What tests/run has unpacked.
    private static string KernelFolder()
    {
        string? folder = Environment.GetEnvironmentVariable("QMP_TEST_KERNEL");
        if (string.IsNullOrEmpty(folder))
        {
            string cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            folder = Path.Combine(cache, "qmp-tests", "kernel");
        }

        return File.Exists(Path.Combine(folder, "vmlinuz"))
            ? folder
            : throw new IgnoreException($"no guest kernel in {folder}: tests/run fetches one");
    }

    private static async Task<string> BuildInitramfsAsync(string kernel, string folder)
    {
        string busybox = Shell.Find("busybox") ?? throw new IgnoreException("busybox-static is not installed");
        string init = Path.Combine(AppContext.BaseDirectory, "Guest", "init.sh");
        await Shell.CheckAsync(
            $"mkdir -p root/bin root/dev root/proc root/sys root/tmp root/lib && cp {busybox} root/bin/busybox && "
            + $"cp {kernel}/*.ko root/lib/ && cp {init} root/init && chmod +x root/init && "
            + "(cd root && find . | cpio --quiet -o -H newc) > initramfs",
            folder);
        return Path.Combine(folder, "initramfs");
    }

    // The option that makes QEMU connect again was renamed in 9.2.
    private static async Task<string> ReconnectOptionAsync(string qemu, string folder)
    {
        ShellResult version = await Shell.RunProgramAsync(qemu, ["--version"], folder);
        Match match = VersionNumber().Match(version.Output);
        return new Version(match.Groups[1].Value + "." + match.Groups[2].Value) >= new Version(9, 2)
            ? "reconnect-ms=100"
            : "reconnect=1";
    }

    private async Task<List<string>> ReadUntilAsync(Predicate<string> last, TimeSpan timeout)
    {
        var lines = new List<string>();
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            while (true)
            {
                string line = await _qemu.StandardOutput.ReadLineAsync(limit.Token)
                    ?? throw new InvalidOperationException($"The machine ended. QEMU said: {await _errors}\n{Transcript}");
                line = line.TrimEnd('\r');
                _transcript.Append(line).Append('\n');
                lines.Add(line);
                if (last(line))
                {
                    return lines;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The guest did not answer within {timeout.TotalSeconds} s:\n{Transcript}");
        }
    }
}
