"""The tables of the wishes' benchmark, ours beside the published ones of Reasoning Grasping."""

from collections.abc import Sequence
from typing import Any

from graspwise.data.wishes import KINDS
from graspwise.evaluation.document import Block, Heading, Table, Text, in_points, with_interval
from graspwise.evaluation.wish_score import SETS

# Reasoning Grasping (CoRL 2024), R@1 and R@3 in percent, kinds in the order of `KINDS`.
PUBLISHED: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "theirs, RGB": ((64.49, 63.55, 59.81, 61.68), (86.92, 77.57, 81.31, 83.18)),
    "theirs, with depth": ((60.75, 57.94, 69.16, 64.48), (76.63, 77.46, 77.55, 80.37)),
    "CLIP + GR-ConvNet": ((50.40, 44.35, 43.78, 28.88), (66.38, 61.09, 59.61, 47.37)),
    "LLaVA, then GR-ConvNet": ((26.80, 18.34, 15.38, 0.92), (44.66, 31.29, 37.93, 8.53)),
}
# Of 40 trials of a real arm: token right, pose right, executed.
PUBLISHED_TRIALS: dict[str, tuple[int | None, int, int]] = {
    "theirs, a real arm": (39, 25, 16),
    "CLIP + GR-ConvNet, a real arm": (None, 15, 9),
}
TRIALS = 40
NOT_THEIRS = (
    "**Our data is not theirs**: scenes of our own simulator, not GraspNet-1Billion; published figures are for "
    "orientation only."
)
TITLES = {
    "seen": "Seen objects, unseen wordings",
    "unseen": "Unseen objects (household), unseen wordings",
}


def published_json() -> dict[str, Any]:
    """The published figures by name."""
    return {
        "recall": {name: {"r1": list(first), "r3": list(three)} for name, (first, three) in PUBLISHED.items()},
        "trials": {
            name: {"token": token, "pose": pose, "executed": done, "n": TRIALS}
            for name, (token, pose, done) in PUBLISHED_TRIALS.items()
        },
    }


def recall_tables(report: dict[str, Any]) -> list[Block]:
    """R@1 and R@3 by kind of wish, of both sets; the published ones beside the seen one."""
    blocks: list[Block] = [Heading("Right grasp, by kind of wish", 2)]
    for objects in SETS:
        blocks += [Heading(TITLES[objects], 3)]
        blocks += [recall_table(report, objects, figure, title) for figure, title in (("r1", "R@1"), ("r3", "R@3"))]
    notes = [
        "R@k: one of the first k grasps, after non-maximum suppression, has IoU > 0.25 and less than 30 degrees to a "
        "grasp that lifts a right target; own opening, and where no plate is given the labels' median one. A refusal "
        "is a miss. A bracket is a 95% interval, bootstrapped over objects: the first right target's.",
        f"Blank, because no GR-ConvNet was given: {', '.join(report['blank'])}." if report["blank"] else "",
    ]
    blocks.append(Text(" ".join(note for note in notes if note)))
    rows = [f"**{name}**: {row['note']}." for name, row in report["models"].items() if row["note"]]
    return [*blocks, *(Text(row) for row in rows)]


def recall_table(report: dict[str, Any], objects: str, figure: str, title: str) -> Table:
    names = [*report["models"], *report["blank"]]
    others = report["published"]["recall"] if objects == "seen" else {}
    head = (f"{title}, {objects} objects", *names, *(f"PUBLISHED: {name}" for name in others))
    rows = [("data", *["ours, simulated"] * len(names), *["not ours: GraspNet-1Billion"] * len(others))]
    for place, kind in enumerate(KINDS):
        cells = [report["models"][name]["kinds"][kind][objects] if name in report["models"] else None for name in names]
        count = next((str(cell["n"]) for cell in cells if cell), "0")
        rows.append(
            (f"{kind}, n = {count}", *(bare(cell[figure]) if cell else "" for cell in cells),
             *(f"{other[figure][place]:.2f}%" for other in others.values()))
        )  # fmt: skip
    return Table(f"{title}, {TITLES[objects]}", head, tuple(rows), foreign=len(others))


def bare(share: dict[str, Any] | None) -> str:
    """A percentage with its interval, without the count, which stands in the row."""
    return with_interval({key: value for key, value in share.items() if key != "n"}) if share else ""


def target_table(report: dict[str, Any]) -> list[Block]:
    """Which thing is meant, apart from how well it is grasped."""
    titles = ("meant right, by name", "meant right, by place", "R@1 of those", "R@1")
    head = ("model", *(f"{title}, {objects}" for objects in SETS for title in titles))
    reference = report["reference"]
    if reference:
        head += tuple(f"R@1, {reference} minus this, paired, {objects}" for objects in SETS)
    rows = []
    for name, row in report["models"].items():
        cells = [
            bare(row["targets"][objects][key]) for objects in SETS for key in ("named", "placed", "r1_of_placed", "r1")
        ]
        cells += [in_points(row["minus"][objects]) for objects in SETS] if reference else []
        rows.append((name, *cells))
    said = (
        "Over the four kinds. By name: the thing that the answer names is a right one, whatever the part; blank for "
        "what names none. By place: the middle of the first grasp lies on a right target, for a wish about a part on "
        "that part, or the grasp is right. R@1 of those: of the answers that mean the right target by place."
    )
    return [
        Heading("Which thing, then which grasp", 2), Table("Which thing is meant", head, tuple(rows), reference or ""),
        Text(said),
    ]  # fmt: skip


