"""The report of the benchmark of hands: `report.json`, and `report.md` and `report.html` from it."""

from pathlib import Path
from typing import Any

from graspwise.evaluation.document import Block, Code, Heading, Table, Text, in_points, markdown, with_interval
from graspwise.evaluation.hand_answers import CAPTION, REGRESSOR, SHAPE
from graspwise.evaluation.hand_plan import LEVELS
from graspwise.evaluation.hand_ratings import FOLDER, SHEET
from graspwise.evaluation.hand_reconstruction import ADAPTED
from graspwise.evaluation.page import page
from graspwise.files import write_json, write_text

PUBLISHED = ", published"
# SemGrasp (Li et al. 2024): MPVPE mm, PD cm, SIV cm3, SIM.D mean cm.
RECONSTRUCTION: dict[str, tuple[float | None, ...]] = {
    "ground truth": (None, 0.11, 0.62, 0.94),
    "one token": (29.95, None, None, None),
    "two tokens": (25.73, None, None, None),
    "shared tokens": (28.02, None, None, None),
    "three tokens": (14.97, 0.46, 2.72, 2.14),
    "three tokens, adapted": (23.61, 0.37, 1.27, 1.90),
}
# PD cm, SIV cm3, GPT-4 score, perceptual score. Its P-FID is of another encoder, so it stands nowhere here.
LANGUAGE = {"SemGrasp": (0.48, 4.24, 74.5, 4.6), "SemGrasp's BERT baseline": (0.49, 4.60, 47.3, 3.7)}
KINDS = {"1": "one token", "2": "two tokens", "3": "three tokens", "shared": "three shared"}
FOREIGN = (
    "Rows marked as published are SemGrasp's (Li et al. 2024): MANO's hand on OakInk's objects, displacement by "
    "Bullet. They stand beside ours for orientation only."
)
MEASURES = (
    "**MPVPE**: mean distance of a vertex to the same vertex of the hand that was to come out. **PD**: depth of the "
    "deepest hand vertex in the object. **SIV**: volume of the 2 mm cells in both. **SIM.D**: how far the object moves "
    "in 0.146 s under gravity (MuJoCo, 1 kg, friction 3, a stiff hand; a free fall is 10.4 cm); **held**: it moves by "
    "at most 20 mm in half a second. A hand deep in the object holds it too: read both beside PD and SIV. Brackets: "
    "95% intervals over objects."
)
AGREEMENT = (
    "**Part agreement**: share of what a sentence names that holds on the geometry: is the named finger, or any where "
    "none is named, within 3 mm of the named part, and are parts that shall be free not touched. It is computed from "
    "the hand and the object, never from a caption. P-FID*: Fréchet distance of features of our own cloud "
    "encoder, on points of the hand about the object's middle; it is comparable within this table only. "
    "**Diversity**: mean vertex distance of two answers on one object."
)


def hands_report(folder: Path | str, figures: dict[str, Any], *, command: str) -> dict[str, Any]:
    """Write the report.

    Args:
        folder: Report folder.
        figures: As `run_hands` returns them.
        command: The command that made it.
    """
    target, report = Path(folder), {**figures, "command": command}
    write_json(target / "report.json", report)
    blocks = hands_blocks(report)
    write_text(target / "report.md", "\n".join(markdown(blocks)) + "\n")
    write_text(target / "report.html", page(blocks))
    return report


def hands_lines(report: dict[str, Any]) -> list[str]:
    """The report in Markdown."""
    return markdown(hands_blocks(report))


def hands_blocks(report: dict[str, Any]) -> list[Block]:
    """The report."""
    data = report["data"]
    blocks: list[Block] = [
        Heading("Hands: tokens, and grasps from sentences", 1),
        Text(
            f"Hand: {data['hand']}. Data: {data['grasps']} grasps, built with seed {data['seed']}; {report['objects']} "
            f"objects to test on. Seed {report['config']['seed']}; {report['date']}."
        ),
        Text(MEASURES), Text(FOREIGN),
    ]  # fmt: skip
    if report["reconstruction"]:
        blocks += reconstruction_blocks(report["reconstruction"])
    if report["language"]:
        blocks += language_blocks(report["language"], pictured=report["config"]["pictured"])
    lines = "\n".join(f"{key}: {value}" for key, value in report["config"].items())
    return [*blocks, Heading("How it was made", 2), Code(report["command"]), Code(lines)]


