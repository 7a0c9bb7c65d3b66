using System.Text;
using Qmp.Schema.Model;

namespace Qmp.Schema.Manual;

/// <summary>The manual as one HTML page.</summary>
internal sealed class HtmlManual(ManualContent content)
{
    private readonly StringBuilder _html = new();

    public string Render()
    {
        Line("<!DOCTYPE html>");
        Line("<html lang=\"en\">");
        Line("<head>");
        Line("<meta charset=\"utf-8\">");
        Line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        Line("<title>QMP reference</title>");
        Line("<style>" + HtmlParts.Style + "</style>");
        Line("</head>");
        Line("<body>");
        Navigation();
        Line("<main>");
        Introduction();
        foreach (var module in content.Modules)
        {
            Module(module);
        }

        Index();
        Line("</main>");
        Line("<script>" + HtmlParts.Script + "</script>");
        Line("</body>");
        Line("</html>");
        return _html.ToString();
    }

    private static string Escape(string text) =>
        text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("\"", "&quot;");

    private static string Paragraph(string tag, string inner) => $"<{tag}>{inner}</{tag}>";

    private void Line(string text) => _html.Append(text).Append('\n');

    private void Navigation()
    {
        Line("<nav>");
        Line("<a class=\"home\" href=\"#top\">QMP reference</a>");
        Line("<input id=\"search\" type=\"search\" placeholder=\"Search names (press /)\" aria-label=\"Search names\">");
        foreach (var module in content.Modules)
        {
            Line($"<details open><summary><a href=\"#module-{module.Name}\">{Escape(module.Title)}</a></summary><ul>");
            foreach (var definition in module.Definitions)
            {
                var off = content.IsLive(definition) ? "" : " class=\"off\"";
                Line($"<li{off}><a class=\"{ManualContent.KindOf(definition)}\" href=\"#{definition.Name}\">{definition.Name}</a></li>");
            }

            Line("</ul></details>");
        }

        Line("<a href=\"#index\">Index</a>");
        Line("</nav>");
    }

    private void Introduction()
    {
        Line("<header id=\"top\"><h1>QMP reference</h1>");
        Line("<p>Every command, event and type of the interface of <code>qmpd</code>. What is marked <span class=\"badge off\">not yet</span> is part of the interface that it implements, but does not work yet: no client sees it, and it is refused.</p>");
        foreach (var (kind, plural) in new[] { ("command", "commands"), ("event", "events") })
        {
            var all = content.Definitions.Where(definition => ManualContent.KindOf(definition) == kind).ToList();
            Line($"<p>{all.Count(content.IsLive)} of {all.Count} {plural} work.</p>");
        }

        Line("<ul class=\"modules\">");
        foreach (var module in content.Modules)
        {
            Line($"<li><a href=\"#module-{module.Name}\">{Escape(module.Title)}</a> <small>{module.Name}.json</small></li>");
        }

        Line("</ul></header>");
    }

    private void Module(ManualModule module)
    {
        Line($"<section class=\"module\" id=\"module-{module.Name}\">");
        Line($"<h2>{Escape(module.Title)}</h2>");
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

        Line("</section>");
    }

    private void Section(SchemaSection section)
    {
        var lines = section.Text.Split(['\n'], 2);
        var isHeading = lines[0].StartsWith("=", StringComparison.Ordinal);
        if (lines[0].StartsWith("== ", StringComparison.Ordinal))
        {
            Line(Paragraph("h3", Escape(lines[0].Substring(3))));
        }

        Text(isHeading ? lines.ElementAtOrDefault(1) : section.Text);
    }

    private void Definition(SchemaEntity definition)
    {
        var kind = ManualContent.KindOf(definition);
        var live = content.IsLive(definition);
        var badges = new StringBuilder($"<span class=\"badge {kind}\">{kind}</span>");
        if (!live)
        {
            badges.Append($" <span class=\"badge off\" title=\"{Escape(content.Reason(definition))}\">not yet</span>");
        }

        foreach (var feature in definition.Features)
        {
            badges.Append($" <span class=\"badge feature\">{Escape(feature)}</span>");
        }

        Line($"<article id=\"{definition.Name}\"{(live ? "" : " class=\"off\"")}>");
        Line($"<h4><a href=\"#{definition.Name}\">{definition.Name}</a> {badges}</h4>");
        Text(definition.Documentation?.Body);
        if (!live)
        {
            Line($"<p class=\"reason\">Not available: {Escape(content.Reason(definition))}.</p>");
        }

