"""Table II and Fig. 9 of RT-Grasp from trials: `report.json`, and from it `report.md` and `plots/`."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graspwise.draw import contact_sheet, draw_answer
from graspwise.evaluation.document import in_points, table_lines
from graspwise.evaluation.score import bootstrap
from graspwise.evaluation.trials import ORACLE, RANDOM, Trial, TrialConfig
from graspwise.files import read_json, replacing, write_json, write_text
from graspwise.grasp import Grasp
from graspwise.picture import open_picture

if TYPE_CHECKING:
    from PIL import Image

# RT-Grasp, Table II: a Franka Panda, 27 other household objects, 135 trials a method.
PUBLISHED = {
    "GR-ConvNet": (115, 135),
    "RT-Grasp, projector": (108, 135),
    "RT-Grasp, LoRA": (113, 135),
}
# As many as a page takes.
FAILURES = 20
EXPLAINED = {
    ORACLE: "the world's own labels, executed once more under other conditions",
    RANDOM: "uniform on the object's mask, in angle, and in opening from 5% to 100% of the gripper's",
}


def trials_report(
    folder: Path | str, trials: Mapping[str, Sequence[Trial]], *, config: TrialConfig, command: str
) -> dict[str, Any]:
    """Write the report of these trials.

    Args:
        folder: Report folder.
        trials: By the model's name.
        config: What was compared on what.
        command: The command that made it.
    """
    from graspwise.sim.catalogue import FAMILIES
    from graspwise.sim.trial import SHAKE_HERTZ, SHAKE_REACH, TILT

    objects = sorted({trial.object_id for rows in trials.values() for trial in rows})
    known = {thing_category(name) for name in FAMILIES}
    report: dict[str, Any] = {
        "protocol": (
            f"{len(objects)} objects x {config.poses} poses, one object a scene, seen from above; lifted 15 cm and "
            f"held after a shake of {100 * SHAKE_REACH:.1f} cm at {SHAKE_HERTZ:.0f} Hz and a tilt of "
            f"{math.degrees(TILT):.0f} degrees to four sides; the same scenes, friction and errors for every model"
        ),
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "config": asdict(config),
        "published": {name: {"lifted": k, "trials": n, "rate": round(k / n, 4)} for name, (k, n) in PUBLISHED.items()},
        "models": {
            name: figures(rows, known, seconds_of(Path(folder) / "answers" / f"{name}.json"))
            for name, rows in trials.items()
        },
        "trials": {name: [asdict(trial) for trial in rows] for name, rows in trials.items()},
    }
    report["reference"] = reference = reference_of(list(trials))
    for name, row in report["models"].items():
        alone = reference is None or name == reference
        row["reference_minus_this"] = None if alone else paired(trials[str(reference)], trials[name])
    write_json(Path(folder) / "report.json", report)
    write_text(Path(folder) / "report.md", "\n".join(trials_lines(report)) + "\n")
    with replacing(Path(folder) / "plots" / "objects.png") as temporary:
        plot_objects(report, temporary)
    for name, rows in trials.items():
        wrong = [trial for trial in rows if trial.setting == "any" and not trial.allowed]
        if wrong and name not in (ORACLE, RANDOM):
            with replacing(Path(folder) / "plots" / f"failures-{name}.png") as temporary:
                failures_sheet(wrong[:FAILURES], Path(folder) / "scenes").save(temporary)
    return report


def reference_of(names: Sequence[str]) -> str | None:
    """The model that the others are compared with: the first that is no baseline and no control."""
    from graspwise.model.baselines import BASELINES

    return next((name for name in names if name not in (*BASELINES, ORACLE)), None)


def paired(ours: Sequence[Trial], theirs: Sequence[Trial]) -> dict[str, Any]:
    """Lifted, ours minus theirs in points, scene by scene, with its interval over objects."""
    other = {trial.scene: trial.lifted for trial in theirs if trial.setting == "any"}
    mine = [trial for trial in ours if trial.setting == "any"]
    values = np.array([float(trial.lifted) - float(other[trial.scene]) for trial in mine])
    low, high = bootstrap(values, [trial.object_id for trial in mine])
    return {"points": round(100 * float(values.mean()), 2), "ci95": [round(100 * low, 2), round(100 * high, 2)]}


def failures_sheet(trials: Sequence[Trial], scenes: Path) -> "Image.Image":
    """Grasps that did not lift the thing, or held it where it should be left alone, on their pictures."""
    tiles = []
    for trial in trials:
        grasp = None if trial.grasp is None else Grasp(**trial.grasp)  # type: ignore[arg-type]
        why = trial.cause or f"lifted by {', '.join(trial.parts)}"
        picture = open_picture(scenes / trial.scene / "rgb.png")
        tiles.append(draw_answer(picture, grasp=grasp, caption=f"{trial.category}: {why}", side=240))
    return contact_sheet(tiles, columns=5)


def thing_category(family: str) -> str:
    """Category of a training family's things."""
    from graspwise.sim.catalogue import thing_of

    return thing_of(f"train/{family}-00").category


