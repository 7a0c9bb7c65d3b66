namespace Qmp.Aio;

/// <summary>Who is at the other end of a Unix socket, as it was when the connection was made (unix(7), SO_PEERCRED).</summary>
/// <param name="UserId">Its effective user.</param>
/// <param name="GroupIds">Its effective group, and its supplementary groups.</param>
public sealed record PeerCredentials(uint UserId, IReadOnlyList<uint> GroupIds);

public static unsafe partial class Libc
{
    private const int PeerCredentialsOption = 17;
    private const int PeerGroupsOption = 59;
    private const int MaxGroups = 65536; // NGROUPS_MAX

    /// <summary>Asks the kernel who is at the other end of a connected Unix socket.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="peer">Who it is.</param>
    /// <returns>False for a socket of another kind.</returns>
    public static bool TryGetPeer(int fd, out PeerCredentials peer)
    {
        peer = new PeerCredentials(uint.MaxValue, []);
        if (GetSocketOption(fd, SOL_SOCKET, SO_DOMAIN, out var domain) < 0 || domain != AF_UNIX)
        {
            return false;
        }

        // pid, user, group
        var credentials = stackalloc uint[3];
        var length = 3 * (uint)sizeof(uint);
        if (Result(getsockopt(fd, SOL_SOCKET, PeerCredentialsOption, credentials, &length)) < 0)
        {
            return false;
        }

        List<uint> groups = [credentials[2]];
        var more = new uint[64];
        for (var isTold = false; !isTold;)
        {
            length = (uint)(more.Length * sizeof(uint));
            int result;
            fixed (uint* p = more)
            {
                result = Result(getsockopt(fd, SOL_SOCKET, PeerGroupsOption, p, &length));
            }

            isTold = result != -Errno.ERANGE || more.Length >= MaxGroups;
            if (result == 0)
            {
                groups.AddRange(more.AsSpan(0, (int)length / sizeof(uint)));
            }
            else
            {
                more = new uint[MaxGroups];
            }
        }

        peer = new PeerCredentials(credentials[1], groups);
        return true;
    }
}
