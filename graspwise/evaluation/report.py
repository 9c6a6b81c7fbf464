"""Reports from records: `report.json`, and `report.md`, `report.html` and plots made from it and nothing else."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graspwise.errors import InputError
from graspwise.evaluation.charts import chart_blocks, charts, save_chart
from graspwise.evaluation.comparison import (
    PEER,
    SPLITS,
    budget_of,
    budget_text,
    budget_total,
    compare,
    main_row,
    peer_row,
    seed_of,
)
from graspwise.evaluation.controls import ControlRecord, control_summary
from graspwise.evaluation.document import Block, Code, Heading, Text, in_points, markdown, with_interval
from graspwise.evaluation.gallery import Photograph, draw_gallery, gallery_of, picks
from graspwise.evaluation.page import page
from graspwise.evaluation.rubric import rubric_figures
from graspwise.evaluation.rubric_table import rubric_blocks
from graspwise.evaluation.score import Record, summarise
from graspwise.evaluation.table_one import all_rows, controls_table, names_table, published_json, table_one
from graspwise.files import write_json, write_text

COLUMNS = (
    ("accuracy", "right, ground-truth w"),
    ("accuracy_own_opening", "right, own opening"),
    ("accuracy_oblique", "right, all labels oblique"),
    ("accuracy_any_of_ranked", "right within its ranked grasps"),
    ("category_named", "reason names the category"),
    ("parsed", "answers that hold a grasp"),
    ("unconstrained_failures", "would not parse without the grammar"),
)


def evaluation_report(
    folder: Path | str, *, model: str, data: str, records: Sequence[Record], command: str, commonest: str = ""
) -> dict[str, Any]:
    """Write `report.json` and `report.md` of one model on one data set.

    Args:
        folder: Where to.
        model: Its name.
        data: The data set's name.
        records: The model's answers.
        command: The command that made them.
        commonest: The commonest category of what the model was trained on, where it is known.
    """
    report: dict[str, Any] = {
        "protocol": "workspace crop, rectangle metric (IoU > 0.25, < 30 degrees), unaugmented photographs",
        "model": model,
        "data": data,
        "date": time.strftime("%Y-%m-%d"),
        "command": command,
        "summary": summarise(records),
        "rubric": rubric_figures(records, [commonest] * len(records) if commonest else ()),
        "records": [asdict(record) for record in records],
    }
    write_json(Path(folder) / "report.json", report)
    lines = [f"# {model} on {data}", "", f"{report['protocol']}; {report['date']}; `{command}`", ""]
    lines += evaluation_lines(report["summary"])
    if report["rubric"]:
        lines += ["", *markdown(rubric_blocks(report["rubric"], model))]
    write_text(Path(folder) / "report.md", "\n".join(lines) + "\n")
    return report


def evaluation_lines(summary: dict[str, Any]) -> list[str]:
    """The figures of one model, a line each."""
    lines = [f"{summary['n']} photographs of {summary['objects']} objects, {summary['seen_objects']} seen in training"]
    lines += [
        f"- {title}: {with_interval(summary[key])}" for key, title in COLUMNS if summary[key]["percent"] is not None
    ]
    return [*lines, f"- median time: {summary['seconds_median']:.2f} s an answer, in batches"]


def benchmark_report(
    folder: Path | str,
    cells: Sequence[dict[str, Any]],
    *,
    command: str,
    splits_file: str | None = None,
    photograph: Photograph | None = None,
) -> dict[str, Any]:
    """Write `report.json` of a benchmark's finished cells, and what `write_benchmark` makes from it.

    Args:
        folder: Report folder.
        cells: As `read_cells` returns them.
        command: The command that made them.
        splits_file: Name of the file that has the folds.
        photograph: Gives the photographs for the gallery; without it there is none.

    Raises:
        InputError: there is no cell, or a photograph is not there.
    """
    if not cells:
        raise InputError(f"{folder}: found no finished cell; valid is at least one file in its cells/")
    report = benchmark_figures(cells, command=command, splits_file=splits_file)
    write_json(Path(folder) / "report.json", report)
    write_benchmark(folder, report, photograph=photograph)
    return report


def benchmark_figures(cells: Sequence[dict[str, Any]], *, command: str, splits_file: str | None) -> dict[str, Any]:
    """What `report.json` holds."""
    rows = compare([cell for cell in cells if "controls" not in cell])
    configs = [{k: v for k, v in cell.get("config", {}).items() if k != "recipe"} for cell in cells]
    seeds = sorted({seed for cell in cells if (seed := seed_of(cell)) is not None})
    return {
        "protocol": "workspace crop, rectangle metric (IoU > 0.25, < 30 degrees), ground-truth w",
        "command": command,
        "date": max(cell["date"] for cell in cells),
        "seeds": seeds,
        "splits_file": splits_file,
        "config": {key: values_of(key, configs) for key in dict.fromkeys(key for config in configs for key in config)},
        "recipes": recipes(cells),
        "published": published_json(),
        "rows": rows,
        "controls": {split: found for split in SPLITS if (found := controls_of(cells, split))},
        "gallery": gallery_picks(rows, cells),
    }


def controls_of(cells: Sequence[dict[str, Any]], split: str) -> dict[str, Any] | None:
    """Figures of the controls on the reasoning, over the folds they were run on; None where they were not."""
    own = [cell for cell in cells if "controls" in cell and cell["split"] == split]
    records = [ControlRecord(**record) for cell in own for record in cell["controls"]]
    return {"folds": sorted(c["fold"] for c in own), "figures": control_summary(records)} if records else None


def values_of(key: str, configs: Sequence[dict[str, Any]]) -> Any:
    """A key's value in all configurations, or the list of its values."""
    found = [config[key] for config in configs if key in config]
    distinct = [value for i, value in enumerate(found) if value not in found[:i]]
    return distinct[0] if len(distinct) == 1 else distinct


