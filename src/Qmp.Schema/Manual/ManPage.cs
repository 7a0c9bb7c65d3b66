using System.Text;
using Qmp.Schema.Model;

namespace Qmp.Schema.Manual;

/// <summary>The manual as a page for <c>man</c>, with the macros that every <c>man</c> knows.</summary>
internal sealed class ManPage(ManualContent content, string date)
{
    private readonly StringBuilder _text = new();

    public string Render()
    {
        Line($".TH QMP\\-REF 7 \"{date}\" \"qmpd\" \"QMP reference\"");
        Line(".SH NAME");
        Line("qmp\\-ref \\- commands, events and types of the QMP interface of qmpd");
        Line(".SH DESCRIPTION");
        Line(Escape("What is marked \"not yet\" is part of the interface that the daemon implements, but does not work yet."));
        foreach (var module in content.Modules)
        {
            Line(".SH \"" + Quoted(module.Title.ToUpperInvariant()) + "\"");
            foreach (var item in module.InOrder)
            {
                if (item is SchemaSection section)
                {
                    Section(section);
                }
                else
                {
                    Definition((SchemaEntity)item);
                }
            }
        }

        return _text.ToString();
    }

    // A line may not begin with a control character, and '-' is a hyphen unless escaped.
    private static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e").Replace("-", "\\-").Replace("^", "\\(ha").Replace("~", "\\(ti").Replace("`", "\\(ga");
        return escaped.Length > 0 && escaped[0] is '.' or '\'' ? "\\&" + escaped : escaped;
    }

    private static string Quoted(string text) => Escape(text).Replace("\"", "\\(dq");

    private static string Type(SchemaType type)
    {
        var name = Escape(ManualContent.TypeName(type));
        return type is ArrayType ? $"[\\fI{name}\\fP]" : $"\\fI{name}\\fP";
    }

    private static string Inline(string text)
    {
        var line = DocumentText.Render(text.Replace('\n', ' '), plain => Escape(plain), name => "\\fB" + Escape(name) + "\\fP");
        return line.Length > 0 && line[0] is '.' or '\'' ? "\\&" + line : line;
    }

    private void Line(string text) => _text.Append(text).Append('\n');

    private void Section(SchemaSection section)
    {
        var lines = section.Text.Split(['\n'], 2);
        if (lines[0].StartsWith("== ", StringComparison.Ordinal))
        {
            Line(".SS \"" + Quoted(lines[0].Substring(3)) + "\"");
        }

        var paragraphs = DocumentText.Paragraphs(lines[0].StartsWith("=", StringComparison.Ordinal) ? lines.ElementAtOrDefault(1) : section.Text);
        if (paragraphs.Any())
        {
            Line(string.Join("\n.P\n", paragraphs.Select(Inline)));
        }
    }

    private void Definition(SchemaEntity definition)
    {
        var live = content.IsLive(definition);
        var notes = definition.Features.Select(Escape).Concat(live ? [] : ["not yet: " + Escape(content.Reason(definition))]).ToList();
        Line(".TP");
        Line($"\\fB{Escape(definition.Name)}\\fP ({ManualContent.KindOf(definition)}{string.Concat(notes.Select(note => "; " + note))})");
        var written = false;
        foreach (var paragraph in DocumentText.Paragraphs(definition.Documentation?.Body))
        {
            Line((written ? ".IP\n" : "") + Inline(paragraph));
            written = true;
        }

        if (!written)
        {
            Line("\\&");
        }

        var before = _text.Length;
        Line(".RS");
        var empty = _text.Length;
        Parts(definition, live);
        Rest(definition);
        if (definition.Documentation?.Example is { } example)
        {
            if (_text.Length > empty)
            {
                Line(".PP");
            }

            Example(example);
        }

        if (_text.Length > empty)
        {
            Line(".RE");
        }
        else
        {
            _text.Length = before; // an indented block may not be empty
        }
    }

    private void Parts(SchemaEntity definition, bool live)
    {
        if (ManualContent.MembersFrom(definition) is { } from)
        {
            Line(".TP");
            Line("members");
            Line($"those of {Type(from)}");
        }

        foreach (var part in ManualContent.PartsOf(definition))
        {
            var notYet = live && !content.IsLive(definition, part.Name) ? " (not yet)" : "";
            var type = part.Type == null ? "" : $" ({Type(part.Type)}{(part.IsOptional ? ", optional" : "")})";
            var text = definition.Documentation?.Members.TryGetValue(part.Name, out var found) == true ? found : "";
            Line(".TP");
            Line($"\\fB{Escape(part.Name)}\\fP{type}{string.Concat(part.Features.Select(feature => $" [{Escape(feature)}]"))}{notYet}");
            Line(text.Length == 0 ? "\\&" : Inline(text));
        }

        if (definition is ObjectType { IsUnion: true } union)
        {
            foreach (var branch in union.Branches)
            {
                var notYet = live && !content.IsLive(definition, branch.Name) ? " (not yet)" : "";
                Line(".TP");
                Line($"{Escape(union.Discriminator!.Name)} \\fB{Escape(branch.Name)}\\fP{notYet}");
                Line($"and the members of {Type(branch.Type)}");
            }
        }
    }

    private void Rest(SchemaEntity definition)
    {
        if (definition is SchemaCommand { Returns: { } returns })
        {
            Line(".TP");
            Line($"returns {Type(returns)}");
            Line(definition.Documentation?.Returns is { } text ? Inline(text) : "\\&");
        }

        foreach (var feature in definition.Documentation?.Features ?? new Dictionary<string, string>())
        {
            Line(".TP");
            Line($"feature \\fB{Escape(feature.Key)}\\fP");
            Line(Inline(feature.Value));
        }

        foreach (var (title, text) in new[] { ("errors", definition.Documentation?.Errors), ("since", definition.Documentation?.Since) })
        {
            if (text != null)
            {
                Line(".TP");
                Line(title);
                Line(Inline(text));
            }
        }
    }

    private void Example(string example)
    {
        Line(".EX");
        foreach (var line in example.Split('\n'))
        {
            Line(Escape(line));
        }

        Line(".EE");
    }
}
