"""The tables of a cross-validated benchmark: RT-Grasp's Table I, ours beside the published, and all rows."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from graspwise.evaluation.comparison import MAIN, PEER, Row, budget_text, budget_total, main_row, peer_row
from graspwise.evaluation.document import Block, Details, Heading, Table, Text, in_points, with_interval, without_blank

# Cell, its name in the table, and what RT-Grasp's Table I has for it: mean and standard deviation in percent.
PUBLISHED: tuple[tuple[str, str, dict[str, tuple[float, float | None]]], ...] = (
    (PEER, "GR-ConvNet", {"image": (96.60, None), "object": (95.50, None)}),
    ("projector-bare", "projector, bare", {"image": (65.70, 0.87), "object": (61.55, 1.32)}),
    ("projector-prompted", "projector, prompted", {"image": (72.94, 2.08), "object": (67.04, 3.46)}),
    ("projector-reasoned", "projector, reasoned", {"image": (74.41, 0.88), "object": (72.61, 2.78)}),
    ("lora-bare", "LoRA, bare", {"image": (58.44, 6.04), "object": (50.31, 14.34)}),
    ("lora-prompted", "LoRA, prompted", {"image": (69.15, 11.00), "object": (67.44, 9.99)}),
    ("lora-reasoned", "LoRA, reasoned", {"image": (84.05, 0.78), "object": (77.02, 0.93)}),
)
BUDGET = "training samples, alignment + answers"
MEASURED = (
    "The best constant is the one opening that suits a row's own hits best, as nobody can know it. Times are medians: "
    "alone is one answer at a time in a process of its own, whose memory it is; in batches is while scoring."
)
ERRORS = (("mae_hits", 100), ("mae_constant", 100), ("ratio", 1))
# Shares of few photographs say nothing of a category.
LEAST_OF_CATEGORY = 5


def published_json() -> dict[str, dict[str, list[float | None]]]:
    """The published figures by cell and split."""
    return {cell: {split: list(pair) for split, pair in splits.items()} for cell, _, splits in PUBLISHED}


def table_one(report: dict[str, Any], split: str) -> list[Block]:
    """Table I of one split; nothing of a split that the paper has not."""
    if not any(split in splits for _, _, splits in PUBLISHED):
        return []
    found = {cell: widest(report["rows"], split, cell) for cell, _, _ in PUBLISHED}
    there = [row for row in found.values() if row]
    totals = Counter(budget_total(row) for row in there)
    common = totals.most_common(1)[0][0] if totals else 0
    rows = []
    for cell, name, _ in PUBLISHED:
        row = found[cell]
        mean, std = report["published"][cell][split]
        paper = f"{mean:.2f}" if std is None else f"{mean:.2f} ± {std:.2f}"
        if row is None:
            rows.append((name, "", "", "", "", "", paper))
            continue
        other = "" if budget_total(row) == common else f", {budget_text(row)} samples"
        low, high = row["summary"]["accuracy"]["ci95"]
        rows.append(
            (name + other, f"{row['mean']:.1f} ± {row['std']:.1f}", f"{low:.1f} to {high:.1f}",
             over_folds(row["text_alone"], row["folds"]) if row["text_alone"] else "", str(row["n"]),
             fold_text(row["folds"]), paper)
        )  # fmt: skip
    title = "Table I" + (f" at {common:,} training samples a cell" if common else "")
    head = ("answers", "ours, % ± std over folds", "95% interval", "its text alone", "n", "folds",
            "PUBLISHED: other data and training, not comparable")  # fmt: skip
    main = next((name for cell, name, _ in PUBLISHED if cell == MAIN and found[cell]), "")
    missing = [name for cell, name, _ in PUBLISHED if found[cell] is None]
    notes = ["Workspace crop, ground-truth w. Published: RT-Grasp, Table I, LLaVA-7B on all of Cornell."]
    shares = dict.fromkeys(budget_text(row) for row in there)
    if any(row["text_alone"] for row in there):
        notes.append("Text alone: the language model's digits, which no dense head weighs, as the published rows are.")
    notes += [f"Samples, alignment + answers: {'; '.join(shares)}."] if shares else []
    notes += ["Rows of another budget say theirs; they are not to be compared."] if len(totals) > 1 else []
    notes += [f"Blank, because not run: {'; '.join(missing)}."] if missing else []
    return [Heading(title, 3), Table(title, head, tuple(rows), marked=main, foreign=1), Text(" ".join(notes))]


def all_rows(report: dict[str, Any], split: str) -> list[Block]:
    """All models of one split: how often right, then words, opening, time and memory."""
    rows = [row for row in report["rows"] if row["split"] == split and row["n"]]
    marked = marked_label(report, split)
    right, unasked = without_blank(right_table(rows, marked))
    other, unmeasured = without_blank(other_table(rows, marked, peer_row(rows, split)))
    blank = f"Not measured in any row: {'; '.join((*unasked, *unmeasured))}." if unasked or unmeasured else ""
    several = len({budget_total(row) for row in rows} - {0}) > 1
    notes = [
        "A bracket is a 95% interval, bootstrapped over objects.",
        "Paired differences are in points, ground-truth w, workspace, on the photographs that both rows answered.",
        "Rows were trained on different budgets, each named in its row." if several else "",
        blank,
    ]
    return [
        Heading("All rows: how often right", 3), right, Text(" ".join(note for note in notes if note)),
        Heading("All rows: words, opening, time and memory", 3), other, Text(MEASURED),
    ]  # fmt: skip


def right_table(rows: Sequence[Row], marked: str) -> Table:
    head = ("model", "workspace, ground-truth w", "workspace, own opening", "centred on the labels, ground-truth w",
            "centred on the labels, own opening", f"minus {PEER}, paired", f"minus {MAIN}, paired",
            "all labels oblique", "any of its ranked", "n", "folds", BUDGET)  # fmt: skip
    lines = []
    for row in rows:
        summary, centred = row["summary"], row["centred"]
        lines.append(
            (row["label"], over_folds(row, row["folds"]), own_text(row),
             over_folds(centred, row["folds"]) if centred else "", own_text(centred) if centred else "",
             *(paired_text(row["minus"][name], row["n"]) for name in (PEER, MAIN)),
             with_interval(summary["accuracy_oblique"]), with_interval(summary["accuracy_any_of_ranked"]),
             str(row["n"]), fold_text(row["folds"]), budget_text(row))
        )  # fmt: skip
    return Table("All rows: how often right", head, tuple(lines), marked)


def other_table(rows: Sequence[Row], marked: str, peer: Row | None) -> Table:
    head = ("model", "reason names the category", "would not parse without the grammar",
            "opening: mean error on hits, % of the width", "the best constant's", "ratio",
            "s an answer, alone", f"times {PEER}'s", "s an answer, in batches", "memory, MiB", BUDGET)  # fmt: skip
    base = peer["seconds_single"] if peer else None
    lines = []
    for row in rows:
        summary, alone = row["summary"], row["seconds_single"]
        lines.append(
            (row["label"], with_interval(summary["category_named"]), with_interval(row["unparsed"]),
             *(figure_text(summary["opening"][key], times, 2) for key, times in ERRORS),
             seconds_text(alone), f"{alone / base:.3g}" if alone and base else "",
             seconds_text(summary["seconds_median"]), figure_text(row["memory_mib"], 1, 0), budget_text(row))
        )  # fmt: skip
    return Table("All rows: words, opening, time and memory", head, tuple(lines), marked)


def names_table(report: dict[str, Any], split: str) -> list[Block]:
    """Who names the category, beside the majority class and the nearest neighbour; nothing where it was not asked."""
    rows = [row for row in report["rows"] if row["split"] == split and row["naming"]]
    rows.sort(key=lambda row: -row["naming"]["percent"])
    lines = []
    for row in rows:
        low, high = row["naming"]["ci95"]
        lines.append((row["label"], f"{row['naming']['percent']:.1f}% ({low:.1f} to {high:.1f})",
                      str(row["naming"]["n"]), fold_text(row["folds"])))  # fmt: skip
    if not lines:
        return []
    title = "The category named, where training has two or more of its objects"
    head = ("model", "named (95% interval)", "n", "folds")
    return [Heading(title, 3), Table(title, head, tuple(lines), marked_label(report, split))]


def controls_table(report: dict[str, Any], split: str) -> list[Block]:
    """What becomes of the main cell's grasps after other reasons than its own; nothing where it was not asked."""
    found = report["controls"].get(split)
    if found is None:
        return []
    lines = []
    for control, at in found["figures"].items():
        lines.append((control, f"{at['percent']:.1f}%", in_points(at["minus_true"]),
                      f"{100 * at['median_move']:.2f}", f"{100 * at['mean_move']:.2f}",
                      f"{100 * at['moved_share']:.1f}%", str(at["n"])))  # fmt: skip
    title = f"Does the reasoning matter to the grasp of {MAIN}?"
    head = ("numbers written after", "right, ground-truth w", "minus the true text, points",
            "median move, % of the width", "mean move", "moved by 3% or 10 degrees", "n")  # fmt: skip
    said = (
        f"Folds {fold_text(found['folds'])}. Moves are from the grasp after the true text; drawn is at temperature 1."
    )
    return [Heading(title, 3), Table(title, head, tuple(lines)), Text(said)]