def recipes(cells: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The distinct recipes, each with the names of the cells that were trained by it."""
    found: list[dict[str, Any]] = []
    for cell in cells:
        recipe = cell.get("config", {}).get("recipe")
        if recipe is None:
            continue
        known = next((one for one in found if one["recipe"] == recipe), None)
        if known is None:
            found.append(known := {"cells": [], "recipe": recipe})
        if cell["cell"] not in known["cells"]:
            known["cells"].append(cell["cell"])
    return found


def gallery_picks(rows: Sequence[dict[str, Any]], cells: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Which answers the gallery shows: of the first split that has any, its main row."""
    row = next((found for split in SPLITS if (found := main_row(rows, split))), None)
    if row is None:
        return None
    key = (row["split"], row["cell"], row["training_samples"], row["seed"])
    own = [c for c in cells if (c["split"], c["cell"], budget_of(c), seed_of(c)) == key]
    records = [record for cell in sorted(own, key=lambda c: c["fold"]) for record in cell.get("records", ())]
    return {"split": row["split"], "label": row["label"], "picks": picks(records)}


def write_benchmark(folder: Path | str, report: dict[str, Any], *, photograph: Photograph | None = None) -> None:
    """Write `report.md`, `report.html`, `plots/` and, with photographs, `gallery/` from what `report.json` holds.

    Raises:
        InputError: a photograph is not there.
    """
    target = Path(folder)
    blocks = benchmark_blocks(report)
    for split in SPLITS:
        for chart, _, draw in charts(report, split).values():
            save_chart(target, chart, draw)
    gallery = gallery_of(report) if photograph else None
    if photograph and gallery:
        draw_gallery(report, target, photograph)
        # Before the section on how it was made.
        blocks.insert(next(i for i, b in enumerate(blocks) if isinstance(b, Heading) and b.text == MADE), gallery)
    write_text(target / "report.md", "\n".join(benchmark_lines(report)) + "\n")
    write_text(target / "report.html", page(blocks))


def benchmark_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    return markdown(benchmark_blocks(report))


MADE = "How it was made"


def benchmark_blocks(report: dict[str, Any]) -> list[Block]:
    """The report without its photographs."""
    seeds = ", ".join(map(str, report["seeds"]))
    blocks: list[Block] = [Heading("Cornell, cross-validated", 1)]
    blocks += [Text(f"Protocol: {report['protocol']}; seed {seeds}; {report['date']}.")]
    for split in SPLITS:
        blocks += split_blocks(report, split)
    return blocks + made_blocks(report)


def split_blocks(report: dict[str, Any], split: str) -> list[Block]:
    """The sections of a split; of one that was not run, that it was not."""
    blocks: list[Block] = [Heading(f"{split}-wise", 2)]
    if not any(row["split"] == split for row in report["rows"]):
        return [*blocks, Text("Not run.")]
    blocks += lead(report, split)
    blocks += table_one(report, split)
    if any(row["split"] == split and row["n"] for row in report["rows"]):
        blocks += all_rows(report, split)
    blocks += names_table(report, split)
    for row in report["rows"]:
        if row["split"] == split and row["rubric"]:
            blocks += rubric_blocks(row["rubric"], row["label"])
    blocks += controls_table(report, split)
    plots = charts(report, split)
    titles = {
        "curve": "Accuracy through training (RT-Grasp, Fig. 7)",
        "reliability": "Reliability by category",
        "calibration": "Calibration of the grasps' quality",
    }
    for kind, title in titles.items():
        if kind in plots:
            blocks += [Heading(title, 3), *chart_blocks(plots[kind])]
    return blocks


def lead(report: dict[str, Any], split: str) -> list[Block]:
    """The main figure in a sentence."""
    main, peer = main_row(report["rows"], split), peer_row(report["rows"], split)
    if main is None:
        return []
    said = (
        f"**{main['label']}** is right on {with_interval(main['summary']['accuracy'])} of {main['n']} photographs of "
        f"{main['summary']['objects']} objects, folds {', '.join(map(str, main['folds']))}; "
        f"{main['mean']:.1f} ± {main['std']:.1f} over folds"
    )
    pair = main["minus"][PEER]
    if peer and pair:
        said += f". Minus {peer['label']}, paired: {in_points(pair)} points on {pair['n']} photographs"
        if budget_total(peer) != budget_total(main):
            said += f", at {budget_text(main)} and {budget_text(peer)} training samples"
    return [Text(f"{said}.")]


def made_blocks(report: dict[str, Any]) -> list[Block]:
    """Command, configuration, seed, date and splits."""
    blocks: list[Block] = [Heading(MADE, 2), Code(report["command"])]
    seeds = ", ".join(map(str, report["seeds"]))
    splits = f"; folds in `{report['splits_file']}`" if report["splits_file"] else ""
    blocks += [Text(f"{report['date']}; seed {seeds}{splits}.")]
    lines = [f"{key}: {in_words(value)}" for key, value in report["config"].items()]
    for used in report["recipes"]:
        lines += ["", f"recipe of {', '.join(used['cells'])}"]
        lines += [f"  {key}: {in_words(value)}" for key, value in used["recipe"].items()]
    return [*blocks, Code("\n".join(lines))]


def in_words(value: Any) -> str:
    """A value of a configuration on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
