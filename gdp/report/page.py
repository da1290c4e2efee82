"""The HTML of a run: one file without anything from elsewhere, in the reader's light or dark, usable by keyboard."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

MARK = (
    '<meta name="generator" content="gdp">'  # by which a page is known as one that may be replaced
)
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1a; --paper: #fafaf7; --card: #fff; --line: #d8d8d0; --accent: #0b62b0; --bad: #a8201a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e0; --paper: #161615; --card: #20201f; --line: #3c3c38; --accent: #7cb8f2; --bad: #ff8a80 }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--paper) }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
a { color: var(--accent) } .bad { color: var(--bad); overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; margin: 1.5rem 0;
  align-items: start }
article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem; content-visibility: auto;
  contain-intrinsic-size: auto 28rem }
.pair { position: relative; overflow: hidden; border-radius: 3px; --at: 50% }
.pair img { display: block; width: 100%; height: 100%; position: absolute; inset: 0 }
.pair .before { clip-path: inset(0 calc(100% - var(--at)) 0 0) }
.pair::after { content: ""; position: absolute; top: 0; bottom: 0; left: calc(var(--at) - 1px); width: 2px; background: #fff;
  box-shadow: 0 0 3px #000; pointer-events: none }
.pair input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize }
.pair:focus-within { outline: 3px solid var(--accent); outline-offset: 2px }
.ends { display: flex; justify-content: space-between; font-size: .8rem; opacity: .8 }
.pixels { image-rendering: pixelated }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .6rem 0 0; font-size: .87rem }
dt { opacity: .75 } dd { margin: 0; overflow-wrap: anywhere } code { font-size: .95em }
.found { display: flex; gap: .5rem; flex-wrap: wrap; margin-top: .5rem } figure { margin: 0; font-size: .8rem }
.found img { display: block; height: 5rem; max-width: 9rem }
.scroll { overflow: auto; max-height: 70vh } thead { position: sticky; top: 0; background: var(--paper) }
table { border-collapse: collapse; font-size: .87rem; margin: 1rem 0 }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums }
td.wide { white-space: normal; overflow-wrap: anywhere; min-width: 14rem }
th button { all: unset; cursor: pointer; font-weight: 600 } th button:focus-visible { outline: 2px solid var(--accent) }
th[aria-sort=ascending] button::after { content: " \\2191" } th[aria-sort=descending] button::after { content: " \\2193" }
.sheet { max-width: 100%; height: auto }
footer { margin-top: 2rem; font-size: .8rem; opacity: .75 }
"""

SCRIPT = """
document.addEventListener("input", e => {
  if (e.target.matches(".pair input")) e.target.parentNode.style.setProperty("--at", e.target.value + "%");
});
document.addEventListener("click", e => {
  const head = e.target.closest("th");
  if (!head || !e.target.closest("button")) return;
  const table = head.closest("table"), column = [...head.parentNode.children].indexOf(head);
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = row => row.children[column].dataset.value ?? row.children[column].textContent;
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const [p, q] = [value(a), value(b)], [m, n] = [parseFloat(p), parseFloat(q)];
    return p === "" || q === "" ? (p === "") - (q === "") : (up ? 1 : -1) * (isNaN(m) || isNaN(n) ? p.localeCompare(q) : m - n);
  });
  table.tBodies[0].append(...rows);
});
"""


def page(title: str, body: Sequence[str]) -> str:
    """A whole document; `title` is plain text, `body` HTML."""
    parts = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        MARK,
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>",
        *body,
        f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
    )
    return "\n".join(parts)


def pair(name: str, before: str, after: str, size: tuple[int, int], pixels: bool) -> str:
    """Two pictures (data URIs) one over the other, and a slider between them; `pixels` keeps them sharp where they are enlarged."""
    label, kind = escape(name), " pixels" if pixels else ""
    return (
        f'<div class="pair" style="aspect-ratio: {size[0]} / {size[1]}">'
        f'<img class="after{kind}" src="{after}" alt="{label}, restored">'
        f'<img class="before{kind}" src="{before}" alt="{label}, input">'
        f'<input type="range" min="0" max="100" value="50" aria-label="How much of {label} is shown as it was"></div>'
        '<div class="ends"><span>input</span><span>restored</span></div>'
    )


def alone(name: str, picture: str, size: tuple[int, int]) -> str:
    """A picture that has no other to be compared with."""
    return f'<div class="pair" style="aspect-ratio: {size[0]} / {size[1]}"><img src="{picture}" alt="{escape(name)}, restored"></div>'


def found_pictures(pictures: Mapping[str, str]) -> str:
    """Small pictures (data URIs) under their names."""
    shown = [
        f'<figure><img class="pixels" src="{uri}" alt="{escape(name)}"><figcaption>{escape(name)}</figcaption></figure>'
        for name, uri in pictures.items()
        if uri
    ]
    return f'<div class="found">{"".join(shown)}</div>' if shown else ""


def facts(values: Mapping[str, str]) -> str:
    """Names and values (plain text); those without a value are left out."""
    listed = [
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in values.items()
        if value
    ]
    return f"<dl>{''.join(listed)}</dl>" if listed else ""


def table(names: Sequence[str], rows: Sequence[Mapping[str, Any]], links: Sequence[str]) -> str:
    """Columns `names` that some row has a value in, sorted by a click on their heads; a row's first cell leads to its link, if any."""
    shown = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    head = "".join(
        f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in shown
    )
    lines = []
    for row, link in zip(rows, links, strict=True):
        cells = [cell(name, row.get(name)) for name in shown]
        if link:
            cells[0] = f'<td><a href="{escape(link)}">{escape(words(row.get(shown[0])))}</a></td>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    box = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
    return f"{box}<table><thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"


def cell(name: str, value: Any) -> str:
    """A table's cell; numbers stand right."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number" data-value="{value}">{words(value)}</td>'
    return f'<td class="{"bad wide" if name == "error" else ""}">{escape(words(value))}</td>'


def words(value: Any, most: int = 300) -> str:
    """A value as a person reads it: numbers to 4 digits, None as nothing, long ones cut."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        text = ", ".join(words(v) for v in value[:12]) + (" ..." if len(value) > 12 else "")
    elif isinstance(value, Mapping):
        text = "; ".join(f"{k} {words(v)}" for k, v in value.items())
    else:
        text = str(value)
    return text if len(text) <= most else f"{text[:most]} ..."


def local(*parts: str) -> str:
    """A link to a file beside the page."""
    return "./" + "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)
