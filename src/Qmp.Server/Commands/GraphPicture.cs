using System.Runtime.InteropServices;
using Qmp.Block;
using Qmp.Protocol.Schema;

namespace Qmp.Server.Commands;

/// <summary>
/// Draws the graph for <c>x-debug-query-block-graph</c>: users first, then nodes, oldest first. Numbers are given in
/// the order in which things are first met, and both lists come out in reverse. <b>Main</b>.
/// </summary>
internal sealed class GraphPicture
{
    private readonly Dictionary<object, ulong> _ids = [];
    private readonly List<XDbgBlockGraphNode> _nodes = [];
    private readonly List<XDbgBlockGraphEdge> _edges = [];

    internal static XDbgBlockGraph Draw(BlockGraph graph)
    {
        GraphPicture picture = new();
        foreach (BlockBackend backend in graph.Backends)
        {
            // An export's user of a node has no name of its own.
            picture.AddNode(backend, XDbgBlockGraphNodeType.BlockBackend, "");
            picture.AddEdge(backend, backend.Root.Parents.First(edge => edge.Backend == backend));
        }

        foreach (BlockNode node in graph.Nodes)
        {
            picture.AddNode(node, XDbgBlockGraphNodeType.BlockDriver, node.NodeName);
            foreach (BlockEdge child in node.Children.Reverse())
            {
                picture.AddEdge(node, child);
            }
        }

        picture._nodes.Reverse();
        picture._edges.Reverse();
        return new XDbgBlockGraph { Nodes = picture._nodes, Edges = picture._edges };
    }

    private void AddNode(object item, XDbgBlockGraphNodeType type, string name) =>
        _nodes.Add(new XDbgBlockGraphNode { Id = IdOf(item), Type = type, Name = name });

    private void AddEdge(object parent, BlockEdge edge) => _edges.Add(new XDbgBlockGraphEdge
    {
        Parent = IdOf(parent),
        Child = IdOf(edge.Node),
        Name = edge.Name,
        Perm = ListOf(edge.Permissions),
        SharedPerm = ListOf(edge.Shared),
    });

    private ulong IdOf(object item)
    {
        ref ulong id = ref CollectionsMarshal.GetValueRefOrAddDefault(_ids, item, out bool exists);
        if (!exists)
        {
            id = (ulong)_ids.Count;
        }

        return id;
    }

    private static List<BlockPermission> ListOf(BlockPermissions permissions)
    {
        List<BlockPermission> list = [];
        Add(BlockPermissions.Resize, BlockPermission.Resize);
        Add(BlockPermissions.WriteUnchanged, BlockPermission.WriteUnchanged);
        Add(BlockPermissions.Write, BlockPermission.Write);
        Add(BlockPermissions.ConsistentRead, BlockPermission.ConsistentRead);
        return list;

        void Add(BlockPermissions bit, BlockPermission name)
        {
            if ((permissions & bit) != 0)
            {
                list.Add(name);
            }
        }
    }
}