        Parts(definition, live);
        Branches(definition, live);
        Rest(definition);
        Line("</article>");
    }

    private void Parts(SchemaEntity definition, bool live)
    {
        if (ManualContent.MembersFrom(definition) is { } from)
        {
            Line($"<p>Members: those of {Type(from)}{(definition is ObjectType { LocalMembers.Count: > 0 } ? ", and" : "")}</p>");
        }

        var parts = ManualContent.PartsOf(definition);
        if (parts.Count == 0)
        {
            return;
        }

        Line("<dl>");
        foreach (var part in parts)
        {
            var notYet = live && !content.IsLive(definition, part.Name) ? " <span class=\"badge off\">not yet</span>" : "";
            var type = part.Type == null ? "" : $" <span class=\"type\">{Type(part.Type)}{(part.IsOptional ? ", optional" : "")}</span>";
            var features = string.Concat(part.Features.Select(feature => $" <span class=\"badge feature\">{Escape(feature)}</span>"));
            Line($"<dt><code>{Escape(part.Name)}</code>{type}{features}{notYet}</dt>");
            var text = definition.Documentation?.Members.TryGetValue(part.Name, out var found) == true ? found : "";
            Line(Paragraph("dd", Inline(text.Replace('\n', ' '))));
        }

        Line("</dl>");
    }

    private void Branches(SchemaEntity definition, bool live)
    {
        if (definition is not ObjectType { IsUnion: true } union)
        {
            return;
        }

        Line($"<p>Further members, by <code>{Escape(union.Discriminator!.Name)}</code>:</p><ul class=\"branches\">");
        foreach (var branch in union.Branches)
        {
            var notYet = live && !content.IsLive(definition, branch.Name) ? " <span class=\"badge off\">not yet</span>" : "";
            Line($"<li><code>{Escape(branch.Name)}</code>: {Type(branch.Type)}{notYet}</li>");
        }

        Line("</ul>");
    }

    private void Rest(SchemaEntity definition)
    {
        if (definition is SchemaCommand { Returns: { } returns })
        {
            Line($"<p><b>Returns</b> {Type(returns)}: {Inline((definition.Documentation?.Returns ?? "").Replace('\n', ' '))}</p>");
        }

        if (definition.Documentation is not { } documentation)
        {
            return;
        }

        foreach (var feature in documentation.Features)
        {
            Line($"<p><b>Feature</b> <code>{Escape(feature.Key)}</code>: {Inline(feature.Value.Replace('\n', ' '))}</p>");
        }

        foreach (var (title, text) in new[] { ("Errors", documentation.Errors), ("Since", documentation.Since) })
        {
            if (text != null)
            {
                Line($"<p><b>{title}</b> {Inline(text.Replace('\n', ' '))}</p>");
            }
        }

        if (documentation.Example != null)
        {
            Line($"<pre>{Escape(documentation.Example)}</pre>");
        }
    }

    private void Text(string? text)
    {
        foreach (var paragraph in DocumentText.Paragraphs(text))
        {
            Line(Paragraph("p", Inline(paragraph)));
        }
    }

    private string Inline(string text) => DocumentText.Render(text, Escape, Name);

    private string Name(string name) =>
        content.Names.Contains(name) ? $"<a href=\"#{name}\"><code>{name}</code></a>" : $"<code>{Escape(name)}</code>";

    private string Type(SchemaType type)
    {
        var name = ManualContent.TypeName(type);
        return type is ArrayType ? $"[{Name(name)}]" : Name(name);
    }

    private void Index()
    {
        Line("<section id=\"index\"><h2>Index</h2>");
        foreach (var letter in content.Definitions.OrderBy(definition => definition.Name, StringComparer.OrdinalIgnoreCase)
            .GroupBy(definition => char.ToUpperInvariant(definition.Name[0])))
        {
            var names = letter.Select(definition => $"<a{(content.IsLive(definition) ? "" : " class=\"off\"")} href=\"#{definition.Name}\">{definition.Name}</a>");
            Line($"<p><b>{letter.Key}</b> {string.Join(" · ", names)}</p>");
        }

        Line("</section>");
    }
}
