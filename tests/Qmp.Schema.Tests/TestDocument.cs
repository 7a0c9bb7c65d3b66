using System.Text;
using System.Text.Json;
using Qmp.Protocol.Qapi;

namespace Qmp.Schema.Tests;

/// <summary>Documents from text, without the parsers of the product.</summary>
internal static class TestDocument
{
    public static QapiDocument FromJson(string json)
    {
        var document = new QapiDocument();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    document.BeginObject();
                    break;
                case JsonTokenType.StartArray:
                    document.BeginList();
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    document.End();
                    break;
                case JsonTokenType.PropertyName:
                    Assert.That(document.Name(Encoding.UTF8.GetBytes(reader.GetString()!)), Is.True);
                    break;
                case JsonTokenType.String:
                    document.String(reader.GetString()!);
                    break;
                case JsonTokenType.Number:
                    document.Number(reader.ValueSpan);
                    break;
                case JsonTokenType.True or JsonTokenType.False:
                    document.Bool(reader.GetBoolean());
                    break;
                default:
                    document.Null();
                    break;
            }
        }

        Assert.That(document.IsComplete);
        return document;
    }

    /// <summary><c>a=1,b.c=2,d.0=3</c>; no escapes, members of one object side by side.</summary>
    public static QapiDocument FromKeyval(string text)
    {
        var root = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var pair in text.Split(','))
        {
            var (path, value) = (pair[..pair.IndexOf('=')].Split('.'), pair[(pair.IndexOf('=') + 1)..]);
            var node = root;
            foreach (var part in path[..^1])
            {
                if (!node.TryGetValue(part, out var child))
                {
                    node[part] = child = new SortedDictionary<string, object>(StringComparer.Ordinal);
                }

                node = (SortedDictionary<string, object>)child;
            }

            node[path[^1]] = value;
        }

        var document = new QapiDocument(isKeyval: true);
        Add(document, root);
        return document;
    }

    private static void Add(QapiDocument document, object value)
    {
        if (value is string text)
        {
            document.String(text);
            return;
        }

        var children = (SortedDictionary<string, object>)value;
        var isList = children.Keys.All(key => char.IsAsciiDigit(key[0]));
        if (isList)
        {
            document.BeginList();
        }
        else
        {
            document.BeginObject();
        }

        foreach (var (key, child) in children)
        {
            if (!isList)
            {
                document.Name(Encoding.UTF8.GetBytes(key));
            }

            Add(document, child);
        }

        document.End();
    }
}
