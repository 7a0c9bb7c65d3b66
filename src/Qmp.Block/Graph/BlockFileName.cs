using System.Globalization;
using System.Text;

namespace Qmp.Block;

/// <summary>
/// Names of nodes: a plain file name where one says it all, else <c>json:</c> with the options that decide the content,
/// members in the order in which QEMU prints free-form objects.
/// </summary>
internal static class BlockFileName
{
    private const uint BucketCount = 512;

    public static string Of(BlockNode node)
        => node.Driver.ExactFileName ?? "json:" + Json(StrongOptions(node));

    private static Dictionary<string, object> StrongOptions(BlockNode node)
    {
        Dictionary<string, object> options = new() { ["driver"] = node.Driver.FormatName };
        node.Driver.AddStrongOptions(options);
        foreach (var edge in node.ChildEdges)
        {
            options[edge.Name] = StrongOptions(edge.Node);
        }

        return options;
    }

    private static string Json(object value) => value switch
    {
        Dictionary<string, object> members => "{"
            + string.Join(", ", members.OrderBy(static member => Bucket(member.Key)).Select(static member => $"{Quote(member.Key)}: {Json(member.Value)}"))
            + "}",
        string text => Quote(text),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>The place of a member among its siblings: the bucket of its name in a table of 512.</summary>
    private static uint Bucket(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        unchecked
        {
            var sum = 0x238F13AFu * (uint)bytes.Length;
            for (var i = 0; i < bytes.Length; i++)
            {
                sum += (uint)bytes[i] << (i * 5 % 24);
            }

            return ((1103515243u * sum) + 12345u) % BucketCount;
        }
    }

    private static string Quote(string text)
    {
        StringBuilder builder = new("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => builder.Append("\\\""),
                '\\' => builder.Append("\\\\"),
                '\n' => builder.Append("\\n"),
                '\t' => builder.Append("\\t"),
                '\r' => builder.Append("\\r"),
                '\b' => builder.Append("\\b"),
                '\f' => builder.Append("\\f"),
                < ' ' or > '~' => builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                _ => builder.Append(c),
            };
        }

        return builder.Append('"').ToString();
    }
}
