"""The report of the refinement benchmark: `report.json`, and `report.md`, `report.html` and pictures from it."""

import time
from pathlib import Path
from typing import Any

from graspwise.evaluation.document import Block, Code, Details, Heading, Table, Text, in_points, markdown, with_interval
from graspwise.evaluation.gallery import Photograph
from graspwise.evaluation.page import page
from graspwise.evaluation.refine_gallery import draw_gallery, gallery_of, picks
from graspwise.evaluation.refine_score import ALL, FIGURES, refinement_summary
from graspwise.files import write_json, write_text

NAMES = {
    "again": "the first question again",
    "next": "its next ranked grasp",
    "rule": "numbers moved by rule",
}
HEAD = ("obeyed", "valid", "obeyed and valid", "rest kept", "n")
WORDS = (
    "A request is **obeyed** when the grasp changes the way, or to the place, that was asked for, by at least a just "
    "visible size, and **valid** when it is right by the rectangle metric with ground-truth w. The rest is kept when a "
    "move that was asked for leaves the angle within 20 degrees, and a turn the place. Each request is drawn from the "
    "labels and the model's last grasp, in words that no training data has; the baselines answer the same requests "
    "after the same conversations, without reading them. Brackets: 95% intervals over objects."
)


def refinement_report(
    folder: Path | str, cell: dict[str, Any], *, config: dict[str, Any], command: str, photograph: Photograph
) -> dict[str, Any]:
    """Write the report of one model's conversations.

    Args:
        folder: Report folder.
        cell: As `run_refinement` returns it.
        config: What was asked.
        command: The command that made it.
        photograph: Gives the photographs for the gallery.

    Raises:
        InputError: a photograph is not there.
    """
    target, records = Path(folder), cell["records"]
    report = {
        "model": cell["model"],
        "data": cell["data"],
        "split": cell["split"],
        "date": time.strftime("%Y-%m-%d"),
        "command": command,
        "config": config,
        "summary": refinement_summary(records, cell["talks"]),
        "gallery": picks(records, seed=config["seed"]),
    }
    write_json(target / "report.json", report)
    draw_gallery(report, target, photograph)
    blocks = refinement_blocks(report)
    write_text(target / "report.md", "\n".join(markdown(blocks)) + "\n")
    write_text(target / "report.html", page(blocks))
    return report


def refinement_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    return markdown(refinement_blocks(report))


def refinement_blocks(report: dict[str, Any]) -> list[Block]:
    """The report."""
    summary, name = report["summary"], report["model"]
    blocks: list[Block] = [
        Heading("Refinement: asked to change a grasp", 1),
        Text(
            f"**{name}** on {summary['photographs']} photographs of {summary['objects']} objects of {report['data']}: "
            f"{report['split']}; seed {report['config']['seed']}; {report['date']}."
        ),
    ]
    if summary["seen_objects"]:
        blocks.append(
            Text(
                f"The model was trained on {summary['seen_objects']} of these objects: this is no measure of how it "
                "does on new ones."
            )
        )
    blocks.append(Text(WORDS))
    if summary["not_begun"] or summary["broken_off"]:
        blocks.append(
            Text(
                f"{summary['not_begun']} conversations did not begin, since the first answer holds no grasp, and "
                f"{summary['broken_off']} ended at a later one that holds none: what was not asked there is in no "
                "table, and these conversations count as failed where all requests so far are meant."
            )
        )
    blocks.append(Heading("Requests that a label satisfies", 2))
    tables = {"All requests": summary["all"]} | {f"Request {turn}": rows for turn, rows in summary["turns"].items()}
    for title, rows in tables.items():
        lines = [(name if method == "model" else NAMES[method], *cells(at)) for method, at in rows.items()]
        blocks += [Heading(title, 3), Table(title, ("who answers", *HEAD), tuple(lines), marked=name)]
        so_far = summary["through"].get(title.removeprefix("Request "))
        if so_far and so_far["percent"] is not None:
            blocks.append(Text(f"All requests so far obeyed and valid: {with_interval(so_far)} conversations."))
    blocks += [*against(report), Heading("By what is asked", 3), *by_kind(report)]
    blocks += [Heading("Requests that no label satisfies", 2), unmet(summary["unmet"])]
    gallery = gallery_of(report)
    blocks += [gallery] if gallery else []
    lines_of_config = "\n".join(f"{key}: {value}" for key, value in report["config"].items())
    return [*blocks, Heading("How it was made", 2), Code(report["command"]), Code(lines_of_config)]


def cells(at: dict[str, Any]) -> tuple[str, ...]:
    """A row's figures."""
    steady = {key: value for key, value in at["steady"].items() if key != "n"}
    return (*(with_interval(at[field]) for field in FIGURES[:3]), with_interval(steady), str(at["n"]))


def by_kind(report: dict[str, Any]) -> list[Block]:
    """Figures by what is asked; those of the baselines are folded away."""
    found: list[Block] = []
    for method, kinds in report["summary"]["kinds"].items():
        name = report["model"] if method == "model" else NAMES[method]
        title = f"By what is asked: {name}"
        table = Table(title, (f"{name}, all requests", *HEAD), tuple((kind, *cells(at)) for kind, at in kinds.items()))
        found.append(table if method == "model" else Details(title, table))
    return found


def against(report: dict[str, Any]) -> list[Block]:
    """The model minus the baselines."""
    minus = report["summary"]["minus"]
    rows = tuple(
        (
            f"{NAMES[other]}, {'all requests' if turn == ALL else f'request {turn}'}",
            in_points(at["obeyed"]),
            in_points(at["both"]),
        )
        for other, turns in minus.items()
        for turn, at in turns.items()
    )
    title = f"{report['model']} minus the others, paired, in points"
    return [Heading(title, 3), Table(title, ("minus", "obeyed", "obeyed and valid"), rows)]


def unmet(at: dict[str, Any]) -> Text:
    """What becomes of a request that cannot be met."""
    if not at["n"]:
        return Text("None was asked.")
    said = f"the answer says so in {with_interval(at['says_unmet'])}; " if at["says_unmet"]["ci95"] else ""
    return Text(f"{at['n']} requests: {said}its grasp is valid in {with_interval(at['valid'])}.")
