using Qmp.Protocol;

namespace Qmp.Server.Descriptors;

/// <summary>Where addresses of type <c>fd</c> find their sockets. <b>Main</b>.</summary>
internal interface ISocketDescriptors
{
    /// <summary>Takes a socket over.</summary>
    /// <param name="text">What the address says.</param>
    /// <returns>The descriptor, which is the caller's from now on.</returns>
    /// <exception cref="QmpException">There is none, or it is no socket.</exception>
    int Take(string text);
}
