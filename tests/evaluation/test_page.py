"""The HTML page: whole, self-contained, and nothing in a name or a reasoning is taken for a mark."""

import re
from html.parser import HTMLParser

from graspwise.evaluation.document import Chart, Code, Details, Gallery, Heading, Table, Text, Tile
from graspwise.evaluation.page import cell, marked_up, page

EVIL = "<script>alert(\"x\")</script> & 'more'"
TABLE = Table(
    "Right", ("model", "right", "others"), (("a", "94.5% (91.8 to 97.1)", "77"), (EVIL, "", "")), "a", foreign=1
)
BLOCKS = [
    Heading("Cornell", 1), Heading("object-wise", 2), Text(f"**a** and `b` of {EVIL}"), TABLE,
    Chart("plots/x.png", EVIL), Details("More", TABLE), Code(EVIL), Heading("How it was made", 2),
    Gallery("Misses and hits", "both", (Tile("gallery/a.jpg", "mug: miss", EVIL, False),
                                        Tile("gallery/b.jpg", "mug: hit", "A mug.", True))),
]  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, and checks that each that is opened is closed in its turn."""

    VOID = ("meta", "img", "source")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.words = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def all(self, tag):
        return [attrs for found, attrs in self.tags if found == tag]


def test_the_page_is_whole_and_holds_every_text_as_text():
    found = Reader(page(BLOCKS))
    assert found.open == [] and not found.all("script")
    # Paragraph, two tables, code, tile; a plot has it as its description.
    assert found.words.count(EVIL) == 5
    assert found.all("img")[0]["alt"] == EVIL
    assert "Cornell" in found.words


def test_the_page_needs_nothing_but_the_files_beside_it():
    text = page(BLOCKS)
    found = Reader(text)
    assert not found.all("link") and "http" not in text and "url(" not in text and "@import" not in text
    named = [image["src"] for image in found.all("img")] + [source["srcset"] for source in found.all("source")]
    assert named == ["plots/x.png", "gallery/a.jpg", "gallery/b.jpg", "plots/x-dark.png"]


def test_it_is_made_for_phones_and_for_dark_rooms():
    text = page(BLOCKS)
    found = Reader(text)
    assert any(meta.get("name") == "viewport" for meta in found.all("meta"))
    assert "@media (prefers-color-scheme: dark)" in text
    assert found.all("source")[0]["media"] == "(prefers-color-scheme: dark)"
    # Each table scrolls in a frame of its own that can be reached by the keyboard.
    frames = [frame for frame in found.all("div") if frame.get("class") == "scroll"]
    assert len(frames) == len(found.all("table")) == 2 and all(frame["tabindex"] == "0" for frame in frames)


def test_the_menu_leads_to_the_sections():
    found = Reader(page(BLOCKS))
    names = {heading["id"] for heading in found.all("h2") if "id" in heading}
    assert [link["href"] for link in found.all("a")] == ["#object-wise", "#how-it-was-made"]
    assert names == {"object-wise", "how-it-was-made"}


def test_rows_and_columns_that_differ_are_marked():
    text = page([TABLE])
    assert text.count('<tr class="mark">') == 1
    assert len(re.findall(r'<t[dh][^>]* class="foreign"|<td class="foreign"', text)) == 3


def test_photographs_that_are_not_there_hide_their_section():
    first, second = Reader(page(BLOCKS)).all("img")[1:]
    assert "hidden" in first["onerror"] and "loading" not in first and second["loading"] == "lazy"


def test_marks_of_a_paragraph_and_brackets_of_a_cell():
    assert marked_up("**a<b** is `c*d`") == "<strong>a&lt;b</strong> is <code>c*d</code>"
    assert cell("94.5% (91.8 to 97.1)") == "94.5%<small>(91.8 to 97.1)</small>"
    assert cell("a (b) c") == "a (b) c"