def reconstruction_blocks(at: dict[str, Any]) -> list[Block]:
    """Hands given back, a row a run, and which codes they use."""
    head = ("hands", "tokens", "MPVPE, mm", "PD, cm", "SIV, cm³", "SIM.D, cm", "held", "n", "simulated")
    rows = []
    for name, row in at["rows"].items():
        run = at["runs"].get(name.removesuffix(ADAPTED))
        kind = KINDS[run["tokens"]] if run else ""
        physics = (number(row["displacement_cm"]), with_interval(row["held"]), str(row["n"]), str(row["simulated"]))
        measured = [number(row[key]) for key in ("mpvpe_mm", "penetration_cm", "volume_cm3")]
        rows.append((name, kind, *measured, *physics))
    for name, values in RECONSTRUCTION.items():
        shown = ("" if value is None else f"{value:g}" for value in values)
        rows.append((name + PUBLISHED, "", *shown, "", "", ""))
    codes = tuple(
        (
            name, KINDS[run["tokens"]], ", ".join(f"{book} {100 * share:.0f}%" for book, share in run["usage"].items()),
            str(run["codes"]), "" if run["samples"] is None else f"{run['samples']:,}",
        )
        for name, run in at["runs"].items()
    )  # fmt: skip
    blocks: list[Block] = [
        Heading("Reconstruction", 2),
        Table("Hands given back by their tokens", head, tuple(rows)),
        Text("Usage: share of each codebook's codes that the hands use that the run learned from."),
        Table("Codebooks", ("run", "tokens", "usage", "codes in a book", "samples of training"), codes),
    ]
    return [*blocks, *seen_text({name: run["seen"] for name, run in at["runs"].items()})]


def language_blocks(at: dict[str, Any], *, pictured: int) -> list[Block]:
    """Sentences to grasps."""
    asked = ", ".join(f"{count} {level}" for level, count in at["levels"].items())
    budget = "" if at["samples"] is None else f" It was trained on {at['samples']:,} samples."
    blocks: list[Block] = [
        Heading("Language to grasp", 2),
        Text(
            f"**{at['model']}** is asked {sum(at['levels'].values())} sentences about test objects: {asked} (of talk "
            f"first something else, which it answers, then the request).{budget}"
        ),
        Text(AGREEMENT), Text(methods_text(at)), Heading("Is the finger on the part", 3),
        agreement_table(at), minus_table(at), Heading("What the hands are like", 3), quality_table(at),
        times_table(at), *marks_blocks(at, pictured=pictured),
    ]  # fmt: skip
    return [*blocks, *seen_text({at["model"]: at["seen"]})]


def methods_text(at: dict[str, Any]) -> str:
    """How the baselines are made."""
    reference = (
        f"P-FID* is to {at['reference']} other true hands on the same objects, and the ground truth's own is what the "
        "choice of hands is worth." if at["reference"] else "P-FID* needs more true hands than are asked for."
    )  # fmt: skip
    return (
        f"**{CAPTION}**: the training grasp whose caption is likest, {at['notes'][CAPTION]}; **{SHAPE}**: a training "
        f"grasp, drawn by chance, on the object of the likest shape, {at['notes'][SHAPE]}; both are laid on the test "
        f"object by the objects' boxes. **{REGRESSOR}**: a small network from the language model's mean state after "
        f"the sentence and the cloud's features to a hand's parameters, {at['notes'][REGRESSOR]}. Of talk these "
        "three read the request alone. Rows called adapted were brought the last millimetres to the object, all in the "
        f"same way. {reference}"
    )


def agreement_table(at: dict[str, Any]) -> Table:
    rows = tuple(
        (name, with_interval(row["agreement"]["all"]), *(with_interval(row["agreement"][level]) for level in LEVELS),
         str(row["n"]))
        for name, row in at["rows"].items()
    )  # fmt: skip
    return Table("Part agreement", ("hands", "part agreement", *LEVELS, "n"), rows, marked=at["main"])


