"""The figures of a cross-validated benchmark: one row a model and split, pooled over its folds, from its cells.

A cell is one model on one fold, as `graspwise benchmark cornell` keeps it. All of its keys that later measurements
add are optional: what no cell has is None in the row. Cells of different budgets or seeds are never pooled.
"""

from collections.abc import Iterable, Sequence
from statistics import mean, median, pstdev
from typing import Any, get_args

import numpy as np

from graspwise.data.split import By
from graspwise.evaluation.naming import NamingRecord
from graspwise.evaluation.rubric import rubric_figures
from graspwise.evaluation.score import Record, in_percent, naming_share, paired_difference, summarise

SPLITS: tuple[By, ...] = get_args(By)
MAIN = "lora-reasoned"
PEER = "grconvnet"
REFERENCES = (PEER, MAIN)
# These write no text, so there is nothing that could fail to parse.
WORDLESS = frozenset({"random", "centre", "blob", "head", "grconvnet", "grconvnet-depth"})
# Bins of the calibration hold equal counts, of at least so many photographs.
MOST_BINS = 8
LEAST_IN_BIN = 15

Cell = dict[str, Any]
Row = dict[str, Any]


def compare(cells: Sequence[Cell]) -> list[Row]:
    """Rows of all models, by split, object-wise first, then by accuracy, the best first.

    Args:
        cells: As `read_cells` returns them, at least one.

    Returns:
        Rows as they stand in `report.json`. `label` names a row within its split: the cell's name, and budget and
        seed where cells of that name differ in them. In a row that is about names only, `n` is 0 and `mean` None.
    """
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell["split"], cell["cell"], *budget_of(cell).values(), seed_of(cell)), []).append(cell)
    rows = [pooled(sorted(members, key=lambda cell: cell["fold"])) for members in groups.values()]
    names = [(row["split"], row["cell"]) for row in rows]
    for row in rows:
        alone = names.count((row["split"], row["cell"])) == 1
        row["label"] = row["cell"] if alone else f"{row['cell']}, {budget_text(row)} samples, seed {row['seed']}"
    rows.sort(key=lambda row: (SPLITS.index(row["split"]), -(row["mean"] if row["n"] else -1), row["label"]))
    records = [read_records(cell["records"] for cell in groups[key_of(row)] if "records" in cell) for row in rows]
    for row, own in zip(rows, records, strict=True):
        row["minus"] = {name: difference(row, own, name, rows, records) for name in REFERENCES}
    return rows


def key_of(row: Row) -> tuple[Any, ...]:
    return (row["split"], row["cell"], *row["training_samples"].values(), row["seed"])


def budget_of(cell: Cell) -> dict[str, int]:
    """Samples trained on, of the alignment and of answers."""
    samples = cell.get("training_samples") or {}
    return {"align": samples.get("align", 0), "answers": samples.get("answers", 0)}


def seed_of(cell: Cell) -> int | None:
    seed: int | None = cell.get("config", {}).get("seed")
    return seed


def budget_text(row: Row) -> str:
    """A row's budget in samples, of alignment and of answers."""
    align, answers = row["training_samples"]["align"], row["training_samples"]["answers"]
    return f"{align:,} + {answers:,}" if align or answers else "none"


def budget_total(row: Row) -> int:
    """All samples that a row's model was trained on."""
    return sum(row["training_samples"].values())


def pooled(members: Sequence[Cell]) -> Row:
    """The row of one model's folds, without what compares it with others."""
    scored = [cell for cell in members if cell.get("records")]
    centred, text_alone = (
        [cell[key] | {"fold": cell["fold"]} for cell in scored if cell.get(key)] for key in ("centred", "text_alone")
    )
    raw = [record for cell in scored for record in cell["records"]]
    first, right = members[0], accuracy(scored)
    return {
        "split": first["split"],
        "cell": first["cell"],
        "folds": [cell["fold"] for cell in members],
        "training_samples": budget_of(first),
        "seed": seed_of(first),
        **right,
        "centred": accuracy(centred) | {"folds": [part["fold"] for part in centred]} if centred else None,
        "text_alone": accuracy(text_alone) | {"folds": [part["fold"] for part in text_alone]} if text_alone else None,
        "naming": naming(members, right["summary"]),
        "rubric": rubric(scored),
        "unparsed": unparsed(raw) if raw and first["cell"] not in WORDLESS else None,
        "curve": curve([cell["curve"] for cell in members if cell.get("curve")]),
        "calibration": calibration(raw),
        "seconds_single": middle(cell.get("seconds_single") for cell in scored),
        "memory_mib": middle(cell.get("memory_mib") for cell in scored),
    }