def reliability_table(rows: Sequence[Row], split: str) -> Details | None:
    """Hits of n by category of a split's main row and of GR-ConvNet, the worst first."""
    compared = compared_rows(rows, split)
    if not compared:
        return None
    lines = [
        (name, *(hits_text(row["summary"]["by_category"].get(name)) for row in compared))
        for name in categories(compared[0])
    ]
    head = ("category", *(row["label"] for row in compared))
    return Details("Hits of n by category", Table("Hits of n by category", head, tuple(lines)))


def compared_rows(rows: Sequence[Row], split: str) -> list[Row]:
    """The rows whose reliability is shown side by side: the main one first, then GR-ConvNet."""
    main, peer = main_row(rows, split), peer_row(rows, split)
    return [main, *([peer] if peer and peer is not main else [])] if main else []


def categories(row: Row) -> list[str]:
    """Categories with photographs enough, the least reliable first."""
    found = {name: at for name, at in row["summary"]["by_category"].items() if at["n"] >= LEAST_OF_CATEGORY}
    return sorted(found, key=lambda name: (found[name]["hits"] / found[name]["n"], -found[name]["n"], name))


def widest(rows: Sequence[Row], split: str, cell: str) -> Row | None:
    """Of a cell's rows in a split, that with most photographs."""
    found = [row for row in rows if (row["split"], row["cell"]) == (split, cell) and row["n"]]
    return max(found, key=lambda row: row["n"], default=None)


