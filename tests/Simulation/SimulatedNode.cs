using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Simulation;

/// <summary>One disk of the world: its node, the file below it, its guest and what feeds it.</summary>
internal sealed class SimulatedNode
{
    private SimulatedNode(string name, string? fileName, BlockdevOptions options, Guest guest, Feeder feeder)
    {
        Name = name;
        FileName = fileName;
        Options = options;
        Guest = guest;
        Feeder = feeder;
    }

    public string Name { get; }

    /// <summary>The file, or null if the disk keeps nothing.</summary>
    public string? FileName { get; }

    public BlockdevOptions Options { get; }

    public Guest Guest { get; }

    public Feeder Feeder { get; }

    public BlockNode Node { get; set; } = null!;

    public bool CanResize => FileName is not null;

    public static SimulatedNode Make(World world, int index, string folder)
    {
        var random = world.Random;
        var name = $"disk{index}";
        var sectors = 8 + random.Next(120);
        var fileName = Path.Combine(folder, $"{name}.img");
        var depth = 1 + random.Next(8);
        var requests = 10 + random.Next(60);
        Guest GuestOf(bool hasData) => new(world, name, sectors, depth, requests) { HasData = hasData };

        Guest guest;
        BlockdevOptions options;
        switch (random.Next(5))
        {
            case 0:
                guest = GuestOf(false);
                options = new BlockdevOptions
                {
                    Driver = BlockdevDriver.NullAio,
                    NodeName = name,
                    NullAio = new BlockdevOptionsNull
                    {
                        Size = sectors * DiskModel.SectorSize,
                        LatencyNs = random.Chance(0.5) ? 0 : (ulong)random.Next(100_000),
                    },
                };
                return new SimulatedNode(name, null, options, guest, new Feeder(world, guest));
            case 1:
                guest = GuestOf(false);
                options = new BlockdevOptions
                {
                    Driver = BlockdevDriver.NullCo,
                    NodeName = name,
                    NullCo = new BlockdevOptionsNull { Size = sectors * DiskModel.SectorSize },
                };
                return new SimulatedNode(name, null, options, guest, new Feeder(world, guest));
            default:
                using (var file = new FileStream(fileName, FileMode.Create))
                {
                    file.SetLength(sectors * DiskModel.SectorSize);
                }

                guest = GuestOf(true);
                options = FileOptions(world, fileName);
                if (random.Chance(0.5))
                {
                    options = new BlockdevOptions
                    {
                        Driver = BlockdevDriver.Raw,
                        NodeName = name,
                        Discard = BlockdevDiscardOptions.Unmap,
                        Raw = new BlockdevOptionsRaw { File = new BlockdevRef { Definition = options } },
                    };
                }
                else
                {
                    options.NodeName = name;
                }

                return new SimulatedNode(name, fileName, options, guest, new Feeder(world, guest));
        }
    }

    private static BlockdevOptions FileOptions(World world, string fileName) => new()
    {
        Driver = BlockdevDriver.File,
        Discard = world.Random.Chance(0.5) ? BlockdevDiscardOptions.Unmap : null,
        DetectZeroes = world.Random.Chance(0.2) ? BlockdevDetectZeroesOptions.On : null,
        File = new BlockdevOptionsFile { Filename = fileName },
    };
}