def accuracy(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation of the folds' accuracies in percent, and the summary of their records together."""
    percents = [part["summary"]["accuracy"]["percent"] for part in parts]
    records = read_records(part["records"] for part in parts)
    summary = summarise(records)
    return {
        "n": len(records),
        "with_opening": sum(record.hit_own is not None for record in records),
        "mean": round(mean(percents), 2) if percents else None,
        "std": round(pstdev(percents), 2) if percents else None,
        "summary": summary,
    }


def read_records(parts: Iterable[Sequence[dict[str, Any]]]) -> list[Record]:
    """Records of several cells' JSON, in order."""
    return [Record(**raw) for part in parts for raw in part]


def difference(
    row: Row, records: Sequence[Record], name: str, rows: Sequence[Row], others: Sequence[Sequence[Record]]
) -> dict[str, Any] | None:
    """This row's accuracy minus that of the cell `name` on common photographs; None without any, or with itself."""
    found = [
        i for i, other in enumerate(rows) if (other["split"], other["cell"]) == (row["split"], name) and other["n"]
    ]
    if not found or not records:
        return None
    # Of several the one that most photographs were asked of stands for the name.
    chosen = max(found, key=lambda i: rows[i]["n"])
    common = {record.image for record in others[chosen]} & {record.image for record in records}
    if rows[chosen] is row or not common:
        return None
    return paired_difference(records, others[chosen])


def unparsed(raw: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of answers whose text, free of any grammar, holds no grasp."""
    values = [not r.get("parsed", True) or r.get("unconstrained_fails", False) for r in raw]
    percent, ci95 = in_percent(values, [r["object_id"] for r in raw])
    return {"percent": percent, "ci95": ci95}


def naming(members: Sequence[Cell], summary: dict[str, Any]) -> dict[str, Any] | None:
    """Share of photographs whose category is named, of categories known from training; None where none was asked."""
    named = [NamingRecord(**raw) for cell in members for raw in cell.get("names", ())]
    found = naming_share(named) if named else summary.get("naming")
    return found if found and found["n"] else None


def rubric(scored: Sequence[Cell]) -> dict[str, Any] | None:
    """What the reasons say of part and shape; None where there are none about a category with facts."""
    commonest = [cell["commonest_category"] for cell in scored if "commonest_category" in cell for _ in cell["records"]]
    records = read_records(cell["records"] for cell in scored)
    return rubric_figures(records, commonest if len(commonest) == len(records) else ())


def curve(curves: Sequence[Sequence[Sequence[float]]]) -> list[list[float]] | None:
    """Mean over folds of [samples, percent], where every fold has a point."""
    if not curves:
        return None
    folds = [{int(samples): percent for samples, percent in points} for points in curves]
    common = sorted(set.intersection(*(set(fold) for fold in folds)))
    return [[samples, round(mean(fold[samples] for fold in folds), 2)] for samples in common]


def calibration(raw: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Share right against mean quality, in bins of equal counts; None where too few grasps have a quality."""
    rated = [r for r in raw if r.get("grasp") and r["grasp"].get("quality") is not None]
    rated.sort(key=lambda r: r["grasp"]["quality"])
    count = min(MOST_BINS, len(rated) // LEAST_IN_BIN)
    if count < 2:
        return None
    bins = []
    for index in np.array_split(np.arange(len(rated)), count):
        part = [rated[i] for i in index]
        percent, ci95 = in_percent([r["hit"] for r in part], [r["object_id"] for r in part])
        quality = round(mean(r["grasp"]["quality"] for r in part), 4)
        bins.append({"n": len(part), "quality": quality, "percent": percent, "ci95": ci95})
    return bins


def middle(values: Iterable[float | None]) -> float | None:
    """Median of those that are there."""
    found = [value for value in values if value is not None]
    return round(median(found), 4) if found else None


def main_row(rows: Sequence[Row], split: str) -> Row | None:
    """The row that a split's plots and photographs are of: `lora-reasoned`, else the best."""
    scored = [row for row in rows if row["split"] == split and row["n"]]
    return next((row for row in scored if row["cell"] == MAIN), scored[0] if scored else None)


def peer_row(rows: Sequence[Row], split: str) -> Row | None:
    """The row of GR-ConvNet in a split."""
    return next((row for row in rows if row["split"] == split and row["cell"] == PEER and row["n"]), None)