def marked_label(report: dict[str, Any], split: str) -> str:
    main = main_row(report["rows"], split)
    return main["label"] if main else ""


def own_text(part: dict[str, Any]) -> str:
    """Right with the model's own opening, with the count where not every answer has one."""
    found = part["summary"]["accuracy_own_opening"]
    return with_interval(found if part["with_opening"] == part["n"] else {**found, "n": part["with_opening"]})


def over_folds(part: dict[str, Any], folds: Sequence[int]) -> str:
    """Mean, deviation and interval, and the folds where they are not those of the row."""
    low, high = part["summary"]["accuracy"]["ci95"]
    other = "" if part["folds"] == list(folds) else f"; folds {fold_text(part['folds'])}"
    return f"{part['mean']:.1f} ± {part['std']:.1f} ({low:.1f} to {high:.1f}{other})"


def paired_text(pair: dict[str, Any] | None, n: int) -> str:
    """A difference, with its count of photographs where that is not the row's."""
    text = in_points(pair)
    return text if pair is None or pair["n"] == n else f"{text[:-1]}; n = {pair['n']})"


def fold_text(folds: Sequence[int]) -> str:
    return ", ".join(map(str, folds))


def figure_text(value: float | None, times: float, decimals: int) -> str:
    return "" if value is None else f"{times * value:,.{decimals}f}"


def seconds_text(seconds: float | None) -> str:
    """Three figures below a second."""
    if seconds is None:
        return ""
    return "< 0.001" if seconds < 0.001 else f"{seconds:.3g}" if seconds < 1 else f"{seconds:.2f}"


def hits_text(counted: dict[str, int] | None) -> str:
    return f"{counted['hits']}/{counted['n']}" if counted else ""
