"""Tables from records: `report.json`, and `report.md` made from it and nothing else."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from graspwise.evaluation.score import Record, paired_difference, summarise
from graspwise.files import write_json, write_text

COLUMNS = (
    ("accuracy", "right, ground-truth w"),
    ("accuracy_own_opening", "right, own opening"),
    ("accuracy_oblique", "right, all labels oblique"),
    ("accuracy_any_of_ranked", "right within its ranked grasps"),
    ("category_named", "reason names the category"),
    ("unconstrained_failures", "would not parse without the grammar"),
)


def evaluation_report(
    folder: Path | str, *, model: str, data: str, records: Sequence[Record], command: str
) -> dict[str, Any]:
    """Write `report.json` and `report.md` of one model on one data set."""
    report: dict[str, Any] = {
        "protocol": "workspace crop, rectangle metric (IoU > 0.25, < 30 degrees), unaugmented photographs",
        "model": model,
        "data": data,
        "date": time.strftime("%Y-%m-%d"),
        "command": command,
        "summary": summarise(records),
        "records": [asdict(record) for record in records],
    }
    write_json(Path(folder) / "report.json", report)
    lines = [f"# {model} on {data}", "", f"{report['protocol']}; {report['date']}; `{command}`", ""]
    lines += evaluation_lines(report["summary"])
    write_text(Path(folder) / "report.md", "\n".join(lines) + "\n")
    return report


def evaluation_lines(summary: dict[str, Any]) -> list[str]:
    """The figures of one model, a line each."""
    lines = [f"{summary['n']} photographs of {summary['objects']} objects, {summary['seen_objects']} seen in training"]
    lines += [
        f"- {title}: {with_interval(summary[key])}" for key, title in COLUMNS if summary[key]["percent"] is not None
    ]
    return [*lines, f"- median time: {summary['seconds_median']:.2f} s an answer, in batches"]


def with_interval(share: dict[str, Any]) -> str:
    """A percentage with its 95% interval, and n where it is not the table's."""
    if share["percent"] is None:
        return ""
    low, high = share["ci95"]
    count = f", n = {share['n']}" if "n" in share else ""
    return f"{share['percent']:.1f}% ({low:.1f} to {high:.1f}{count})"


def benchmark_report(folder: Path | str, cells: Sequence[dict[str, Any]], *, command: str) -> dict[str, Any]:
    """Write `report.json` and `report.md` of a benchmark's finished cells.

    Args:
        folder: Report folder.
        cells: As `read_cells` returns them.
        command: The command that made them.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in cells:
        groups.setdefault((cell["split"], cell["cell"]), []).append(cell)
    rows = []
    for (split, name), members in groups.items():
        records = [Record(**record) for cell in members for record in cell["records"]]
        percents = [cell["summary"]["accuracy"]["percent"] for cell in members]
        rows.append(
            {
                "split": split,
                "cell": name,
                "folds": sorted(cell["fold"] for cell in members),
                "mean": round(mean(percents), 2),
                "std": round(pstdev(percents), 2),
                "training_samples": members[0]["training_samples"],
                "summary": summarise(records),
                "records": records,
            }
        )
    rows.sort(key=lambda row: (row["split"], row["mean"]))
    for row in rows:
        best = next((r for r in rows if r["split"] == row["split"] and r["cell"] == "lora-reasoned"), None)
        row["reasoned_minus_this"] = (
            paired_difference(best["records"], row["records"]) if best and best is not row else None
        )
    report = {
        "protocol": "workspace crop, rectangle metric (IoU > 0.25, < 30 degrees), ground-truth w",
        "command": command,
        "date": max(cell["date"] for cell in cells),
        "seed": cells[0]["config"]["seed"],
        "rows": [{k: v for k, v in row.items() if k != "records"} for row in rows],
    }
    write_json(Path(folder) / "report.json", report)
    write_text(Path(folder) / "report.md", "\n".join(benchmark_lines(report)) + "\n")
    return report


def benchmark_lines(report: dict[str, Any]) -> list[str]:
    """A Markdown table a split."""
    lines = [
        "# Cornell, cross-validated",
        "",
        f"Protocol: {report['protocol']}; seed {report['seed']}; {report['date']}.",
        "",
    ]
    for split in dict.fromkeys(row["split"] for row in report["rows"]):
        rows = [row for row in report["rows"] if row["split"] == split]
        lines += [f"## {split}-wise, folds {', '.join(map(str, rows[0]['folds']))}", ""]
        head = ["model", "n", "mean ± std over folds", *(title for _, title in COLUMNS), "reasoned minus this, paired",
                "training samples, alignment + answers", "s an answer"]  # fmt: skip
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row in rows:
            summary, pair, budget = row["summary"], row["reasoned_minus_this"], row["training_samples"]
            cells = [row["cell"], str(summary["n"]), f"{row['mean']:.1f} ± {row['std']:.1f}"]
            cells += [with_interval(summary[key]) for key, _ in COLUMNS]
            cells += [f"{pair['points']:+.1f} ({pair['ci95'][0]:+.1f} to {pair['ci95'][1]:+.1f})" if pair else ""]
            cells += [f"{budget['align']:,} + {budget['answers']:,}", f"{summary['seconds_median']:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return [*lines, f"`{report['command']}`"]
