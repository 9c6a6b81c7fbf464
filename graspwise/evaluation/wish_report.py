"""The report of the wishes' benchmark: `report.json`, and `report.md`, `report.html`, plot and pictures from it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graspwise.data.wish_facts import Target
from graspwise.data.wish_scenes import grasps_of, read_scene
from graspwise.data.wishes import KINDS
from graspwise.draw import draw_answer
from graspwise.evaluation.charts import STYLES, WIDTH, Draw, Theme, colour, legend, ruled, save_chart, shortened
from graspwise.evaluation.document import (
    Block,
    Chart,
    Code,
    Details,
    Gallery,
    Heading,
    Text,
    Tile,
    markdown,
    with_interval,
)
from graspwise.evaluation.page import page
from graspwise.evaluation.wish_baselines import LABELS, PEERS
from graspwise.evaluation.wish_benchmark import WishBenchmark, read_records
from graspwise.evaluation.wish_questions import Question
from graspwise.evaluation.wish_score import SETS, WishRecord, paired, summarise_wishes
from graspwise.evaluation.wish_tables import (
    NOT_THEIRS,
    asked_table,
    published_json,
    recall_tables,
    refusal_table,
    robustness_table,
    target_table,
    things_table,
    trials_table,
)
from graspwise.evaluation.wish_trials import trial_figures
from graspwise.files import replacing, write_json, write_text
from graspwise.grasp import Grasp
from graspwise.picture import open_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GALLERY = "gallery"
# Of misses and of hits.
MOST = 8
SIDE = 480


def wishes_report(folder: Path | str, done: WishBenchmark, *, command: str) -> dict[str, Any]:
    """Write the report of what was asked.

    Args:
        folder: Report folder.
        done: Questions and answers.
        command: The command that made it.
    """
    target = Path(folder)
    report = wishes_figures(done, command=command)
    write_json(target / "report.json", report)
    chart, draw = things_chart(report)
    save_chart(target, chart, draw)
    draw_gallery(report, target, done.scenes)
    blocks = wishes_blocks(report, chart)
    write_text(target / "report.md", "\n".join(markdown(blocks)) + "\n")
    write_text(target / "report.html", page(blocks))
    return report


def wishes_figures(done: WishBenchmark, *, command: str) -> dict[str, Any]:
    """What `report.json` holds."""
    records = {name: read_records(cell) for name, cell in done.cells.items()}
    reference = reference_of(list(records))
    models = {}
    for name, rows in records.items():
        cell = done.cells[name]
        alone = reference is None or name == reference
        models[name] = {
            "note": cell["note"],
            **summarise_wishes(rows),
            "minus": {
                objects: None if alone else paired(records[str(reference)], rows, objects=objects) for objects in SETS
            },
            "robustness": cell["robustness"],
            "trials": trial_figures(cell["trials"]) if cell["trials"] else None,
            "trial_rows": [asdict(trial) for trial in cell["trials"]],
        }
    shown = reference or next(iter(records), None)
    things = (done.config.fewest, done.config.most)
    return {
        "protocol": (
            f"{done.count} scenes of each set that no training data has, {things[0]} to {things[1]} things on a table "
            "seen from above; wordings of families that are for testing only; right is what a gripper in "
            "simulation lifts by a part that may be held"
        ),
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "config": {**asdict(done.config), "count": done.count},
        "asked": {
            objects: dict(Counter(q.kind for q in done.questions if q.objects == objects)) for objects in SETS
        },
        "published": published_json(),
        "reference": reference,
        "models": models,
        "blank": list(done.blank),
        "gallery": None
        if shown is None
        else {"model": shown, "picks": picks(done.questions, records[shown], seed=done.config.seed)},
    }  # fmt: skip


def reference_of(names: Sequence[str]) -> str | None:
    """The model that the others are compared with: the first that is no baseline."""
    from graspwise.model.baselines import BASELINES

    return next((name for name in names if name not in (*BASELINES, *PEERS, LABELS)), None)


def wishes_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    return markdown(wishes_blocks(report, things_chart(report)[0]))


def wishes_blocks(report: dict[str, Any], chart: Chart) -> list[Block]:
    """The report."""
    blocks: list[Block] = [
        Heading("Wishes: the right thing in clutter", 1), Text(NOT_THEIRS),
        Text(f"Protocol: {report['protocol']}; seed {report['config']['seed']}; {report['date']}."),
        *lead(report), *recall_tables(report), *target_table(report), *refusal_table(report),
        Heading("Things in view", 2), chart, things_table(report), *trials_table(report), *robustness_table(report),
    ]  # fmt: skip
    gallery = gallery_of(report)
    blocks += [gallery] if gallery else []
    lines = [f"{key}: {value}" for key, value in report["config"].items()]
    return [
        *blocks, Heading("How it was made", 2), Code(report["command"]),
        Text(f"{report['date']}; seed {report['config']['seed']}."), Code("\n".join(lines)),
        Details("Wishes asked, by kind and set", asked_table(report["asked"])),
    ]  # fmt: skip


def lead(report: dict[str, Any]) -> list[Block]:
    """The reference's R@1 by kind in a sentence."""
    name = report["reference"]
    if name is None:
        return []
    kinds = report["models"][name]["kinds"]
    found = [f"{kind} {with_interval(kinds[kind]['seen']['r1'])}" for kind in KINDS if kinds[kind]["seen"]["n"]]
    return [Text(f"**{name}**, R@1 with seen objects: {'; '.join(found)}.")] if found else []