def seconds_of(path: Path) -> float | None:
    """Median time of an answer; None where nothing was asked."""
    times = [row["seconds"] for row in read_json(path) if "seconds" in row]
    return round(float(np.median(times)), 3) if times else None


def figures(trials: Sequence[Trial], known: set[str], seconds: float | None) -> dict[str, Any]:
    """A model's figures; `known` are the categories that the training set has."""
    wide = [trial for trial in trials if trial.setting == "any"]
    narrow = [trial for trial in trials if trial.setting == "narrow"]
    by_object: dict[str, list[bool]] = {}
    for trial in wide:
        by_object.setdefault(trial.object_id.partition("/")[2], []).append(trial.lifted)
    return {
        **rate(wide, "lifted"),
        "allowed_part": rate(wide, "allowed"),
        "narrow_gripper": rate(narrow, "lifted"),
        "seen_categories": rate([t for t in wide if t.category in known], "lifted"),
        "unseen_categories": rate([t for t in wide if t.category not in known], "lifted"),
        "causes": dict(Counter(trial.cause for trial in wide if trial.cause is not None).most_common()),
        "by_object": {name: {"lifted": sum(hits), "trials": len(hits)} for name, hits in by_object.items()},
        "seconds_median": seconds,
    }


def rate(trials: Sequence[Trial], field: str) -> dict[str, Any]:
    """Count, share and its 95% interval over objects."""
    if not trials:
        return {"lifted": 0, "trials": 0, "rate": None, "ci95": None}
    values = np.array([float(getattr(trial, field)) for trial in trials])
    low, high = bootstrap(values, [trial.object_id for trial in trials])
    return {
        "lifted": int(values.sum()),
        "trials": len(values),
        "rate": round(float(values.mean()), 4),
        "ci95": [round(low, 4), round(high, 4)],
    }


def trials_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    lines = [
        "# Trials in simulation",
        "",
        f"{report['protocol']}; {report['date']}; robot {report['config']['robot']}.",
        "",
    ]
    head = ["model", "lifted", "on an allowed part", f"gripper of {report['config']['narrow'] * 1000:.0f} mm",
            "categories in the training set", "other categories", "failures", "s an answer"]  # fmt: skip
    if report["reference"] is not None:
        head.append(f"{report['reference']} minus this, paired")
    rows = []
    for name, row in sorted(report["models"].items(), key=lambda item: -item[1]["rate"]):
        causes = ", ".join(f"{count} {cause}" for cause, count in row["causes"].items())
        cells = [name, with_interval(row), with_interval(row["allowed_part"]), with_interval(row["narrow_gripper"]),
                 with_interval(row["seen_categories"]), with_interval(row["unseen_categories"]), causes,
                 "" if row["seconds_median"] is None else f"{row['seconds_median']:.2f}"]  # fmt: skip
        cells += [in_points(row["reference_minus_this"])] if report["reference"] is not None else []
        rows.append(cells)
    lines += [*table_lines(head, rows), ""]
    lines += [*(f"- {name}: {text}." for name, text in EXPLAINED.items() if name in report["models"]), ""]
    lines += ["Published, of a real arm and other objects (RT-Grasp, Table II), for orientation only: "
              + ", ".join(f"{name} {100 * row['rate']:.2f}% ({row['lifted']}/{row['trials']})"
                          for name, row in report["published"].items()) + "."]  # fmt: skip
    return [*lines, "", f"`{report['command']}`"]


def with_interval(row: dict[str, Any]) -> str:
    if row["rate"] is None:
        return ""
    low, high = row["ci95"]
    return f"{100 * row['rate']:.1f}% ({row['lifted']}/{row['trials']}; {100 * low:.1f} to {100 * high:.1f})"


def plot_objects(report: dict[str, Any], path: Path) -> None:
    """Fig. 9: how often each object was lifted, a row an object and a column a model."""
    from matplotlib.figure import Figure

    names = sorted(report["models"], key=lambda name: -report["models"][name]["rate"])
    things = list(report["models"][names[0]]["by_object"])
    cells = [[report["models"][name]["by_object"][thing] for name in names] for thing in things]
    share = np.array([[cell["lifted"] / cell["trials"] for cell in row] for row in cells])
    figure = Figure(figsize=(1.6 + 0.9 * len(names), 0.8 + 0.24 * len(things)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="RdYlGn", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=30, ha="left")
    axes.set_yticks(range(len(things)), [thing.replace("_", " ") for thing in things])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for row, column in np.ndindex(share.shape):
        cell = cells[row][column]
        axes.text(column, row, f"{cell['lifted']}/{cell['trials']}", ha="center", va="center", fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Software": None})
