"""HTML from data; every text is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Text that is already HTML."""


def tag(name: str, *content: str | Html, css: str = "") -> Html:
    """An element; content that is plain text is to be passed through ``text``."""
    attributes = f' class="{escape(css)}"' if css else ""
    return Html(f"<{name}{attributes}>{''.join(content)}</{name}>")


def text(value: object) -> Html:
    """Any value, escaped."""
    return Html(escape(str(value)))


def p(value: object, css: str = "") -> Html:
    """A paragraph of plain text."""
    return tag("p", text(value), css=css)


def bullets(values: Iterable[object]) -> Html:
    """A list of plain texts."""
    return tag("ul", *(tag("li", text(value)) for value in values))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> Html:
    """A table of plain texts whose first column names the row; the columns ``numbers`` are aligned to the right."""
    right = set(numbers)
    css = ["number" if k in right else "" for k in range(len(head))]
    top = tag("thead", tag("tr", *(tag("th", text(name), css=c) for name, c in zip(head, css, strict=True))))
    lines = (
        tag("tr", *(tag("td" if k else "th", text(cell), css=css[k]) for k, cell in enumerate(row))) for row in rows
    )
    return tag("div", tag("table", top, tag("tbody", *lines)), css="wide")


def picture(uri: str, alternative: str, caption: str) -> Html:
    """A picture with its caption."""
    image = Html(f'<img src="{escape(uri)}" alt="{escape(alternative)}">')
    return tag("figure", image, tag("figcaption", text(caption)))
