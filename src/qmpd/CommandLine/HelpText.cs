namespace Qmp.Daemon.CommandLine;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class HelpText
{
    public const string Version = """
        qmpd version 0.1.0, speaks as qemu-storage-daemon 11.0.92
        Free software under the MIT licence. Not a product of the QEMU project.

        """;

    public const string Help = """
        Usage: qmpd [options]
        Serves disk images to virtual machines and obeys over QMP.

        Without options it starts on a folder of its own with a disk, and says what to do next.
        Options are obeyed in the order given. Their arguments are either key=value pairs
        (key=value,nested.key=value,list.0=value; a comma in a value is written twice) or a
        JSON object.

          -h, --help             print this text
          -V, --version          print the version
          -T, --trace [enable=]<pattern>[,events=<file>][,file=<file>]
                                 accepted for compatibility; there are no trace events

          --blockdev [driver=]<driver>,node-name=<name>[,read-only=on|off]
                     [,cache.direct=on|off][,cache.no-flush=on|off]
                     [,discard=ignore|unmap][,detect-zeroes=off|on|unmap]
                     [,auto-read-only=on|off][,force-share=on|off][,<driver's options>]
                                 open an image as a block node (drivers: file,
                                 host_device, raw, null-co, null-aio)

          --chardev socket,id=<id>,path=<path>[,server=on|off][,wait=on|off]
                    [,reconnect-ms=<ms>]
          --chardev socket,id=<id>,host=<host>,port=<port>[,tls-creds=<id>]
                    [,tls-authz=<id>][,...]
          --chardev socket,id=<id>,fd=<number>[,...]
                                 a socket for a monitor; fd is a descriptor that was
                                 passed in
          --chardev stdio|pty|pipe|file|null|ringbuf|memory|mux,id=<id>[,path=<path>]
                    [,input-path=<path>][,append=on|off][,size=<bytes>]
                    [,chardev=<id>][,signal=on|off][,mux=on|off]
                    [,logfile=<path>][,logappend=on|off][,logtimestamp=on|off]
                                 the other character devices
          --chardev help         list them

          --monitor [chardev=]<id>[,mode=control][,pretty=on|off][,id=<name>]
                    [,allow-uid=<uid>][,allow-gid=<gid>]
                                 serve QMP on a character device, to everyone or to
                                 clients of these users and groups

          --object iothread,id=<id>[,poll-max-ns=<ns>][,...]
                                 an event loop on a thread of its own
          --object help          list the types of objects
          --object <type>,help   list the properties of a type

          --export [type=]vhost-user-blk,id=<id>,node-name=<name>,
                   addr.type=unix,addr.path=<path>[,writable=on|off]
                   [,iothread=<id>][,num-queues=<n>][,logical-block-size=<bytes>]
                   [,writethrough=on|off]
                                 serve a block node as a virtio-blk disk
          --export [type=]vhost-user-blk,...,addr.type=fd,addr.str=<number>
                                 the same on a listening socket that was passed in

          --nbd-server ...       not available yet

          --daemonize            go to the background once everything is ready
          --pidfile <path>       write the process number to a file

        SIGTERM, SIGINT and SIGHUP end the daemon in order; a second signal makes haste.
        The variable QMPD_AIO (io_uring or threads) chooses how files are read and written;
        without it, what the kernel allows.

        """;
}