def things_chart(report: dict[str, Any]) -> tuple[Chart, Draw]:
    """How accuracy and time grow with clutter."""
    rows = report["models"]

    def draw(figure: "Figure", theme: Theme) -> None:
        figure.set_size_inches(WIDTH, 5.2)
        above, below = figure.subplots(2, 1, sharex=True)
        for axes in (above, below):
            ruled(axes, theme)
        for index, (name, row) in enumerate(rows.items()):
            points = {int(count): at for count, at in row["by_things"].items()}
            right = {count: at["percent"] for count, at in points.items() if at["percent"] is not None}
            style = {"color": colour(theme, index), "linewidth": 1.4, "marker": "o", "markersize": 3}
            above.plot(list(right), list(right.values()), STYLES[index % len(STYLES)], label=shortened(name), **style)
            times = [at["seconds_median"] for at in points.values()]
            below.plot(list(points), times, STYLES[index % len(STYLES)], **style)
        above.set(ylabel="R@1, %", ylim=(0, 103))
        below.set(xlabel="things in view", ylabel="s an answer")
        below.set_ylim(bottom=0)
        below.xaxis.get_major_locator().set_params(integer=True)
        if rows:
            legend(figure, theme)

    return Chart("plots/things.png", "R@1 and time by the count of things in view"), draw


def picks(questions: Sequence[Question], records: Sequence[WishRecord], *, seed: int) -> list[dict[str, Any]]:
    """Up to 8 misses and 8 hits drawn by chance, of as many scenes as can be."""
    asked = {(q.place, q.kind, q.text): q for q in questions}
    shuffled = [records[i] for i in np.random.default_rng(seed).permutation(len(records))]
    chosen: list[WishRecord] = []
    for right in (False, True):
        rows = [r for r in shuffled if r.hit_first is right and r.kind in KINDS]
        first = list({r.place: r for r in reversed(rows)}.values())
        chosen += [*first, *(r for r in rows if all(r is not other for other in first))][:MOST]
    return [
        {
            "objects": r.objects, "scene": r.scene, "kind": r.kind, "wish": r.wish, "right": bool(r.hit_first),
            "later": bool(r.hit_three), "placed": bool(r.placed), "refused": r.refused, "target": r.target,
            "targets": [asdict(target) for target in asked[r.place, r.kind, r.wish].targets],
            "grasps": list(r.grasps[:3]), "reasoning": r.reasoning,
        }
        for r in chosen
    ]  # fmt: skip


def gallery_of(report: dict[str, Any]) -> Gallery | None:
    """The section of pictures; None where nothing was asked."""
    shown = report["gallery"]
    if not shown or not shown["picks"]:
        return None
    tiles = [Tile(tile_path(pick), tile_title(pick), tile_text(pick), pick["right"]) for pick in shown["picks"]]
    text = (
        f"{shown['model']}; up to {MOST} of each, drawn by chance, of as many scenes as can be. Amber and blue: its "
        "first grasp; pale: the next ones; thin green: the grasps of right targets."
    )
    return Gallery("Misses and hits", text, tuple(tiles))


def tile_title(pick: dict[str, Any]) -> str:
    later = ", a later one of its grasps is right" if pick["later"] else ", the right thing" if pick["placed"] else ""
    return f"{pick['kind']}, {pick['objects']}: {'hit' if pick['right'] else f'miss{later}'}"


def tile_text(pick: dict[str, Any]) -> str:
    said = "refused" if pick["refused"] else f"meant: {pick['target']}" if pick["target"] else ""
    names = sorted({t["name"] + (f", {t['part']}" if t["part"] else "") for t in pick["targets"]})
    words = (f"“{pick['wish']}”", pick["reasoning"], f"({said})" if said else "", f"Right: {'; '.join(names)}.")
    return " ".join(word for word in words if word)


def draw_gallery(report: dict[str, Any], folder: Path, scenes: Path) -> None:
    """Write the pictures of `gallery_of`; those of an earlier report go."""
    shown = report["gallery"]["picks"] if report["gallery"] else []
    for pick in shown:
        scene = read_scene(scenes / pick["objects"] / pick["scene"])
        right = grasps_of(scene, [Target(**target) for target in pick["targets"]])
        grasp, *others = (Grasp(**values) for values in pick["grasps"]) if pick["grasps"] else (None,)
        tile = draw_answer(
            open_picture(scene.picture), grasp=grasp, others=[other for other in others if other is not None],
            labels=[one.grasp.rectangle(image_size=scene.image_size) for one in right], side=SIDE,
        )  # fmt: skip
        with replacing(folder / tile_path(pick)) as temporary:
            tile.save(temporary, quality=85)
    kept = {Path(tile_path(pick)).name for pick in shown}
    for path in (folder / GALLERY).glob("*.jpg"):
        if path.name not in kept:
            path.unlink()


def tile_path(pick: dict[str, Any]) -> str:
    kind = pick["kind"].replace(" ", "-")
    return f"{GALLERY}/{'hit' if pick['right'] else 'miss'}-{pick['objects']}-{pick['scene']}-{kind}.jpg"
