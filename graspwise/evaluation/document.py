"""What a report consists of, and its Markdown: blocks that a page is written from, so that both say the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the report's title."""

    text: str
    level: int


@dataclass(frozen=True)
class Text:
    """A paragraph; `code` and **strong** are marked as in Markdown."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table of plain texts.

    Attributes:
        title: What it shows, in a few words.
        head: Column titles.
        rows: As many cells each as there are columns; the first names the row.
        marked: First cell of the row that the report is about.
        foreign: How many of the last columns are others' figures.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: str = ""
    foreign: int = 0


@dataclass(frozen=True)
class Code:
    """Text as it stands, e.g. a command."""

    text: str


@dataclass(frozen=True)
class Chart:
    """A plot on the page, which Markdown leaves to the table beside it.

    Attributes:
        path: PNG file relative to the report's folder; for dark pages there is another, see `dark`.
        text: What it shows, for those who cannot see it too.
    """

    path: str
    text: str

    @property
    def dark(self) -> str:
        return self.path.removesuffix(".png") + "-dark.png"


@dataclass(frozen=True)
class Tile:
    """A photograph with words.

    Attributes:
        path: Picture relative to the report's folder.
        title: A few words above the text.
        text: The reasoning.
        right: Whether the grasp on it is right.
    """

    path: str
    title: str
    text: str
    right: bool


@dataclass(frozen=True)
class Gallery:
    """Photographs under a heading, on the page alone."""

    heading: str
    text: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Details:
    """A table that the page folds away under a title."""

    title: str
    table: Table


Block = Heading | Text | Table | Code | Chart | Gallery | Details


def markdown(blocks: Sequence[Block]) -> list[str]:
    """Lines of Markdown; charts and photographs are left out."""
    lines: list[str] = []
    for block in blocks:
        match block:
            case Heading(text, level):
                lines += [f"{'#' * level} {text}", ""]
            case Text(text):
                lines += [text, ""]
            case Table():
                lines += [*table_lines(block.head, block.rows, marked=block.marked), ""]
            case Details(title, table):
                lines += [f"{title}:", "", *table_lines(table.head, table.rows), ""]
            case Code(text):
                lines += ["```text", text, "```", ""]
            case Chart() | Gallery():
                continue
    return lines[:-1] if lines else lines


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], *, marked: str = "") -> list[str]:
    """A Markdown table; the row whose first cell is `marked` has that cell in bold."""
    lines = ["| " + " | ".join(map(plain, head)) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [plain(cell) for cell in row]
        if marked and row[0] == marked:
            cells[0] = f"**{cells[0]}**"
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def plain(text: str) -> str:
    """Text in a Markdown cell, nothing in it taken for a mark."""
    return re.sub(r"([\\`*|])", r"\\\1", " ".join(text.split())).replace("<", "&lt;")


def without_blank(table: Table) -> tuple[Table, tuple[str, ...]]:
    """The table without columns that are blank in every row, and the titles of those."""
    kept = [i for i in range(len(table.head)) if i == 0 or any(row[i] for row in table.rows)]
    rows = tuple(tuple(row[i] for i in kept) for row in table.rows)
    gone = tuple(title for i, title in enumerate(table.head) if i not in kept)
    return Table(table.title, tuple(table.head[i] for i in kept), rows, table.marked), gone


def with_interval(share: dict[str, Any] | None) -> str:
    """A percentage with its 95% interval, and n where it is not the table's; nothing where it was not measured."""
    if share is None or share["percent"] is None:
        return ""
    low, high = share["ci95"]
    count = f", n = {share['n']}" if "n" in share else ""
    return f"{share['percent']:.1f}% ({low:.1f} to {high:.1f}{count})"


def in_points(pair: dict[str, Any] | None) -> str:
    """A paired difference with its 95% interval."""
    return f"{pair['points']:+.1f} ({pair['ci95'][0]:+.1f} to {pair['ci95'][1]:+.1f})" if pair else ""
