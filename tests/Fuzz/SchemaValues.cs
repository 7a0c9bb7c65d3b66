using System.Globalization;
using System.Text;
using Qmp.Schema.Model;

namespace Fuzz;

/// <summary>Writes values of the schema's types as JSON, with a mistake now and then.</summary>
internal sealed class SchemaValues(Random random)
{
    private static readonly string[] Texts = ["", "x", "disk0", "raw", "file", "on", "unix", "\\u0000", "/dev/fdset/1", "#block1", "é", "1", "12G"];
    private static readonly string[] Numbers =
        ["0", "1", "-1", "255", "256", "65536", "4294967296", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e30", "0.5", "512"];

    private readonly StringBuilder _text = new();

    /// <summary>A value of a type.</summary>
    public string Value(SchemaType type)
    {
        _text.Clear();
        Write(type, 0);
        return _text.ToString();
    }

    private static bool Rarely(Random random) => random.Next(60) == 0;

    private void Write(SchemaType type, int depth)
    {
        if (Rarely(random))
        {
            _text.Append(random.Pick(["null", "{}", "[]", "\"x\"", "3", "true", "[{}]", "{\"a\": 1}"]));
            return;
        }

        switch (type)
        {
            case EnumType { Values.Count: > 0 } choice:
                Quote(random.Pick(choice.Values).Name);
                break;
            case ArrayType array:
                _text.Append('[');
                for (int i = 0, count = depth > 6 ? 0 : random.Next(4); i < count; i++)
                {
                    _text.Append(i > 0 ? ", " : "");
                    Write(array.Element, depth + 1);
                }

                _text.Append(']');
                break;
            case AlternateType alternate:
                Write(random.Pick(alternate.Branches).Type, depth + 1);
                break;
            case ObjectType data:
                _text.Append('{');
                var isFirst = true;
                Members(data, depth, ref isFirst);
                if (Rarely(random))
                {
                    Name("unexpected", ref isFirst);
                    _text.Append('1');
                }

                _text.Append('}');
                break;
            default:
                _text.Append(type.JsonType switch
                {
                    JsonTypes.Number => random.Pick(Numbers),
                    JsonTypes.Bool => random.Next(2) == 0 ? "true" : "false",
                    JsonTypes.Null => "null",
                    JsonTypes.Any => random.Pick(["1", "\"x\"", "{\"a\": [1, null]}"]),
                    _ => "\"" + random.Pick(Texts) + "\"",
                });
                break;
        }
    }

    private void Members(ObjectType type, int depth, ref bool isFirst)
    {
        foreach (var member in type.Members)
        {
            if (member == type.Discriminator)
            {
                continue;
            }

            if (member.IsOptional ? depth > 8 || random.Next(3) > 0 : Rarely(random))
            {
                continue;
            }

            Name(member.Name, ref isFirst);
            Write(member.Type, depth + 1);
        }

        if (type.Discriminator is { Type: EnumType kinds } && kinds.Values.Count > 0)
        {
            var kind = random.Pick(kinds.Values).Name;
            Name(type.Discriminator.Name, ref isFirst);
            Quote(kind);
            if (type.Branches.FirstOrDefault(branch => branch.Name == kind) is { } chosen)
            {
                Members(chosen.Type, depth + 1, ref isFirst);
            }
        }
    }

    private void Name(string name, ref bool isFirst)
    {
        _text.Append(isFirst ? "" : ", ");
        isFirst = false;
        Quote(name);
        _text.Append(": ");
    }

    private void Quote(string text) => _text.Append(CultureInfo.InvariantCulture, $"\"{text}\"");
}
