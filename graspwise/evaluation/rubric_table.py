"""The table of what reasons say of part and shape, beside texts that read no picture."""

from typing import Any

from graspwise.evaluation.document import Block, Heading, Table, Text, in_points, with_interval

COLUMNS = {
    "sensible": "a part or place that can be held",
    "own_part": "a part, no mere place, where the thing has one",
    "harmful": "one not to be held",
    "foreign": "a part that it has not",
    "shape": "its shape",
    "wrong_shape": "another shape",
}
REFERENCES = {
    "anything": "texts of no category",
    "commonest": "texts of training's commonest category",
    "own": "texts of the right category",
}
NOTE = (
    "Keywords, against facts about each category; a text may name nothing. The texts are the templates', the mean over "
    "a category's, and read no picture: a model no better than the commonest category's says nothing about the thing. "
    "A bracket is a 95% interval, bootstrapped over categories. Where the grasp lies is not looked at."
)


def rubric_blocks(figures: dict[str, Any], label: str) -> list[Block]:
    """The figures of one model, as `rubric_figures` gives them.

    Args:
        figures: The figures.
        label: The model's name.
    """
    rows = [(label, *cells(figures["model"]))]
    if figures["minus_commonest"]:
        pairs = figures["minus_commonest"]
        minus = "minus the commonest category's, paired, points"
        rows.append((minus, *(in_points(pairs.get(measure)) for measure in COLUMNS)))
    rows += [(name, *cells(figures[key])) for key, name in REFERENCES.items() if key in figures]
    title = f"What the reasons of {label} name"
    head = ("reason", *COLUMNS.values())
    said = f"Reasons: {figures['n']}; categories: {figures['categories']}. {NOTE}"
    return [Heading(title, 3), Table(title, head, tuple(rows), marked=label), Text(said)]


def rubric_lines(figures: dict[str, Any]) -> list[str]:
    """The main figures in a line each, beside the commonest category's texts where these are known."""
    lines = []
    for measure in ("sensible", "own_part", "shape"):
        value = with_interval(figures["model"].get(measure))
        pair = in_points((figures["minus_commonest"] or {}).get(measure))
        beside = f"; {pair} points to texts of training's commonest category" if pair else ""
        lines += [f"- reason names {COLUMNS[measure]}: {value}{beside}"] if value else []
    return lines


def cells(shares: dict[str, Any]) -> list[str]:
    return [with_interval(shares.get(measure)) for measure in COLUMNS]
