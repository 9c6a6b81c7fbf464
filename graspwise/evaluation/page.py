"""A report's blocks as one HTML page: style within, plots and photographs as files beside it."""

import re
from collections.abc import Sequence
from html import escape

from graspwise.evaluation.document import Block, Chart, Code, Details, Gallery, Heading, Table, Text, Tile

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --muted: #59636e; --line: #d1d9e0; --soft: #f6f8fa;
  --mark: #fff4d6; --link: #0059b3; --hit: #0a7d4b; --miss: #b3400f; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --muted: #9aa5b1; --line: #30363d;
  --soft: #161b22; --mark: #33290f; --link: #6cb6ff; --hit: #3fcf8e; --miss: #ff9a62; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.2rem clamp(.9rem, 4vw, 2.5rem) 4rem; max-width: 76rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .4em 0; }
h2 { font-size: 1.35rem; margin: 2.4rem 0 .4rem; padding-top: 1rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.8rem 0 .4rem; }
p { max-width: 48rem; margin: .6rem 0; }
nav a { margin-right: 1.2rem; }
a, summary { color: var(--link); }
code { font: .9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: .8rem 1rem; background: var(--soft); border: 1px solid var(--line);
  border-radius: 6px; font: .82rem/1.5 ui-monospace, monospace; }
.scroll { overflow-x: auto; width: fit-content; max-width: 100%; margin: .7rem 0; border: 1px solid var(--line);
  border-radius: 6px; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { vertical-align: bottom; background: var(--soft); color: var(--muted); font-weight: 600; line-height: 1.3;
  min-width: 5.5rem; }
th:first-child { position: sticky; left: 0; z-index: 1; text-align: left; background: var(--soft); color: var(--ink);
  min-width: 0; max-width: 11rem; border-right: 1px solid var(--line); }
tbody th { font-weight: 500; }
td.foreign, thead th.foreign { color: var(--muted); font-style: italic; font-weight: 400; background: var(--soft);
  border-left: 3px double var(--line); }
tr.mark > *:not(.foreign) { background: var(--mark); font-weight: 650; }
td small { display: block; color: var(--muted); font-weight: 400; }
figure { margin: .8rem 0; }
figure.chart img { display: block; width: 100%; max-width: 40rem; height: auto; border: 1px solid var(--line);
  border-radius: 6px; }
details { margin: .5rem 0; }
summary { cursor: pointer; padding: .2rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem; }
.tiles figure { margin: 0; border: 1px solid var(--line); border-top: 4px solid var(--miss); border-radius: 6px;
  overflow: hidden; background: var(--soft); }
.tiles figure.hit { border-top-color: var(--hit); }
.tiles img { display: block; width: 100%; height: auto; }
figcaption { padding: .5rem .8rem .7rem; font-size: .86rem; }
figcaption b { display: block; color: var(--miss); }
.hit figcaption b { color: var(--hit); }
@media print { .scroll { overflow: visible; } details > * { display: block; } }
"""
# Where the photographs were left behind, so is their section.
ABSENT = "this.closest('section').hidden=true"


def page(blocks: Sequence[Block]) -> str:
    """An HTML document of these blocks; its title is the first heading, its menu those of level 2."""
    headings = [block for block in blocks if isinstance(block, Heading)]
    title = headings[0].text if headings else ""
    menu = "".join(f'<a href="#{anchor(h.text)}">{escape(h.text)}</a> ' for h in headings if h.level == 2)
    body = "\n".join(html(block) for block in blocks)
    if menu:
        body = body.replace("</h1>", f"</h1>\n<nav>{menu.strip()}</nav>", 1)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def html(block: Block) -> str:
    """One block."""
    match block:
        case Heading(text, level):
            name = f' id="{anchor(text)}"' if level == 2 else ""
            return f"<h{level}{name}>{escape(text)}</h{level}>"
        case Text(text):
            return f"<p>{marked_up(text)}</p>"
        case Table():
            return table(block)
        case Details(title, folded):
            return f"<details><summary>{escape(title)}</summary>{table(folded)}</details>"
        case Code(text):
            return f'<pre tabindex="0">{escape(text)}</pre>'
        case Chart(path, text):
            return (
                f'<figure class="chart"><picture><source media="(prefers-color-scheme: dark)" '
                f'srcset="{escape(block.dark)}"><img src="{escape(path)}" alt="{escape(text)}"></picture></figure>'
            )
        case Gallery(heading, text, tiles):
            shown = "".join(tile(one, lazy=index > 0) for index, one in enumerate(tiles))
            name = anchor(heading)
            return (
                f'<section id="{name}"><h2>{escape(heading)}</h2><p>{marked_up(text)}</p>'
                f'<div class="tiles">{shown}</div></section>'
            )


def table(block: Table) -> str:
    """A table that scrolls sideways in its own frame, its first column staying."""
    ours = len(block.head) - block.foreign
    kinds = ["" if index < ours else ' class="foreign"' for index in range(len(block.head))]
    head = "".join(f'<th scope="col"{kind}>{escape(title)}</th>' for title, kind in zip(block.head, kinds, strict=True))
    lines = []
    for first, *rest in block.rows:
        mark = ' class="mark"' if first == block.marked else ""
        cells = "".join(f"<td{kind}>{cell(text)}</td>" for text, kind in zip(rest, kinds[1:], strict=True))
        lines.append(f'<tr{mark}><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(block.title)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def cell(text: str) -> str:
    """A figure, what stands in brackets after it small below."""
    return re.sub(r" (\(.*\))$", r"<small>\1</small>", escape(text))


def tile(one: Tile, *, lazy: bool) -> str:
    """A photograph; the first one is not loaded lazily and so finds out whether there are any."""
    kind, late = "hit" if one.right else "miss", ' loading="lazy"' if lazy else ""
    return (
        f'<figure class="{kind}"><img src="{escape(one.path)}" alt="{escape(one.title)}"{late} onerror="{ABSENT}">'
        f"<figcaption><b>{escape(one.title)}</b>{escape(one.text)}</figcaption></figure>"
    )


def marked_up(text: str) -> str:
    """`code` and **strong** of a paragraph."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)


def anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
