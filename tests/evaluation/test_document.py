"""Markdown of blocks, and figures in words."""

from graspwise.evaluation.document import (
    Chart,
    Code,
    Details,
    Gallery,
    Heading,
    Table,
    Text,
    Tile,
    in_points,
    markdown,
    table_lines,
    with_interval,
    without_blank,
)

TABLE = Table("t", ("model", "a", "b"), (("x", "1", ""), ("y", "2", "")), marked="y")


def test_blocks_as_markdown_leave_pictures_out():
    gallery = Gallery("Hits", "shown", (Tile("gallery/a.jpg", "mug: hit", "A mug.", True),))
    blocks = [Heading("Title", 1), Text("**x** `y`"), TABLE, Chart("plots/a.png", "a plot"), gallery, Code("run --me"),
              Details("More", Table("m", ("k", "v"), (("p", "q"),)))]  # fmt: skip
    assert markdown(blocks) == [
        "# Title", "", "**x** `y`", "",
        "| model | a | b |", "|---|---|---|", "| x | 1 |  |", "| **y** | 2 |  |", "",
        "```text", "run --me", "```", "",
        "More:", "", "| k | v |", "|---|---|", "| p | q |",
    ]  # fmt: skip


def test_no_name_breaks_a_table():
    lines = table_lines(("model",), [("http://h/v1|a*b`c<d\ne",)])
    assert lines[2] == r"| http://h/v1\|a\*b\`c&lt;d e |"


def test_blank_columns_go_and_are_named():
    table, gone = without_blank(TABLE)
    assert table.head == ("model", "a") and table.rows == (("x", "1"), ("y", "2"))
    assert gone == ("b",) and table.marked == "y"
    # The names of the rows stay, whatever they are.
    assert without_blank(Table("t", ("model",), (("",),)))[0].head == ("model",)


def test_a_dark_plot_lies_beside_the_light_one():
    assert Chart("plots/object-curve.png", "").dark == "plots/object-curve-dark.png"


def test_figures_in_words():
    share = {"percent": 94.55, "ci95": [91.8, 97.1]}
    assert with_interval(share) == "94.5% (91.8 to 97.1)"
    assert with_interval({**share, "n": 55}) == "94.5% (91.8 to 97.1, n = 55)"
    assert with_interval(None) == with_interval({"percent": None, "ci95": None}) == ""
    assert in_points({"points": 2, "ci95": [-1.5, 5.25]}) == "+2.0 (-1.5 to +5.2)"
    assert in_points(None) == ""
