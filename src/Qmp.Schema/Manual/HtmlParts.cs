namespace Qmp.Schema.Manual;

/// <summary>What the HTML page has in itself instead of in further files.</summary>
internal static class HtmlParts
{
    public const string Style = """

        :root { --ink: #1d2733; --soft: #5b6875; --paper: #fff; --panel: #f5f7f9; --line: #dde3e8; --link: #0b5cad; --off: #a15c00; }
        @media (prefers-color-scheme: dark) { :root { --ink: #d9e1e8; --soft: #93a1ae; --paper: #14191f; --panel: #1b222a; --line: #303a45; --link: #7ab8ff; --off: #e0a050; } }
        * { box-sizing: border-box; }
        html { scroll-padding-top: 1rem; }
        body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
        nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; background: var(--panel); border-right: 1px solid var(--line); font-size: 13px; }
        nav ul { list-style: none; margin: 0 0 .6rem; padding-left: .8rem; }
        nav input { width: 100%; margin: .6rem 0; padding: .4rem .5rem; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 4px; }
        nav .home { font-size: 1.15rem; font-weight: 600; }
        nav li a { overflow-wrap: anywhere; }
        nav li a.command::before { content: "› "; } nav li a.event::before { content: "! "; }
        main { padding: 1rem 2.5rem 4rem; max-width: 62rem; }
        a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
        code, pre { font: 13px/1.5 ui-monospace, monospace; }
        pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; overflow-x: auto; }
        h2 { margin-top: 3rem; border-bottom: 2px solid var(--line); } h3 { margin-top: 2.2rem; }
        article { border: 1px solid var(--line); border-radius: 8px; padding: .2rem 1.1rem .6rem; margin: 1rem 0; }
        article:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
        article.off { border-style: dashed; } h4 { margin: .7rem 0 .3rem; font-size: 1.05rem; } h4 a { color: inherit; }
        dt { margin-top: .35rem; } dd { margin: 0 0 0 1.4rem; } .type, .reason { color: var(--soft); } .off > a, a.off { color: var(--soft); }
        .badge { display: inline-block; font-size: 11px; font-weight: 500; padding: 0 .45em; border: 1px solid var(--line); border-radius: 1em; color: var(--soft); vertical-align: 1px; }
        .badge.command, .badge.event { color: var(--link); border-color: var(--link); } .badge.off, .badge.feature { color: var(--off); border-color: var(--off); }
        ul.modules, ul.branches { columns: 18rem; }
        @media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; max-height: 40vh; } main { padding: 1rem; } }
        @media print { nav { display: none; } body { display: block; } }

        """;

    public const string Script = """

        const box = document.getElementById("search");
        box.addEventListener("input", () => {
          const wanted = box.value.toLowerCase();
          for (const group of document.querySelectorAll("nav details")) {
            let shown = 0;
            for (const item of group.querySelectorAll("li")) { item.hidden = !item.textContent.toLowerCase().includes(wanted); shown += item.hidden ? 0 : 1; }
            group.hidden = shown === 0;
          }
        });
        box.addEventListener("keydown", event => {
          const first = document.querySelector("nav details:not([hidden]) li:not([hidden]) a");
          if (event.key === "Enter" && first) { location.hash = first.hash; }
        });
        document.addEventListener("keydown", event => { if (event.key === "/" && event.target !== box) { event.preventDefault(); box.focus(); } });

        """;
}
