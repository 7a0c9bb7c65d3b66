using Qmp.Block.Drivers;
using Qmp.Protocol;
using Qmp.Protocol.Schema;

namespace Qmp.Block;

/// <summary>The drivers there are: one line for each.</summary>
internal static class BlockDrivers
{
    public static BlockDriver Create(BlockdevDriver driver) => driver switch
    {
        BlockdevDriver.File => new FileDriver(isDevice: false),
        BlockdevDriver.HostDevice => new FileDriver(isDevice: true),
        BlockdevDriver.NullAio => new NullDriver(isAsynchronous: true),
        BlockdevDriver.NullCo => new NullDriver(isAsynchronous: false),
        BlockdevDriver.Raw => new RawDriver(),
        _ => throw new QmpException($"Unknown driver '{driver}'"),
    };
}
