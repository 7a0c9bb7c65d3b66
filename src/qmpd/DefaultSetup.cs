using System.Globalization;
using Qmp.Aio;

namespace Qmp.Daemon;

/// <summary>
/// What the daemon does without options: a runtime folder of its own with a disk, and the options that serve it. They
/// are ordinary options, so that a user can go on from there.
/// </summary>
internal sealed class DefaultSetup
{
    private const long DiskBytes = 1L << 30;

    private DefaultSetup(string folder) => Folder = folder;

    /// <summary>The runtime folder.</summary>
    public string Folder { get; }

    /// <summary>The disk image.</summary>
    public string Image => Path.Combine(Folder, "disk0.img");

    /// <summary>The socket of the export.</summary>
    public string DiskSocket => Path.Combine(Folder, "disk0.sock");

    /// <summary>The socket of the monitor.</summary>
    public string QmpSocket => Path.Combine(Folder, "qmp.sock");

    /// <summary>The file that keeps a second daemon away.</summary>
    public string PidFile => Path.Combine(Folder, "qmpd.pid");

    /// <summary>The options that this setup stands for.</summary>
    public IReadOnlyList<string> Options =>
    [
        "--object", "iothread,id=iothread0",
        "--blockdev", $"file,node-name=file0,filename={Escape(Image)}",
        "--blockdev", "raw,node-name=disk0,file=file0",
        "--export", $"vhost-user-blk,id=disk0,node-name=disk0,addr.type=unix,addr.path={Escape(DiskSocket)},iothread=iothread0,writable=on",
        "--chardev", $"socket,id=qmp0,path={Escape(QmpSocket)},server=on,wait=off",
        "--monitor", "qmp0",
    ];

    /// <summary>Makes the folder, private to the user.</summary>
    /// <exception cref="IOException">It cannot be made or is not safe.</exception>
    public static DefaultSetup Create()
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var folder = string.IsNullOrEmpty(runtime)
            ? Path.Combine(Path.GetTempPath(), $"qmpd-{Libc.Geteuid().ToString(CultureInfo.InvariantCulture)}")
            : Path.GetFullPath(Path.Combine(runtime, "qmpd"));

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // In a shared temporary folder somebody else may have been first, with a folder or a link of their own.
        var info = new DirectoryInfo(folder);
        if (info.LinkTarget is not null || Libc.Stat(folder, out var status) < 0 || status.OwnerId != Libc.Geteuid()
            || (info.UnixFileMode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            throw new IOException($"The folder '{folder}' is not private to this user; remove it or set XDG_RUNTIME_DIR");
        }

        return new DefaultSetup(folder);
    }

    /// <summary>Makes the disk image unless there is one; nobody else may be using the folder.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public void CreateImage()
    {
        var fd = Libc.Open(Image, Libc.O_RDWR | Libc.O_CREAT | Libc.O_EXCL, 0x180);
        if (fd == -Errno.EEXIST)
        {
            return;
        }

        var result = fd < 0 ? fd : Libc.Ftruncate(fd, DiskBytes);
        if (fd >= 0)
        {
            _ = Libc.Close(fd);
        }

        if (result < 0)
        {
            throw new IOException($"Could not create '{Image}': {Errno.Describe(result)}");
        }
    }

    /// <summary>The text for a daemon that another one keeps away.</summary>
    public string InUseText()
    {
        var pid = File.Exists(PidFile) ? File.ReadAllText(PidFile).Trim() : string.Empty;
        var who = pid.Length > 0 ? $"process {pid}" : "another process";
        return $"{who} already serves the folder '{Folder}'; talk to it at '{QmpSocket}', or give options to start another daemon";
    }

    /// <summary>What to do next.</summary>
    public string Greeting() => $$"""
        qmpd serves a disk. Everything is in {{Folder}}

          disk image    {{Image}} (1 GiB, sparse)
          disk socket   {{DiskSocket}} (vhost-user-blk, export disk0 on iothread0)
          QMP socket    {{QmpSocket}}

        Attach a virtual machine with these options (memory must be shared):

          qemu-system-x86_64 -m 1G \
            -object memory-backend-memfd,id=mem,size=1G,share=on -machine q35,memory-backend=mem \
            -chardev socket,id=disk0,path={{Quote(Escape(DiskSocket))}},reconnect-ms=1000 \
            -device vhost-user-blk-pci,chardev=disk0

        Talk to the daemon:

          echo '{"execute": "qmp_capabilities"} {"execute": "query-block-exports"}' | socat -t1 - UNIX-CONNECT:{{Quote(QmpSocket)}}

        End it with Ctrl-C or {"execute": "quit"}.
        """;

    // A comma in a value is written twice.
    private static string Escape(string path) => path.Replace(",", ",,", StringComparison.Ordinal);

    // For a shell; plain paths stay plain.
    private static string Quote(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or ',' or '+')
            ? text
            : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