def refusal_table(report: dict[str, Any]) -> list[Block]:
    """Precision and recall of refusing."""
    titles = {
        "recall": "refused, of wishes that nothing serves",
        "precision": "right, of its refusals",
        "wrongly": "refused, of wishes that something serves",
        "any_target": "refused, of wishes that name no target",
    }
    head = ("model", *(f"{title}, {objects}" for objects in SETS for title in titles.values()))
    rows = [
        (name, *(with_interval(row["refusals"][objects][key]) for objects in SETS for key in titles))
        for name, row in report["models"].items()
    ]
    said = (
        "A wish that names no target, such as `Pick up the object.`, must never be refused. Intervals of what nothing "
        "serves are over scenes."
    )
    return [Heading("Refusing", 2), Table("Refusals", head, tuple(rows), report["reference"] or ""), Text(said)]


def things_table(report: dict[str, Any]) -> Table:
    """R@1 and time by the count of things in view."""
    counts = list(dict.fromkeys(count for row in report["models"].values() for count in row["by_things"]))
    names = list(report["models"])
    head = ("things in view", "n", *(f"{name}, R@1" for name in names), *(f"{name}, s an answer" for name in names))
    rows = []
    for count in sorted(counts, key=int):
        cells = [report["models"][name]["by_things"].get(count) for name in names]
        asked = next((str(cell["n"]) for cell in cells if cell), "0")
        times = [cell["seconds_median"] if cell else None for cell in cells]
        rows.append(
            (count, asked, *(bare(cell) if cell else "" for cell in cells),
             *("" if at is None else f"{at:.2f}" for at in times))
        )  # fmt: skip
    return Table("R@1 over the four kinds and time, by the count of things in view", head, tuple(rows))


def trials_table(report: dict[str, Any]) -> list[Block]:
    """The robot trials; nothing where there were none."""
    done = {name: row["trials"] for name, row in report["models"].items() if row["trials"]}
    if not done:
        return []
    columns = ("token", "pose", "executed")
    rows = [
        (name, str(row["n"]), *(counted(row[column], row["n"]) for column in columns)) for name, row in done.items()
    ]
    for name, row in report["published"]["trials"].items():
        shown = ("" if row[column] is None else f"{row[column]}/{row['n']}" for column in columns)
        rows.append((f"PUBLISHED, not ours: {name}", str(row["n"]), *shown))
    head = ("model", "n", "token right", "pose right", "executed")
    said = (
        "In simulation: household scenes of two things or more, an implicit wish each. Token: it names a right target. "
        "Pose: its first grasp matches a right one. Executed: that grasp, carried out once under drawn friction and "
        "errors, lifts a right target and holds it through a shake and a tilt, by no part that should be left alone."
    )
    return [
        Heading("Robot trials", 2), Table("Robot trials", head, tuple(rows), report["reference"] or ""), Text(said),
    ]  # fmt: skip


def counted(share: dict[str, Any] | None, count: int) -> str:
    return f"{share['count']}/{count} ({share['ci95'][0]:.0f} to {share['ci95'][1]:.0f}%)" if share else ""


def robustness_table(report: dict[str, Any]) -> list[Block]:
    """Bad input: what became of it."""
    done = {name: row["robustness"] for name, row in report["models"].items() if row["robustness"]}
    if not done:
        return []
    cases = list(dict.fromkeys(case["name"] for found in done.values() for case in found))
    by_name = {name: {case["name"]: case for case in found} for name, found in done.items()}
    rows = [(case, *(outcome(found[case]) if case in found else "" for found in by_name.values())) for case in cases]
    sound = [f"{name}: {sum(is_sound(case) for case in found)} of {len(found)}" for name, found in done.items()]
    said = f"An answer with a grasp, or a refusal, and never an error: {'; '.join(sound)}."
    return [
        Heading("Bad input", 2), Table("Bad input", ("input", *done), tuple(rows)), Text(said),
    ]  # fmt: skip


def outcome(case: dict[str, Any]) -> str:
    if case["right"] is None or case["outcome"] != "answer":
        return str(case["outcome"])
    return "answer, the right thing" if case["right"] else "answer, another thing"


def is_sound(case: dict[str, Any]) -> bool:
    """Whether a case gave an answer or a refusal."""
    return case["outcome"] in ("answer", "refusal")


def asked_table(counts: dict[str, dict[str, int]]) -> Table:
    """How many wishes of each kind were asked of each set."""
    kinds: Sequence[str] = list(dict.fromkeys(kind for row in counts.values() for kind in row))
    rows = [(kind, *(str(counts[objects].get(kind, 0)) for objects in SETS)) for kind in kinds]
    return Table("Wishes asked", ("kind", *SETS), tuple(rows))