def quality_table(at: dict[str, Any]) -> Table:
    """What the hands are like; published rows have no P-FID."""
    head = (
        "hands", "P-FID*", "PD, cm", "SIV, cm³", "SIM.D, cm", "held", "gap, mm", "diversity, mm", "entropy, nats", "n",
        "simulated",
    )  # fmt: skip
    rows = [
        (
            name, small(row["p_fid_star"]), number(row["penetration_cm"]), number(row["volume_cm3"]),
            number(row["displacement_cm"]), with_interval(row["held"]), number(row["gap_mm"]),
            plain(row["diversity_mm"]), plain(row["entropy_nats"]), str(row["n"]), str(row["simulated"]),
        )
        for name, row in at["rows"].items()
    ]  # fmt: skip
    for name, (depth, volume, *_) in LANGUAGE.items():
        rows.append((name + PUBLISHED, "", f"{depth:g}", f"{volume:g}", "", "", "", "", "", "", ""))
    return Table("What the hands are like", head, tuple(rows), marked=at["main"])


def minus_table(at: dict[str, Any]) -> Table:
    rows = tuple((other, in_points(found), str(found["n"]) if found else "") for other, found in at["minus"].items())
    title = f"{at['model']} minus the others, part agreement in points, paired"
    return Table(title, (f"{at['model']} minus", "part agreement, points", "n"), rows)


def times_table(at: dict[str, Any]) -> Table:
    """How many times the ground truth's figures."""
    rows = tuple(
        (name, *(ratio(found[key]) for key in ("penetration_cm", "volume_cm3", "displacement_cm")))
        for name, found in at["times_truth"].items()
    )
    return Table(
        "Times the ground truth's", ("times the ground truth's", "PD", "SIV", "SIM.D"), rows, marked=at["main"]
    )


def marks_blocks(at: dict[str, Any], *, pictured: int) -> list[Block]:
    """What a judge and people think of the pictures, and where that comes from."""
    if not pictured:
        return [Text("No pictures were made, so nobody was asked for marks.")]
    judge = (
        f"The judge is {at['judge']}." if at["judge"] else
        "No judge was asked; `--judge URL#MODEL` names one. SemGrasp's was GPT-4."
    )  # fmt: skip
    rows = [
        (name, number(marks.get("judge")), number(marks.get("rating")), *(
            str(marks[who]["n"]) if marks.get(who) else "" for who in ("judge", "rating")
        ))
        for name, marks in at["marks"].items()
    ]  # fmt: skip
    rows += [(name + PUBLISHED, f"{given:g}", f"{people:g}", "", "") for name, (*_, given, people) in LANGUAGE.items()]
    head = ("hands", "judge, 0 to 100", "people, 1 to 5", "n of the judge", "n of people")
    return [
        Heading("Marks", 3),
        Text(
            f"Of the answers to {pictured} questions at most there are pictures, in `{FOLDER}/{SHEET}.html`, in an "
            f"order by chance and without saying whose they are, for people to rate. {judge}"
        ),
        Table("Marks", head, tuple(rows), marked=at["main"]),
    ]


def seen_text(seen: dict[str, int]) -> list[Block]:
    """A warning where test objects were learned from."""
    found = ", ".join(f"{name} on {count}" for name, count in seen.items() if count)
    return [Text(f"Of these objects some were trained on: {found}. That is no measure of new ones.")] if found else []


def number(found: dict[str, Any] | None) -> str:
    """A mean with its interval; nothing where it was not measured."""
    if found is None:
        return ""
    return f"{found['mean']:.2f} ({found['ci95'][0]:.2f} to {found['ci95'][1]:.2f})"


def ratio(found: dict[str, Any] | None) -> str:
    return f"{found['times']:.2f} ({found['ci95'][0]:.2f} to {found['ci95'][1]:.2f})" if found else ""


def small(value: float | None) -> str:
    """Three digits, however small it is."""
    return "" if value is None else f"{value:.3g}"


def plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
